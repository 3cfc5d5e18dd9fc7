/** Rectangles of whole pixels: right and bottom are not included. */

/** @import {Rect} from "./types.js" */

/**
 * The smallest rectangle around two; null stands for none.
 * @param {Rect | null} a
 * @param {Rect | null} b
 * @returns {Rect | null}
 */
export function union(a, b) {
  if (!a || !b) return a ?? b;
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

/**
 * What of a rectangle lies in an image; null if nothing does.
 * @param {Rect} rect
 * @param {number} width
 * @param {number} height
 * @returns {Rect | null}
 */
export function clip(rect, width, height) {
  const left = Math.max(0, rect.left);
  const top = Math.max(0, rect.top);
  const right = Math.min(width, rect.right);
  const bottom = Math.min(height, rect.bottom);
  return left < right && top < bottom ? { left, top, right, bottom } : null;
}

/**
 * A rectangle with a rim of some pixels more.
 * @param {Rect} rect
 * @param {number} rim
 * @returns {Rect}
 */
export function grown(rect, rim) {
  return { left: rect.left - rim, top: rect.top - rim, right: rect.right + rim, bottom: rect.bottom + rim };
}
