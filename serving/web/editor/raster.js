/** Brush strokes and polygons as pixels: a pixel is in or out by its centre, so no edge is ever blended. */

/** @import {Point, Rect, Selection} from "./types.js" */

import { clip } from "./rect.js";

/**
 * Where a brush of whole diameter stands: odd ones on a pixel's centre, even ones on a corner, so that a
 * brush has the same shape wherever it is put down, and the smallest always paints one pixel.
 * @param {Point} point
 * @param {number} radius half a whole number
 * @returns {Point}
 */
export function snapped({ x, y }, radius) {
  return (2 * radius) % 2 === 1
    ? { x: Math.floor(x) + 0.5, y: Math.floor(y) + 0.5 }
    : { x: Math.round(x), y: Math.round(y) };
}

/**
 * Visit the rows of pixels whose centres are no farther than the radius from a segment.
 * @param {number} width of the image
 * @param {number} height
 * @param {Point} from
 * @param {Point} to
 * @param {number} radius
 * @param {(y: number, first: number, end: number) => void} visit pixels first..end-1 of row y
 * @returns {Rect | null} around them
 */
export function strokeRows(width, height, from, to, radius, visit) {
  const rect = clip(
    {
      left: Math.ceil(Math.min(from.x, to.x) - radius - 0.5),
      top: Math.ceil(Math.min(from.y, to.y) - radius - 0.5),
      right: Math.floor(Math.max(from.x, to.x) + radius - 0.5) + 1,
      bottom: Math.floor(Math.max(from.y, to.y) + radius - 0.5) + 1,
    },
    width,
    height,
  );
  if (!rect) return null;
  for (let y = rect.top; y < rect.bottom; y++) {
    const [low, high] = capsuleSpan(y + 0.5, from, to, radius);
    const first = Math.max(0, Math.ceil(low - 0.5));
    const end = Math.min(width, Math.floor(high - 0.5) + 1);
    if (first < end) visit(y, first, end);
  }
  return rect;
}

/**
 * Where a row crosses the points no farther than the radius from a segment: one span, for they are convex.
 * @param {number} y
 * @param {Point} from
 * @param {Point} to
 * @param {number} radius
 * @returns {[number, number]} low > high if it does not
 */
function capsuleSpan(y, from, to, radius) {
  let low = Infinity;
  let high = -Infinity;
  for (const end of [from, to]) {
    const rest = radius * radius - (y - end.y) ** 2;
    if (rest < 0) continue;
    low = Math.min(low, end.x - Math.sqrt(rest));
    high = Math.max(high, end.x + Math.sqrt(rest));
  }
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = Math.hypot(dx, dy);
  if (length === 0) return [low, high];
  // Between its ends a stroke is a rectangle: two slabs, one along the segment and one across it.
  const below = y - from.y;
  const [alongLow, alongHigh] = slab(dx, below * dy, 0, length * length);
  const [acrossLow, acrossHigh] = slab(dy, -below * dx, -radius * length, radius * length);
  const left = from.x + Math.max(alongLow, acrossLow);
  const right = from.x + Math.min(alongHigh, acrossHigh);
  return left <= right ? [Math.min(low, left), Math.max(high, right)] : [low, high];
}

/**
 * The x for which least <= slope x + shift <= most.
 * @param {number} slope
 * @param {number} shift
 * @param {number} least
 * @param {number} most
 * @returns {[number, number]}
 */
function slab(slope, shift, least, most) {
  if (slope === 0) return least <= shift && shift <= most ? [-Infinity, Infinity] : [Infinity, -Infinity];
  const a = (least - shift) / slope;
  const b = (most - shift) / slope;
  return a < b ? [a, b] : [b, a];
}

/**
 * The pixels whose centres lie in a closed polygon, by the even-odd rule.
 * @param {number} width of the image
 * @param {number} height
 * @param {Point[]} corners at least three
 * @returns {Selection | null} null if no pixel does
 */
export function polygonSelection(width, height, corners) {
  const xs = corners.map((corner) => corner.x);
  const ys = corners.map((corner) => corner.y);
  const rect = clip(
    {
      left: Math.floor(least(xs)),
      top: Math.floor(least(ys)),
      right: Math.ceil(-least(xs.map((x) => -x))),
      bottom: Math.ceil(-least(ys.map((y) => -y))),
    },
    width,
    height,
  );
  if (!rect) return null;
  const inside = new Uint8Array((rect.right - rect.left) * (rect.bottom - rect.top));
  for (let y = rect.top; y < rect.bottom; y++) {
    const crossings = crossingsOf(corners, y + 0.5);
    const row = (y - rect.top) * (rect.right - rect.left) - rect.left;
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const first = Math.max(rect.left, Math.ceil(crossings[i] - 0.5));
      const end = Math.min(rect.right, Math.ceil(crossings[i + 1] - 0.5));
      if (first < end) inside.fill(1, row + first, row + end);
    }
  }
  return { rect, inside };
}

/** @param {number[]} values a lasso has more of them than Math.min takes arguments */
function least(values) {
  return values.reduce((a, b) => Math.min(a, b));
}

/**
 * Where a row crosses a polygon's sides, from left to right.
 * @param {Point[]} corners
 * @param {number} y
 */
function crossingsOf(corners, y) {
  const crossings = [];
  let a = corners[corners.length - 1];
  for (const b of corners) {
    if (a.y <= y !== b.y <= y) crossings.push(a.x + ((y - a.y) * (b.x - a.x)) / (b.y - a.y));
    a = b;
  }
  return crossings.sort((one, other) => one - other);
}
