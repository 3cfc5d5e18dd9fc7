import assert from "node:assert/strict";
import { test } from "node:test";
import {
  edgeOf,
  Grid,
  MOST_CHIPS,
  permittedEdges,
  SLIDER_STEPS,
  sliderOf,
} from "../../serving/web/fewshot/grid.js";
import { random } from "./random.js";

const IMAGE = { height: 70, width: 100 };

test("chips are whole, in raster order, and the margins belong to none", () => {
  const grid = new Grid(IMAGE, { edge: 20, top: 5, left: 3 });
  assert.deepEqual([grid.rows, grid.columns, grid.nChips], [3, 4, 12]);
  assert.deepEqual(grid.rect(5), { left: 23, top: 25, right: 43, bottom: 45 });
  assert.equal(grid.chipAt({ x: 23, y: 25 }), 5);
  assert.equal(grid.chipAt({ x: 42.9, y: 44.9 }), 5);
  assert.equal(grid.chipAt({ x: 2.9, y: 30 }), null);
  assert.equal(grid.chipAt({ x: 83, y: 30 }), null);
  for (let chip = 0; chip < grid.nChips; chip++) {
    const { left, top } = grid.rect(chip);
    assert.equal(grid.chipAt({ x: left, y: top }), chip);
  }
});

test("a rubber band takes every chip that it meets, whichever way it was drawn", () => {
  const next = random(3);
  const grid = new Grid(IMAGE, { edge: 7, top: 2, left: 4 });
  for (let n = 0; n < 100; n++) {
    const [a, b] = [0, 1].map(() => ({ x: next() * 120 - 10, y: next() * 90 - 10 }));
    if (!a || !b) continue;
    const [left, right] = [Math.min(a.x, b.x), Math.max(a.x, b.x)];
    const [top, bottom] = [Math.min(a.y, b.y), Math.max(a.y, b.y)];
    const expected = Array.from({ length: grid.nChips }, (_, chip) => chip).filter((chip) => {
      const rect = grid.rect(chip);
      return rect.left <= right && rect.right > left && rect.top <= bottom && rect.bottom > top;
    });
    for (const block of [grid.block(a, b), grid.block(b, a)])
      assert.deepEqual(block ? grid.chipsOf(block) : [], expected);
  }
});

test("a grid that is dragged has an offset of less than an edge, and one chip at least", () => {
  const grid = new Grid(IMAGE, { edge: 20, top: 0, left: 0 });
  assert.deepEqual(grid.movedTo(-3, 27).place, { edge: 20, top: 17, left: 7 });
  assert.deepEqual(new Grid(IMAGE, { edge: 60, top: 0, left: 0 }).movedTo(55, 45).place, {
    edge: 60,
    top: 10,
    left: 40,
  });
  assert.deepEqual(new Grid(IMAGE, { edge: 20, top: 19, left: 19 }).resized(70).place, {
    edge: 70,
    top: 0,
    left: 19,
  });
});

test("edges go from the least with which the chips are not too many up to the image's shorter side", () => {
  assert.deepEqual(permittedEdges(IMAGE), [1, 70]);
  const [low, high] = permittedEdges({ height: 4096, width: 4096 });
  assert.equal(high, 4096);
  assert(Math.floor(4096 / low) ** 2 <= MOST_CHIPS && Math.floor(4096 / (low - 1)) ** 2 > MOST_CHIPS);
});

test("the slider reaches both ends, and comes back to each edge within its step", () => {
  const range = permittedEdges({ height: 2970, width: 2970 });
  assert.equal(edgeOf(0, range), range[0]);
  assert.equal(edgeOf(SLIDER_STEPS, range), 2970);
  for (const edge of [14, 18, 50, 99, 512, 2970]) {
    const back = edgeOf(sliderOf(edge, range), range);
    assert.equal(back, edge);
  }
  assert.equal(sliderOf(5, [5, 5]), 0);
});
