import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32, deflateSync, inflateSync } from "node:zlib";
import { decodePng, encodePng } from "../../serving/web/editor/png.js";
import { blobs, random } from "./random.js";

const WIDTH = 61;
const HEIGHT = 45;
const MASK = blobs(WIDTH, HEIGHT, [0, 1, 2, 255], random(13));

/**
 * @param {number} depth
 * @param {number} kind colour type
 * @param {Uint8Array} lines filter types and filtered pixels
 * @param {number} [parts] IDAT chunks
 */
function png(depth, kind, lines, parts = 1) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(WIDTH, 0);
  header.writeUInt32BE(HEIGHT, 4);
  header.set([depth, kind, 0, 0, 0], 8);
  const body = deflateSync(lines);
  const cut = Math.ceil(body.length / parts);
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk("IHDR", header),
    ...(kind === 3 ? [chunk("PLTE", Buffer.alloc(768))] : []),
    ...Array.from({ length: parts }, (_, n) => chunk("IDAT", body.subarray(n * cut, (n + 1) * cut))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/**
 * @param {string} name
 * @param {Buffer} content
 */
function chunk(name, content) {
  const typed = Buffer.concat([Buffer.from(name, "latin1"), content]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  sum.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, sum]);
}

/**
 * MASK with a filter of each row, by the definitions of the PNG specification.
 * @param {(row: number) => number} filterOf
 */
function filtered(filterOf) {
  const at = (/** @type {number} */ x, /** @type {number} */ y) => (x < 0 || y < 0 ? 0 : MASK[y * WIDTH + x]);
  const lines = [];
  for (let y = 0; y < HEIGHT; y++) {
    lines.push(filterOf(y));
    for (let x = 0; x < WIDTH; x++) {
      const [a, b, c] = [at(x - 1, y), at(x, y - 1), at(x - 1, y - 1)];
      const nearest = [a, b, c].sort((one, other) => Math.abs(a + b - c - one) - Math.abs(a + b - c - other));
      lines.push(at(x, y) - [0, a, b, (a + b) >> 1, nearest[0]][filterOf(y)]);
    }
  }
  return Uint8Array.from(lines);
}

test("an encoded mask, unpacked by zlib, has every class where it was", async () => {
  const bytes = Buffer.from(await encodePng(MASK, WIDTH, HEIGHT));
  assert.deepEqual([...bytes.subarray(0, 8)], [137, 80, 78, 71, 13, 10, 26, 10]);
  /** @type {Map<string, Buffer>} */
  const chunks = new Map();
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const typed = bytes.subarray(at + 4, at + 8 + length);
    assert.equal(crc32(typed), bytes.readUInt32BE(at + 8 + length));
    chunks.set(typed.toString("latin1", 0, 4), typed.subarray(4));
    at += 12 + length;
  }
  assert.deepEqual([...chunks.keys()], ["IHDR", "IDAT", "IEND"]);
  const header = /** @type {Buffer} */ (chunks.get("IHDR"));
  assert.deepEqual(
    [header.readUInt32BE(0), header.readUInt32BE(4), ...header.subarray(8)],
    [WIDTH, HEIGHT, 8, 0, 0, 0, 0],
  );
  const lines = inflateSync(/** @type {Buffer} */ (chunks.get("IDAT")));
  const mask = new Uint8Array(MASK.length);
  for (let y = 0; y < HEIGHT; y++) {
    const line = lines.subarray(y * (WIDTH + 1), (y + 1) * (WIDTH + 1));
    assert.equal(line[0], 2);
    for (let x = 0; x < WIDTH; x++)
      mask[y * WIDTH + x] = line[x + 1] + (y > 0 ? mask[(y - 1) * WIDTH + x] : 0);
  }
  assert.deepEqual(mask, MASK);
});

for (const filter of [0, 1, 2, 3, 4])
  test(`a PNG whose rows all have filter ${filter} is read exactly`, async () => {
    const read = await decodePng(
      png(
        8,
        0,
        filtered(() => filter),
      ),
    );
    assert.deepEqual(read, { mask: MASK, width: WIDTH, height: HEIGHT });
  });

test("a palette PNG in several parts, with all filters, gives its indices", async () => {
  const read = await decodePng(
    png(
      8,
      3,
      filtered((y) => y % 5),
      7,
    ),
  );
  assert.deepEqual(read.mask, MASK);
});

test("what is encoded is decoded", async () => {
  assert.deepEqual(await decodePng(await encodePng(MASK, WIDTH, HEIGHT)), {
    mask: MASK,
    width: WIDTH,
    height: HEIGHT,
  });
});

test("anything else is refused with what to do", async () => {
  const good = png(
    8,
    0,
    filtered(() => 0),
  );
  const broken = Buffer.from(good);
  broken[60] ^= 1;
  await assert.rejects(decodePng(Buffer.from("GIF89a")), /not a PNG/);
  await assert.rejects(decodePng(broken), /damaged/);
  await assert.rejects(decodePng(good.subarray(0, 80)), /damaged/);
  await assert.rejects(
    decodePng(
      png(
        8,
        2,
        filtered(() => 0),
      ),
    ),
    /not an 8-bit greyscale or palette PNG/,
  );
  await assert.rejects(decodePng(png(8, 0, Buffer.alloc(50_000_000))), /damaged/);
  await assert.rejects(decodePng(png(8, 0, filtered(() => 0).fill(9))), /damaged/);
});
