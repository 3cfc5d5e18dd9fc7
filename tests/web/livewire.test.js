import assert from "node:assert/strict";
import { test } from "node:test";
import { cheapestPath, livewire, REACH } from "../../serving/web/editor/livewire.js";
import { random } from "./random.js";

/**
 * Costs from one pixel to all, by relaxing until nothing changes (Bellman and Ford).
 * @param {Uint8Array} costs
 * @param {number} width
 * @param {number} height
 * @param {number} from
 */
function allTotals(costs, width, height, from) {
  const totals = new Array(width * height).fill(Infinity);
  totals[from] = 0;
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 0; i < totals.length; i++)
      for (let j = 0; j < totals.length; j++) {
        const dx = Math.abs((i % width) - (j % width));
        const dy = Math.abs(Math.floor(i / width) - Math.floor(j / width));
        if (Math.max(dx, dy) !== 1) continue;
        const reached = totals[i] + costs[j] * (dx + dy === 1 ? 5 : 7);
        if (reached < totals[j]) {
          totals[j] = reached;
          changed = true;
        }
      }
  }
  return totals;
}

test("the path found costs no more than any other, and is one of neighbours", () => {
  const next = random(12);
  const [width, height] = [13, 11];
  for (let trial = 0; trial < 20; trial++) {
    const costs = Uint8Array.from({ length: width * height }, () => 1 + Math.floor(next() * 64));
    const from = Math.floor(next() * costs.length);
    const to = Math.floor(next() * costs.length);
    const { path, cost } = cheapestPath(costs, width, height, from, to);
    assert.equal(cost, allTotals(costs, width, height, from)[to]);
    assert.equal(path[0], from);
    assert.equal(path.at(-1), to);
    const walked = path.slice(1).reduce((sum, j, n) => {
      const i = path[n];
      const dx = Math.abs((i % width) - (j % width));
      const dy = Math.abs(Math.floor(i / width) - Math.floor(j / width));
      assert.equal(Math.max(dx, dy), 1);
      return sum + costs[j] * (dx + dy === 1 ? 5 : 7);
    }, 0);
    assert.equal(walked, cost);
  }
});

test("a live-wire follows the edge of a disc", () => {
  const side = 120;
  const pixels = Uint16Array.from({ length: side * side }, (_, i) =>
    Math.hypot((i % side) + 0.5 - 60, Math.floor(i / side) + 0.5 - 60) < 40 ? 50000 : 10000,
  );
  for (const { x, y } of livewire(pixels, side, side, { x: 60, y: 20 }, { x: 100, y: 60 }))
    assert(Math.abs(Math.hypot(x - 60, y - 60) - 40) < 2, `${x} ${y}`);
});

test("beyond its reach a live-wire is a straight line", () => {
  const width = REACH + 50;
  const path = livewire(new Uint16Array(width * 3), width, 3, { x: 0.2, y: 1 }, { x: width - 1, y: 1 });
  assert.deepEqual(path, [
    { x: 0.5, y: 1.5 },
    { x: width - 0.5, y: 1.5 },
  ]);
});
