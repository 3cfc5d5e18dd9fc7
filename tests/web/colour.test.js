import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CLASS_COLOURS,
  classTable,
  mapColour,
  mapTable,
  packed,
  toneTable,
} from "../../serving/web/editor/colour.js";
import { histogram, otsu, percentile } from "../../serving/web/editor/contrast.js";

test("the colour maps are matplotlib's", () => {
  // matplotlib.colormaps[name](i, bytes=True) for i = 0, 128, 255
  assert.deepEqual(
    [0, 128, 255].map((i) => mapColour("cividis", i)),
    CIVIDIS,
  );
  assert.deepEqual(
    [0, 128, 255].map((i) => mapColour("viridis", i)),
    VIRIDIS,
  );
  assert.deepEqual(
    [0, 128, 255].map((i) => mapColour("magma", i)),
    MAGMA,
  );
});
const CIVIDIS = [
  [0, 34, 77],
  [124, 123, 120],
  [253, 231, 55],
];
const VIRIDIS = [
  [68, 1, 84],
  [32, 144, 140],
  [253, 231, 36],
];
const MAGMA = [
  [0, 0, 3],
  [182, 54, 121],
  [251, 252, 191],
];

test("window and level choose the values from black to white, gamma bends what lies between", () => {
  const tone = toneTable(1000, 2500, 1);
  assert.deepEqual(
    [0, 2000, 2500, 3000, 65535].map((value) => tone[value]),
    [0, 0, 128, 255, 255],
  );
  assert.equal(toneTable(1000, 2500, 2)[2500], Math.round(255 * 0.25));
});

test("a class is its colour at full opacity, and the grey below at none", () => {
  const [red, green, blue] = CLASS_COLOURS[0];
  assert.equal(classTable(CLASS_COLOURS, 1)[256 + 77], packed(red, green, blue));
  assert.equal(classTable(CLASS_COLOURS, 0)[256 + 77], packed(77, 77, 77));
  assert.equal(classTable(CLASS_COLOURS, 1)[77], packed(77, 77, 77));
});

test("a map's middle opacity is halfway between grey and its colour", () => {
  assert.equal(mapTable("viridis", 0.5)[255 * 256 + 101], packed(177, 166, 69));
});

test("percentiles of a histogram are numpy's inverted_cdf", () => {
  const counts = histogram(Uint16Array.from({ length: 100 }, (_, i) => 10 * (i + 1)));
  assert.deepEqual(
    [0.01, 0.5, 0.99, 1].map((share) => percentile(counts, share)),
    [10, 500, 990, 1000],
  );
});

test("Otsu's threshold parts two heaps, by brute force over all thresholds", () => {
  const values = Uint16Array.from({ length: 600 }, (_, i) =>
    i % 3 ? 900 + ((i * 37) % 200) : 3000 + ((i * 91) % 700),
  );
  const within = (/** @type {number} */ t) => {
    const halves = [[...values].filter((v) => v <= t), [...values].filter((v) => v > t)];
    return halves.reduce((sum, half) => {
      const mean = half.reduce((a, b) => a + b, 0) / half.length;
      return sum + half.reduce((a, b) => a + (b - mean) ** 2, 0);
    }, 0);
  };
  const candidates = [...new Set(values)].sort((a, b) => a - b).slice(0, -1);
  const best = candidates.reduce((a, b) => (within(b) < within(a) ? b : a));
  assert.equal(otsu(histogram(values)), best);
});
