import assert from "node:assert/strict";
import { test } from "node:test";
import { edges, levels } from "../../serving/web/viewer/pixels.js";

test("contrast uses all levels whatever a few hot pixels say", () => {
  const values = Uint16Array.from({ length: 1000 }, (_, place) => 2000 + place);
  values[0] = 65535;
  const grey = levels(values);
  assert.equal(grey[0], 255);
  assert.equal(grey[1], 0);
  assert.equal(grey[999], 255);
  assert.ok(Math.abs((grey[500] ?? 0) - 127) <= 2);
});

test("an image of one value is drawn, not divided by nothing", () => {
  assert.deepEqual([...levels(Uint16Array.of(7, 7, 7))], [0, 0, 0]);
});

test("edges are where a neighbour is of another class, and nowhere at the border", () => {
  const mask = [0, 0, 0, 0, 1, 1, 0, 1, 1];
  assert.deepEqual([...edges(mask, 3, 1)], [0, 1, 1, 1, 0, 0, 1, 0, 0]);
});

test("a line is as thick as it is asked for", () => {
  const mask = Uint8Array.from({ length: 100 }, (_, place) => Number(place % 10 >= 5));
  const thickness = (/** @type {number} */ reach) =>
    edges(mask, 10, reach)
      .slice(0, 10)
      .reduce((a, b) => a + b, 0);
  assert.deepEqual([1, 2, 3].map(thickness), [1, 2, 3]);
});
