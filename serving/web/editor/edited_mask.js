/** A mask under edit: changes are tried on it, then kept as one step or put back. */

/** @import {Point, Rect, SavedHistory, Selection} from "./types.js" */

import { History } from "./history.js";
import { snapped, strokeRows } from "./raster.js";
import { clip } from "./rect.js";
import { Touched } from "./touched.js";

export const IGNORE = 255;

export class EditedMask {
  /** @type {Uint8Array} the mask as after the last kept step */
  #kept;
  /** @type {Touched | null} what was tried since */
  #tried = null;
  #open;

  /**
   * @param {Uint8Array} mask class indices, shape (height, width), 255 = ignore; copied
   * @param {number} width
   * @param {number} height
   * @param {SavedHistory | null} [saved]
   * @param {Uint8Array | null} [open] one byte a pixel: 1 where it may be changed; null: everywhere
   */
  constructor(mask, width, height, saved, open = null) {
    this.#open = open;
    this.width = width;
    this.height = height;
    this.mask = mask.slice();
    this.#kept = mask.slice();
    this.history = new History(saved);
  }

  /**
   * Try one segment of a brush stroke.
   * @param {Point} from
   * @param {Point} to
   * @param {number} radius half a whole number
   * @param {number} value class index
   * @param {Uint8Array} writable 256 flags: 1 for the classes that may be overwritten
   * @param {((i: number) => boolean) | null} [where] only where this holds of a pixel's index
   * @returns {Rect | null} where the mask may have changed
   */
  stroke(from, to, radius, value, writable, where = null) {
    const { mask, width } = this;
    const open = this.#open;
    const free = !where && !open && writable.every(Boolean);
    const tried = this.#touched();
    return strokeRows(
      width,
      this.height,
      snapped(from, radius),
      snapped(to, radius),
      radius,
      (y, first, end) => {
        tried.add(y, first, end);
        if (free) mask.fill(value, y * width + first, y * width + end);
        else
          for (let i = y * width + first; i < y * width + end; i++)
            if ((!open || open[i]) && writable[mask[i]] && (!where || where(i))) mask[i] = value;
      },
    );
  }

  /**
   * Try a class on selected pixels.
   * @param {Selection | null} selection
   * @param {number} value class index
   * @param {Uint8Array} writable 256 flags: 1 for the classes that may be overwritten
   * @returns {Rect | null} where the mask may have changed
   */
  select(selection, value, writable) {
    if (!selection) return null;
    const { rect, inside } = selection;
    const { mask, width } = this;
    const open = this.#open;
    let j = 0;
    const tried = this.#touched();
    for (let y = rect.top; y < rect.bottom; y++) {
      tried.add(y, rect.left, rect.right);
      for (let i = y * width + rect.left; i < y * width + rect.right; i++, j++)
        if (inside[j] && (!open || open[i]) && writable[mask[i]]) mask[i] = value;
    }
    return rect;
  }

  /**
   * Put back what was tried.
   * @returns {Rect | null} where
   */
  restore() {
    const tried = this.#tried;
    this.#tried = null;
    tried?.copy(this.#kept, this.mask, this.width);
    return tried && clip(tried.rect, this.width, this.height);
  }

  /**
   * Keep what was tried as one step.
   * @returns {boolean} whether anything had changed
   */
  keep() {
    const tried = this.#tried;
    this.#tried = null;
    if (!tried || !this.history.record(this.#kept, this.mask, this.width, tried)) return false;
    tried.copy(this.mask, this.#kept, this.width);
    return true;
  }

  /** @returns {Rect | null} where the mask changed; null if there was nothing to undo */
  undo() {
    return this.#follow(this.history.undo(this.mask, this.width));
  }

  /** @returns {Rect | null} where the mask changed; null if there was nothing to redo */
  redo() {
    return this.#follow(this.history.redo(this.mask, this.width));
  }

  #touched() {
    this.#tried ??= new Touched(this.width, this.height);
    return this.#tried;
  }

  /** @param {Rect | null} rect */
  #follow(rect) {
    if (rect) copyRect(this.mask, this.#kept, this.width, rect);
    return rect;
  }
}

/**
 * Which classes may be overwritten.
 * @param {number | null} current with other classes protected: the class painted, or the one erased; else null
 * @param {boolean} erasing
 * @returns {Uint8Array} 256 flags
 */
export function writableClasses(current, erasing) {
  const writable = new Uint8Array(256);
  if (current === null) return writable.fill(1);
  writable[current] = 1;
  if (!erasing) writable[0] = 1;
  return writable;
}

/**
 * @param {Uint8Array} source
 * @param {Uint8Array} target
 * @param {number} width
 * @param {Rect} rect
 */
function copyRect(source, target, width, { left, top, right, bottom }) {
  for (let y = top; y < bottom; y++)
    target.set(source.subarray(y * width + left, y * width + right), y * width + left);
}
