import assert from "node:assert/strict";
import { test } from "node:test";
import { averaging, Pyramid } from "../../serving/web/editor/pyramid.js";
import { uncertainSpots } from "../../serving/web/editor/spots.js";

test("the most uncertain places come one after the other, near ones once", () => {
  const [width, height] = [600, 400];
  const data = new Uint8Array(width * height);
  for (const [x, y, value] of [
    [100, 100, 90],
    [400, 300, 200],
    [408, 300, 190],
    [550, 40, 120],
  ])
    for (let v = y - 4; v < y + 4; v++) data.fill(value, v * width + x - 4, v * width + x + 4);
  const spots = uncertainSpots(new Pyramid(data, width, height, averaging));
  assert.equal(spots.length, 3);
  for (const [n, x, y] of [
    [0, 400, 300],
    [1, 550, 40],
    [2, 100, 100],
  ])
    assert(Math.hypot(spots[n].x - x, spots[n].y - y) < 8);
});

test("an image without uncertainty has no spots", () => {
  assert.deepEqual(uncertainSpots(new Pyramid(new Uint8Array(10000), 100, 100, averaging)), []);
});
