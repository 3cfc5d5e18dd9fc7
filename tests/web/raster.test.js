import assert from "node:assert/strict";
import { test } from "node:test";
import { polygonSelection, snapped, strokeRows } from "../../serving/web/editor/raster.js";
import { random } from "./random.js";

/** @import {Point} from "../../serving/web/editor/types.js" */

const WIDTH = 61;
const HEIGHT = 47;

/**
 * @param {Point} p
 * @param {Point} a
 * @param {Point} b
 */
function distanceToSegment(p, a, b) {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const length2 = dx * dx + dy * dy;
  const t = length2 === 0 ? 0 : Math.min(1, Math.max(0, ((p.x - a.x) * dx + (p.y - a.y) * dy) / length2));
  return Math.hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

/**
 * @param {Point} from
 * @param {Point} to
 * @param {number} radius
 */
function painted(from, to, radius) {
  const pixels = new Uint8Array(WIDTH * HEIGHT);
  const rect = strokeRows(WIDTH, HEIGHT, from, to, radius, (y, first, end) => {
    assert(first >= 0 && end <= WIDTH && y >= 0 && y < HEIGHT);
    pixels.fill(1, y * WIDTH + first, y * WIDTH + end);
  });
  return { pixels, rect };
}

test("a stroke has the pixels whose centres are no farther than its radius, and no others", () => {
  const next = random(1);
  for (let trial = 0; trial < 300; trial++) {
    const radius = Math.ceil(next() * 40) / 2;
    const somewhere = () =>
      snapped({ x: next() * (WIDTH + 20) - 10, y: next() * (HEIGHT + 20) - 10 }, radius);
    const from = somewhere();
    const to = trial % 5 === 0 ? from : somewhere();
    const { pixels, rect } = painted(from, to, radius);
    for (let y = 0; y < HEIGHT; y++)
      for (let x = 0; x < WIDTH; x++) {
        const distance = distanceToSegment({ x: x + 0.5, y: y + 0.5 }, from, to);
        if (Math.abs(distance - radius) < 1e-9 && from !== to) continue; // rounding decides on the very edge
        assert.equal(pixels[y * WIDTH + x], Number(distance <= radius), `${x} ${y} of stroke ${trial}`);
        if (distance <= radius) {
          assert(rect && x >= rect.left && x < rect.right && y >= rect.top && y < rect.bottom);
        }
      }
  }
});

test("a brush of diameter n is n pixels across wherever it is put down", () => {
  for (let diameter = 1; diameter <= 40; diameter++)
    for (const x of [20.01, 20.4, 20.5, 20.99]) {
      const at = snapped({ x, y: 20.3 }, diameter / 2);
      const { pixels } = painted(at, at, diameter / 2);
      const across = new Set([...pixels.keys()].filter((i) => pixels[i]).map((i) => i % WIDTH));
      assert.equal(across.size, diameter);
    }
});

test("a stroke of one pixel has no gaps", () => {
  const next = random(2);
  for (let trial = 0; trial < 100; trial++) {
    const [from, to] = [0, 1].map(() => snapped({ x: next() * WIDTH, y: next() * HEIGHT }, 0.5));
    const { pixels } = painted(from, to, 0.5);
    const steps = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y));
    assert(pixels.reduce((sum, value) => sum + value, 0) >= steps + 1);
  }
});

test("a stroke outside the image changes nothing", () => {
  assert.equal(painted({ x: -30, y: 5 }, { x: -20, y: 9 }, 8).rect, null);
});

test("a polygon has the pixels whose centres an odd number of its sides lies left of", () => {
  const next = random(3);
  for (let trial = 0; trial < 100; trial++) {
    const corners = Array.from({ length: 3 + Math.floor(next() * 9) }, () => ({
      x: trial % 2 ? Math.round(next() * 60) : next() * 90 - 15,
      y: trial % 2 ? Math.round(next() * 46) : next() * 70 - 10,
    }));
    const selection = polygonSelection(WIDTH, HEIGHT, corners);
    for (let y = 0; y < HEIGHT; y++)
      for (let x = 0; x < WIDTH; x++) {
        let odd = false;
        corners.forEach((b, i) => {
          const a = corners[(i + corners.length - 1) % corners.length];
          if (a.y <= y + 0.5 === b.y <= y + 0.5) return;
          if (a.x + ((y + 0.5 - a.y) * (b.x - a.x)) / (b.y - a.y) <= x + 0.5) odd = !odd;
        });
        assert.equal(isIn(selection, x, y), odd, `${x} ${y} of polygon ${trial}`);
      }
  }
});

/**
 * @param {import("../../serving/web/editor/types.js").Selection | null} selection
 * @param {number} x
 * @param {number} y
 */
function isIn(selection, x, y) {
  if (!selection) return false;
  const { left, top, right, bottom } = selection.rect;
  if (x < left || x >= right || y < top || y >= bottom) return false;
  return selection.inside[(y - top) * (right - left) + x - left] === 1;
}
