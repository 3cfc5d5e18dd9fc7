/** Live-wire: the path between two pixels that keeps to the strongest edges (Mortensen and Barrett 1995). */

/** @import {Point, Rect} from "./types.js" */

import { clip } from "./rect.js";

/** Image pixels around anchor and cursor in which a path may run. */
const MARGIN = 24;
/** Farther apart than this the path is a straight line: a wider window would not follow the pointer. */
export const REACH = 512;

const STRAIGHT = 5;
const DIAGONAL = 7;
/** The dearest pixel; the cheapest costs 1, so that of equal edges the shorter wins. */
const DEAREST = 64;
const BUCKETS = 512;

/**
 * What it costs to go through each pixel of a window: little where the image changes most (Sobel).
 * @param {Uint16Array} pixels shape (height, width)
 * @param {number} width
 * @param {number} height
 * @param {Rect} window
 * @returns {Uint8Array} 1..64, row by row
 */
export function edgeCosts(pixels, width, height, { left, top, right, bottom }) {
  const across = right - left;
  const slopes = new Float64Array(across * (bottom - top));
  let steepest = 0;
  for (let y = top; y < bottom; y++) {
    const [above, here, below] = [Math.max(0, y - 1), y, Math.min(height - 1, y + 1)].map(
      (row) => row * width,
    );
    for (let x = left; x < right; x++) {
      const before = Math.max(0, x - 1);
      const after = Math.min(width - 1, x + 1);
      const dx =
        pixels[above + after] -
        pixels[above + before] +
        2 * (pixels[here + after] - pixels[here + before]) +
        pixels[below + after] -
        pixels[below + before];
      const dy =
        pixels[below + before] -
        pixels[above + before] +
        2 * (pixels[below + x] - pixels[above + x]) +
        pixels[below + after] -
        pixels[above + after];
      const slope = Math.hypot(dx, dy);
      slopes[(y - top) * across + x - left] = slope;
      steepest = Math.max(steepest, slope);
    }
  }
  const share = steepest > 0 ? (DEAREST - 1) / steepest : 0;
  return Uint8Array.from(slopes, (slope) => DEAREST - Math.round(slope * share));
}

/**
 * The cheapest path through a grid, each step to one of eight neighbours at the cost of the pixel entered,
 * 5 times along rows and columns, 7 times across (Dijkstra 1959; buckets after Dial 1969).
 * @param {Uint8Array} costs shape (height, width), 1..64
 * @param {number} width
 * @param {number} height
 * @param {number} from index
 * @param {number} to index
 * @returns {{path: number[], cost: number}} indices, both ends included
 */
export function cheapestPath(costs, width, height, from, to) {
  const totals = new Uint32Array(width * height).fill(0xffffffff);
  const origins = new Int32Array(width * height).fill(-1);
  /** @type {number[][]} */
  const buckets = Array.from({ length: BUCKETS }, () => []);
  totals[from] = 0;
  buckets[0].push(from);
  for (let total = 0; totals[to] > total; total++) {
    const bucket = buckets[total % BUCKETS];
    for (let i = bucket.pop(); i !== undefined; i = bucket.pop()) {
      if (totals[i] !== total) continue;
      const x = i % width;
      const y = (i - x) / width;
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          const j = v * width + u;
          const reached = total + costs[j] * (u === x || v === y ? STRAIGHT : DIAGONAL);
          if (reached >= totals[j]) continue;
          totals[j] = reached;
          origins[j] = i;
          buckets[reached % BUCKETS].push(j);
        }
    }
  }
  const path = [];
  for (let i = to; i >= 0; i = origins[i]) path.push(i);
  return { path: path.reverse(), cost: totals[to] };
}

/**
 * The edge between two points of an image.
 * @param {Uint16Array} pixels shape (height, width)
 * @param {number} width
 * @param {number} height
 * @param {Point} from
 * @param {Point} to
 * @returns {Point[]} pixel centres
 */
export function livewire(pixels, width, height, from, to) {
  const [a, b] = [from, to].map(({ x, y }) => ({
    x: Math.min(width - 1, Math.max(0, Math.floor(x))),
    y: Math.min(height - 1, Math.max(0, Math.floor(y))),
  }));
  if (Math.max(Math.abs(a.x - b.x), Math.abs(a.y - b.y)) > REACH)
    return [a, b].map(({ x, y }) => ({ x: x + 0.5, y: y + 0.5 }));
  const window = /** @type {Rect} */ (
    clip(
      {
        left: Math.min(a.x, b.x) - MARGIN,
        top: Math.min(a.y, b.y) - MARGIN,
        right: Math.max(a.x, b.x) + MARGIN + 1,
        bottom: Math.max(a.y, b.y) + MARGIN + 1,
      },
      width,
      height,
    )
  );
  const across = window.right - window.left;
  const [start, end] = [a, b].map(({ x, y }) => (y - window.top) * across + x - window.left);
  const costs = edgeCosts(pixels, width, height, window);
  return cheapestPath(costs, across, window.bottom - window.top, start, end).path.map((i) => ({
    x: window.left + (i % across) + 0.5,
    y: window.top + Math.floor(i / across) + 0.5,
  }));
}
