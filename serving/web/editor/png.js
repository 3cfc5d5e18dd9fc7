/** Masks as PNG, without a canvas: a canvas would turn class indices into colours and back. */

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const GREY = 0;
const PALETTE = 3;
const UP = 2;

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

/**
 * @param {Uint8Array} mask class indices, shape (height, width)
 * @param {number} width
 * @param {number} height
 * @returns {Promise<Uint8Array>} an 8-bit greyscale PNG whose greys are the indices
 */
export async function encodePng(mask, width, height) {
  const lines = new Uint8Array(height * (width + 1));
  for (let y = 0; y < height; y++) {
    const line = y * (width + 1);
    const row = y * width;
    lines[line] = UP;
    if (y === 0) lines.set(mask.subarray(0, width), 1);
    else for (let x = 0; x < width; x++) lines[line + 1 + x] = mask[row + x] - mask[row - width + x];
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, GREY, 0, 0, 0], 8);
  const body = await piped(lines, new CompressionStream("deflate"), Infinity);
  return joined([
    Uint8Array.from(SIGNATURE),
    chunk("IHDR", header),
    chunk("IDAT", body),
    chunk("IEND", new Uint8Array()),
  ]);
}

/**
 * @param {Uint8Array} png 8-bit, greyscale or palette, not interlaced
 * @returns {Promise<{mask: Uint8Array, width: number, height: number}>} greys or palette indices
 * @throws {Error} if it is anything else, or damaged
 */
export async function decodePng(png) {
  if (SIGNATURE.some((byte, i) => png[i] !== byte))
    throw new Error("This is not a PNG. Load the mask again.");
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const parts = [];
  let [width, height] = [0, 0];
  for (let at = 8; at + 12 <= png.length; ) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...png.subarray(at + 4, at + 8));
    const content = png.subarray(at + 8, at + 8 + length);
    if (at + 12 + length > png.length) throw damaged();
    if (crc(png.subarray(at + 4, at + 8 + length)) !== view.getUint32(at + 8 + length)) throw damaged();
    if (name === "IHDR") {
      width = view.getUint32(at + 8);
      height = view.getUint32(at + 12);
      const [depth, kind, , , interlaced] = content.subarray(8);
      if (depth !== 8 || (kind !== GREY && kind !== PALETTE) || interlaced)
        throw new Error("The mask is not an 8-bit greyscale or palette PNG. Save it as one.");
    }
    if (name === "IDAT") parts.push(content);
    at += 12 + length;
  }
  const size = height * (width + 1);
  const lines = await piped(joined(parts), new DecompressionStream("deflate"), size).catch(() => {
    throw damaged();
  });
  if (size === 0 || lines.length !== size) throw damaged();
  return { mask: unfiltered(lines, width, height), width, height };
}

function damaged() {
  return new Error("The PNG is damaged. Load the mask again.");
}

/**
 * Take the filters off (PNG 3rd edition, section 9); a pixel is one byte.
 * @param {Uint8Array} lines filter type and pixels of each row
 * @param {number} width
 * @param {number} height
 * @returns {Uint8Array}
 */
function unfiltered(lines, width, height) {
  const mask = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const filter = lines[y * (width + 1)];
    if (filter > 4) throw damaged();
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      const left = x > 0 ? mask[i - 1] : 0;
      const above = y > 0 ? mask[i - width] : 0;
      const corner = x > 0 && y > 0 ? mask[i - width - 1] : 0;
      mask[i] = lines[y * (width + 1) + 1 + x] + foretold(filter, left, above, corner);
    }
  }
  return mask;
}

/**
 * @param {number} filter
 * @param {number} left
 * @param {number} above
 * @param {number} corner
 */
function foretold(filter, left, above, corner) {
  if (filter === 0) return 0;
  if (filter === 1) return left;
  if (filter === UP) return above;
  if (filter === 3) return (left + above) >> 1;
  const [toLeft, toAbove, toCorner] = [
    Math.abs(above - corner),
    Math.abs(left - corner),
    Math.abs(left + above - 2 * corner),
  ];
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

/**
 * @param {string} name
 * @param {Uint8Array} content
 */
function chunk(name, content) {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(
    [...name].map((letter) => letter.charCodeAt(0)),
    4,
  );
  bytes.set(content, 8);
  view.setUint32(8 + content.length, crc(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

/** @param {Uint8Array} bytes */
function crc(bytes) {
  let value = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) value = CRC[(value ^ bytes[i]) & 255] ^ (value >>> 8);
  return ~value >>> 0;
}

/**
 * @param {Uint8Array} bytes
 * @param {CompressionStream | DecompressionStream} stream
 * @param {number} most bytes to come out, or it is refused: a small file can unpack without end
 */
async function piped(bytes, stream, most) {
  const source = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]).stream().pipeThrough(stream);
  const reader = source.getReader();
  const parts = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    size += part.value.length;
    if (size > most) {
      await reader.cancel();
      throw damaged();
    }
  }
  return joined(parts);
}

/** @param {Uint8Array[]} parts */
function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
