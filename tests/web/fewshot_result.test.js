import assert from "node:assert/strict";
import { test } from "node:test";
import { fillChips } from "../../serving/web/fewshot/paint.js";
import { checkInWords, chipInWords, stylesOf } from "../../serving/web/fewshot/result.js";
import { seriesCurves } from "../../serving/web/fewshot/series.js";
import { Styles } from "../../serving/web/fewshot/styles.js";
import { random } from "./random.js";

const interval = { mean: 2, n: 4, low: 1, high: 3 };
/** @param {string} name @param {number | null} style */
const counted = (name, style) => ({ name, style, n_supports: 1, count: interval, fraction: interval });
const RESULT = {
  grid: { height: 20, width: 20, edge: 10, top: 0, left: 0 },
  classes: [counted("ice", 11), counted("water", 0), counted("unsure", null)],
  nearest: [0, 1, 1, 0],
  unsure: [2],
  probabilities: [
    [0.9, 0.1],
    [0.002, 0.998],
    [0.45, 0.55],
    [0.7, 0.3],
  ],
  check: {
    right: { hits: 3, total: 4 },
    ece: 0.1,
    plain_ece: 0.25,
    confusion: [
      [2, 1],
      [0, 1],
    ],
    singles: ["water"],
  },
  far_chips: [3],
  label_next: [],
  notes: [],
  sentence: "",
};

test("each chip has its set's style, which is not the set's position; unsure ones have none", () => {
  assert.deepEqual(stylesOf(RESULT), [11, 0, null, 11]);
});

test("a chip is said with its probabilities, the highest first, and without those next to nothing", () => {
  assert.equal(chipInWords(RESULT, 0), "ice; ice 0.90, water 0.10");
  assert.equal(chipInWords(RESULT, 1), "water; water 1.00");
  assert.equal(chipInWords(RESULT, 2), "unsure; water 0.55, ice 0.45");
  assert.equal(chipInWords(RESULT, 3), "ice; ice 0.70, water 0.30; far from every set");
});

test("what cannot be checked is said instead of a number", () => {
  assert.match(
    checkInWords(RESULT),
    /^Left out, 3 of 4 supports fall to their own set\. Calibration error 0\.10/,
  );
  assert.match(checkInWords(RESULT), /the only one: the support of water\.$/);
  const none = { ...RESULT.check, right: { hits: 0, total: 0 }, ece: null, plain_ece: null };
  assert.match(checkInWords({ ...RESULT, check: none }), /nothing can be checked/);
});

test("a series has a curve for each class with its band, one of unsure chips and one of strange ones", () => {
  const image = (/** @type {string} */ name) => ({ name, n_chips: 4, classes: RESULT.classes, far: 0.5 });
  const [moments, curves] = seriesCurves([image("a"), image("b")], []);
  assert.deepEqual([moments.names, moments.values, moments.unit], [["a", "b"], [1, 2], ""]);
  const [timed] = seriesCurves([image("a"), image("b")], [0, 0.5]);
  assert.deepEqual([timed.title, timed.values, timed.unit], ["Time", [0, 0.5], "s"]);
  assert.deepEqual(
    curves.map((curve) => curve.title),
    ["Share of ice", "Share of water", "Share of unsure chips", "Far from all prototypes"],
  );
  assert.deepEqual(
    [curves[0]?.low, curves[0]?.high],
    [
      [1, 1],
      [3, 3],
    ],
  );
});

test("every canvas pixel has the tile of the chip that it shows, from the grid's corner on", () => {
  const next = random(9);
  const grid = { rows: 7, columns: 11 };
  const places = Uint8Array.from({ length: 77 }, () => Math.floor(next() * 3));
  const tiles = [0, 1000, 2000].map((base) => Uint32Array.from({ length: 16 }, (_, n) => base + n));
  for (const placed of [
    { x: -7.3, y: 4.6, size: 9.7 },
    { x: 12, y: -30.2, size: 2.4 },
  ]) {
    const [width, height] = [61, 47];
    const pixels = new Uint32Array(width * height).fill(77);
    fillChips(pixels, width, placed, grid, places, tiles);
    const [left, top] = [Math.round(placed.x), Math.round(placed.y)];
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const column = Math.floor((x + 0.5 - placed.x) / placed.size);
        const row = Math.floor((y + 0.5 - placed.y) / placed.size);
        const inside = column >= 0 && row >= 0 && column < 11 && row < 7;
        const at = ((y - top + 400) % 4) * 4 + ((x - left + 400) % 4);
        const expected = inside ? tiles[places[row * 11 + column] ?? 0]?.[at] : 0;
        assert.equal(pixels[y * width + x], expected);
      }
  }
});

test("84 styles differ in colour or pattern", () => {
  const styles = new Styles(
    Array.from({ length: 12 }, (_, n) => `#0000${(16 + n).toString(16)}`),
    ["", "..", "xx", "--", "oo", "||", "**"],
    ["#dddddd", "////"],
  );
  const seen = new Set(Array.from({ length: 84 }, (_, n) => styles.colour(n) + styles.hatch(n)));
  assert.equal(seen.size, 84);
  assert.deepEqual([styles.colour(null), styles.hatch(null)], ["#dddddd", "/"]);
});
