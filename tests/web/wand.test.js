import assert from "node:assert/strict";
import { test } from "node:test";
import { flood, thresholded } from "../../serving/web/editor/wand.js";
import { blobs, random } from "./random.js";
import { whole } from "./selections.js";

const WIDTH = 53;
const HEIGHT = 41;

test("the wand takes the pixels that a breadth-first search reaches", () => {
  const next = random(9);
  for (let trial = 0; trial < 40; trial++) {
    const pixels = Uint16Array.from(
      blobs(WIDTH, HEIGHT, [10, 20, 30, 40], next),
      (value) => value * 1000 + next() * 9000,
    );
    const x = Math.floor(next() * WIDTH);
    const y = Math.floor(next() * HEIGHT);
    const tolerance = Math.floor(next() * 20000);
    const reached = new Uint8Array(WIDTH * HEIGHT);
    const seed = y * WIDTH + x;
    const queue = [seed];
    reached[seed] = 1;
    for (const i of queue)
      for (const [dx, dy] of [
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
      ]) {
        const u = (i % WIDTH) + dx;
        const v = Math.floor(i / WIDTH) + dy;
        const j = v * WIDTH + u;
        if (u < 0 || v < 0 || u >= WIDTH || v >= HEIGHT || reached[j]) continue;
        if (Math.abs(pixels[j] - pixels[seed]) > tolerance) continue;
        reached[j] = 1;
        queue.push(j);
      }
    const selection = flood(pixels, WIDTH, HEIGHT, x, y, tolerance);
    assert.deepEqual(whole(selection, WIDTH, HEIGHT), reached);
  }
});

test("a threshold parts a selection in brighter pixels and all others", () => {
  const next = random(10);
  const pixels = Uint16Array.from({ length: WIDTH * HEIGHT }, () => next() * 65536);
  const rect = { left: 3, top: 5, right: 30, bottom: 20 };
  const inside = Uint8Array.from({ length: 27 * 15 }, () => +(next() > 0.3));
  const [bright, dark] = [true, false].map((brighter) =>
    whole(thresholded({ rect, inside }, pixels, WIDTH, 30000, brighter), WIDTH, HEIGHT),
  );
  const all = whole({ rect, inside }, WIDTH, HEIGHT);
  assert.deepEqual(
    bright,
    all.map((one, i) => one & +(pixels[i] > 30000)),
  );
  assert.deepEqual(
    dark,
    all.map((one, i) => one & +(pixels[i] <= 30000)),
  );
});
