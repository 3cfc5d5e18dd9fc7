/** Where to look next: the places of highest uncertainty. */

/** @import {Pyramid} from "./pyramid.js" */
/** @import {Point} from "./types.js" */

/** A spot is looked for in an image of at most this side, so that single noisy pixels do not count. */
const SIDE = 256;
/** Spots are at least this share of the image's longer side apart: one view shows all that is nearer. */
const APART = 1 / 16;
const MOST = 50;

/**
 * Local maxima of uncertainty, the highest first.
 * @param {Pyramid} uncertainty
 * @returns {Point[]} image positions
 */
export function uncertainSpots({ levels }) {
  const n = levels.findIndex(({ width, height }) => Math.max(width, height) <= SIDE);
  const { data, width, height } = levels[n];
  /** @type {{x: number, y: number, value: number}[]} */
  const maxima = [];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const value = data[y * width + x];
      if (value > 0 && isHighest(data, width, height, x, y)) maxima.push({ x, y, value });
    }
  maxima.sort((a, b) => b.value - a.value);
  const apart = APART * Math.max(width, height);
  /** @type {Point[]} */
  const spots = [];
  for (const { x, y } of maxima)
    if (spots.length < MOST && spots.every((spot) => Math.hypot(spot.x - x, spot.y - y) >= apart))
      spots.push({ x, y });
  return spots.map(({ x, y }) => ({ x: (x + 0.5) * 2 ** n, y: (y + 0.5) * 2 ** n }));
}

/**
 * @param {Uint8Array | Uint16Array} data
 * @param {number} width
 * @param {number} height
 * @param {number} x
 * @param {number} y
 */
function isHighest(data, width, height, x, y) {
  for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++)
    for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++)
      if (data[v * width + u] > data[y * width + x]) return false;
  return true;
}
