/** Selections by value. */

/** @import {Selection} from "./types.js" */

/**
 * The pixels joined to a seed, side by side (4-connected), by values like its own.
 * @param {Uint16Array} pixels shape (height, width)
 * @param {number} width
 * @param {number} height
 * @param {number} x of the seed
 * @param {number} y
 * @param {number} tolerance greatest difference from the seed's value
 * @returns {Selection}
 */
export function flood(pixels, width, height, x, y, tolerance) {
  const low = pixels[y * width + x] - tolerance;
  const high = pixels[y * width + x] + tolerance;
  const marks = new Uint8Array(width * height);
  const rect = { left: x, top: y, right: x + 1, bottom: y + 1 };

  /** @param {number} i */
  const open = (i) => marks[i] === 0 && pixels[i] >= low && pixels[i] <= high;
  const seeds = [y * width + x];
  for (let seed = seeds.pop(); seed !== undefined; seed = seeds.pop()) {
    if (!open(seed)) continue;
    const row = seed - (seed % width);
    let first = seed;
    let end = seed + 1;
    while (first > row && open(first - 1)) first--;
    while (end < row + width && open(end)) end++;
    marks.fill(1, first, end);
    rect.left = Math.min(rect.left, first - row);
    rect.right = Math.max(rect.right, end - row);
    rect.top = Math.min(rect.top, row / width);
    rect.bottom = Math.max(rect.bottom, row / width + 1);
    for (const shift of [-width, width]) {
      if (row + shift < 0 || row + shift >= width * height) continue;
      for (let i = first + shift; i < end + shift; i++)
        if (open(i) && (i === first + shift || !open(i - 1))) seeds.push(i);
    }
  }
  return cropped(marks, width, rect);
}

/**
 * Of a selection the pixels on one side of a threshold.
 * @param {Selection} selection
 * @param {Uint16Array} pixels shape (height, width)
 * @param {number} width
 * @param {number} threshold 16-bit value
 * @param {boolean} brighter those above it, or else those not above it
 * @returns {Selection}
 */
export function thresholded({ rect, inside }, pixels, width, threshold, brighter) {
  const values = within(pixels, width, rect);
  return { rect, inside: inside.map((one, i) => one & +(values[i] > threshold === brighter)) };
}

/**
 * The values in a rectangle, row by row.
 * @param {Uint16Array} pixels shape (height, width)
 * @param {number} width
 * @param {import("./types.js").Rect} rect
 * @returns {Uint16Array}
 */
export function within(pixels, width, { left, top, right, bottom }) {
  const values = new Uint16Array((right - left) * (bottom - top));
  for (let y = top; y < bottom; y++)
    values.set(pixels.subarray(y * width + left, y * width + right), (y - top) * (right - left));
  return values;
}

/**
 * @param {Uint8Array} marks shape (height, width)
 * @param {number} width
 * @param {import("./types.js").Rect} rect
 * @returns {Selection}
 */
function cropped(marks, width, rect) {
  const { left, top, right, bottom } = rect;
  const inside = new Uint8Array((right - left) * (bottom - top));
  for (let y = top; y < bottom; y++)
    inside.set(marks.subarray(y * width + left, y * width + right), (y - top) * (right - left));
  return { rect, inside };
}
