/**
 * Undo and redo of mask changes.
 *
 * A step keeps the pixels it changed, as runs through its rectangle, row by row. A run is a number of
 * unchanged pixels, a number of pixels changed alike (both as base-128 numbers, low digits first), the class
 * before and the class after.
 */

/** @import {Touched} from "./touched.js" */
/** @import {Rect, SavedHistory, SavedStep} from "./types.js" */

export const MAX_STEPS = 100;
export const MAX_BYTES = 64 * 2 ** 20;

export class History {
  /** @type {SavedStep[]} */
  #steps = [];
  #position = 0;

  /** @param {SavedHistory | null} [saved] */
  constructor(saved) {
    if (!saved) return;
    this.#steps = [...saved.steps];
    this.#position = saved.position;
  }

  get canUndo() {
    return this.#position > 0;
  }

  get canRedo() {
    return this.#position < this.#steps.length;
  }

  /** @returns {object | null} the last step done, to know it again */
  get latest() {
    return this.#steps[this.#position - 1] ?? null;
  }

  /** Bytes that all steps take together. */
  get bytes() {
    return this.#steps.reduce((sum, step) => sum + step.runs.length, 0);
  }

  /** How many steps are done; it grows by one with each step until the oldest are given up. */
  get position() {
    return this.#position;
  }

  /**
   * Note a change as one step; what was undone before can no longer be redone.
   * @param {Uint8Array} before the mask, shape (height, width)
   * @param {Uint8Array} after
   * @param {number} width
   * @param {Touched} touched all that differs
   * @returns {Rect | null} the smallest rectangle around the changed pixels; null, and no step, if none differs
   */
  record(before, after, width, touched) {
    const changed = changedRect(before, after, width, touched);
    if (!changed) return null;
    this.#steps.length = this.#position;
    this.#steps.push({ rect: changed, runs: encode(before, after, width, changed, touched) });
    let bytes = this.bytes;
    let dropped = 0;
    while (this.#steps.length - dropped > MAX_STEPS || (bytes > MAX_BYTES && dropped < this.#steps.length)) {
      bytes -= this.#steps[dropped].runs.length;
      dropped += 1;
    }
    this.#steps.splice(0, dropped);
    this.#position = this.#steps.length;
    return changed;
  }

  /**
   * Take the last step back.
   * @param {Uint8Array} mask changed in place
   * @param {number} width
   * @returns {Rect | null} where it changed; null if there is nothing to undo
   */
  undo(mask, width) {
    if (!this.canUndo) return null;
    this.#position -= 1;
    return replay(this.#steps[this.#position], mask, width, false);
  }

  /**
   * Do a step again that was taken back.
   * @param {Uint8Array} mask changed in place
   * @param {number} width
   * @returns {Rect | null} where it changed; null if there is nothing to redo
   */
  redo(mask, width) {
    if (!this.canRedo) return null;
    this.#position += 1;
    return replay(this.#steps[this.#position - 1], mask, width, true);
  }

  /** @returns {SavedHistory} what the constructor takes */
  save() {
    return { steps: [...this.#steps], position: this.#position };
  }
}

/**
 * @param {Uint8Array} before
 * @param {Uint8Array} after
 * @param {number} width
 * @param {Touched} touched
 * @returns {Rect | null}
 */
function changedRect(before, after, width, { rect, firsts, ends }) {
  let left = width;
  let right = 0;
  let top = rect.bottom;
  let bottom = rect.top;
  for (let y = rect.top; y < rect.bottom; y++) {
    const row = y * width;
    let first = firsts[y];
    while (first < ends[y] && before[row + first] === after[row + first]) first++;
    if (first >= ends[y]) continue;
    let last = ends[y] - 1;
    while (before[row + last] === after[row + last]) last--;
    left = Math.min(left, first);
    right = Math.max(right, last + 1);
    top = Math.min(top, y);
    bottom = y + 1;
  }
  return top < bottom ? { left, top, right, bottom } : null;
}

/**
 * @param {Uint8Array} before
 * @param {Uint8Array} after
 * @param {number} width
 * @param {Rect} rect
 * @param {Touched} touched
 */
function encode(before, after, width, rect, { firsts, ends }) {
  let runs = new Uint8Array(1024);
  let used = 0;
  let skipped = 0;
  let length = 0;
  let was = 0;
  let is = 0;

  /** @param {number} value */
  const number = (value) => {
    for (; value > 127; value >>>= 7) runs[used++] = (value & 127) | 128;
    runs[used++] = value;
  };
  const finish = () => {
    if (length === 0) return;
    if (used + 12 > runs.length) {
      const larger = new Uint8Array(2 * runs.length);
      larger.set(runs);
      runs = larger;
    }
    number(skipped);
    number(length);
    runs[used++] = was;
    runs[used++] = is;
    skipped = length = 0;
  };

  /** @param {number} pixels */
  const skip = (pixels) => {
    if (pixels > 0) finish();
    skipped += pixels;
  };
  const change = (/** @type {number} */ pixels, /** @type {number} */ from, /** @type {number} */ to) => {
    if (from !== was || to !== is) finish();
    was = from;
    is = to;
    length += pixels;
  };

  for (let y = rect.top; y < rect.bottom; y++) {
    const first = Math.min(rect.right, Math.max(rect.left, firsts[y]));
    const end = Math.max(first, Math.min(rect.right, ends[y]));
    const stop = y * width + end;
    skip(first - rect.left);
    for (let i = y * width + first; i < stop; ) {
      let j = i;
      while (j < stop && before[j] === after[j]) j++;
      skip(j - i);
      i = j;
      const [from, to] = [before[i], after[i]];
      while (j < stop && before[j] === from && after[j] === to) j++;
      change(j - i, from, to);
      i = j;
    }
    skip(rect.right - end);
  }
  finish();
  return runs.slice(0, used);
}

/**
 * @param {SavedStep} step
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {boolean} forward
 */
function replay({ rect, runs }, mask, width, forward) {
  const across = rect.right - rect.left;
  let at = 0;
  let place = 0;
  const number = () => {
    let value = 0;
    let shift = 0;
    while (runs[at] > 127) {
      value |= (runs[at++] & 127) << shift;
      shift += 7;
    }
    return value | (runs[at++] << shift);
  };
  while (at < runs.length) {
    place += number();
    let length = number();
    const value = runs[forward ? at + 1 : at];
    at += 2;
    while (length > 0) {
      const x = place % across;
      const part = Math.min(length, across - x);
      const start = (rect.top + (place - x) / across) * width + rect.left + x;
      mask.fill(value, start, start + part);
      place += part;
      length -= part;
    }
  }
  return rect;
}
