import assert from "node:assert/strict";
import { test } from "node:test";
import { averaging, mostFrequent, Pyramid, voting } from "../../serving/web/editor/pyramid.js";
import { blobs, random } from "./random.js";

test("after a change in a rectangle all levels are as if made anew", () => {
  const next = random(7);
  for (const [width, height] of [
    [513, 300],
    [256, 256],
    [129, 701],
  ]) {
    const mask = blobs(width, height, [0, 1, 2, 255], next);
    const pyramid = new Pyramid(mask, width, height, voting);
    for (let trial = 0; trial < 20; trial++) {
      const left = Math.floor(next() * width);
      const top = Math.floor(next() * height);
      const right = left + 1 + Math.floor(next() * (width - left));
      const bottom = top + 1 + Math.floor(next() * (height - top));
      for (let y = top; y < bottom; y++) mask.fill(trial % 4, y * width + left, y * width + right);
      pyramid.update({ left, top, right, bottom });
    }
    assert.deepEqual(pyramid.levels, new Pyramid(mask, width, height, voting).levels);
  }
});

test("a half-size image has the means of two by two pixels; the last odd row counts twice", () => {
  const data = new Uint16Array(66 * 65).map((_, i) => (i * 977) % 65536);
  const { levels } = new Pyramid(data, 66, 65, averaging);
  assert.deepEqual([levels[1].width, levels[1].height], [33, 33]);
  const mean = (data[0] + data[1] + data[66] + data[67]) / 4;
  assert.equal(levels[1].data[0], Math.floor(mean + 0.5));
  assert.equal(levels[1].data[32 * 33], Math.floor((data[64 * 66] + data[64 * 66 + 1]) / 2 + 0.5));
});

test("the most frequent of four classes wins; of equals one that is not background", () => {
  const classes = [0, 1, 2, 3];
  for (const a of classes)
    for (const b of classes)
      for (const c of classes)
        for (const d of classes) {
          const four = [a, b, c, d];
          const votes = classes.map((value) => four.filter((one) => one === value).length);
          const won = mostFrequent(a, b, c, d);
          assert.equal(votes[won], Math.max(...votes));
          if (won === 0) assert(votes.slice(1).every((count) => count < votes[0]));
        }
});
