import assert from "node:assert/strict";
import { test } from "node:test";
import { holes, innerRim, outerRim, specks } from "../../serving/web/editor/morphology.js";
import { blobs, random } from "./random.js";
import { whole } from "./selections.js";

const WIDTH = 47;
const HEIGHT = 39;
const SIDES = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
];
const CORNERS = [
  [1, 1],
  [-1, 1],
  [1, -1],
  [-1, -1],
];

function* masks() {
  const next = random(11);
  for (let n = 0; n < 30; n++) yield blobs(WIDTH, HEIGHT, [0, 1, 1, 2, 255], next);
}

/**
 * @param {number} i
 * @param {number[][]} steps
 */
function neighbours(i, steps) {
  return steps
    .map(([dx, dy]) => [(i % WIDTH) + dx, Math.floor(i / WIDTH) + dy])
    .filter(([x, y]) => x >= 0 && y >= 0 && x < WIDTH && y < HEIGHT)
    .map(([x, y]) => y * WIDTH + x);
}

/**
 * The regions of some classes, each grown pixel by pixel.
 * @param {Uint8Array} mask
 * @param {(value: number) => boolean} belongs
 * @param {number[][]} steps
 */
function regionsOf(mask, belongs, steps) {
  const seen = new Set();
  const regions = [];
  for (const [i, value] of mask.entries()) {
    if (!belongs(value) || seen.has(i)) continue;
    const region = new Set([i]);
    for (const one of region) for (const j of neighbours(one, steps)) if (belongs(mask[j])) region.add(j);
    for (const one of region) seen.add(one);
    regions.push([...region]);
  }
  return regions;
}

/** @param {number} i */
function atEdge(i) {
  return i % WIDTH === 0 || i % WIDTH === WIDTH - 1 || i < WIDTH || i >= WIDTH * (HEIGHT - 1);
}

test("holes are what cannot reach the edge by sides, without what is to be ignored", () => {
  for (const mask of masks()) {
    const expected = new Uint8Array(mask.length);
    for (const region of regionsOf(mask, (one) => one !== 1, SIDES))
      if (!region.some(atEdge)) for (const i of region) expected[i] = +(mask[i] !== 255);
    assert.deepEqual(whole(holes(mask, WIDTH, HEIGHT, 1), WIDTH, HEIGHT), expected);
  }
});

test("specks are regions, joined by corners too, of fewer pixels than asked", () => {
  for (const mask of masks()) {
    const expected = new Uint8Array(mask.length);
    for (const region of regionsOf(mask, (one) => one === 1, [...SIDES, ...CORNERS]))
      if (region.length < 25) for (const i of region) expected[i] = 1;
    assert.deepEqual(whole(specks(mask, WIDTH, HEIGHT, 1, 25), WIDTH, HEIGHT), expected);
  }
});

test("growing takes the pixels beside the class, shrinking those of it beside another", () => {
  for (const mask of masks()) {
    const beside = (/** @type {number} */ i, /** @type {(value: number) => boolean} */ is) =>
      neighbours(i, SIDES).some((j) => is(mask[j]));
    assert.deepEqual(
      whole(outerRim(mask, WIDTH, HEIGHT, 1), WIDTH, HEIGHT),
      mask.map((value, i) => +(value !== 1 && value !== 255 && beside(i, (one) => one === 1))),
    );
    assert.deepEqual(
      whole(innerRim(mask, WIDTH, HEIGHT, 1), WIDTH, HEIGHT),
      mask.map((value, i) => +(value === 1 && beside(i, (one) => one !== 1 && one !== 255))),
    );
  }
});
