/** Where pixels may differ: a span of each row. A stroke across a large image touches little of its rectangle. */

/** @import {Rect} from "./types.js" */

export class Touched {
  /** @type {Rect} around all of it; empty to begin with */
  rect;
  /** First touched pixel of each row, and the one after the last. */
  firsts;
  ends;

  /**
   * @param {number} width of the image
   * @param {number} height
   */
  constructor(width, height) {
    this.rect = { left: width, top: height, right: 0, bottom: 0 };
    this.firsts = new Int32Array(height).fill(width);
    this.ends = new Int32Array(height);
  }

  /**
   * Pixels first..end-1 of a row may differ.
   * @param {number} y
   * @param {number} first
   * @param {number} end
   */
  add(y, first, end) {
    const { rect, firsts, ends } = this;
    firsts[y] = Math.min(firsts[y], first);
    ends[y] = Math.max(ends[y], end);
    rect.left = Math.min(rect.left, first);
    rect.right = Math.max(rect.right, end);
    rect.top = Math.min(rect.top, y);
    rect.bottom = Math.max(rect.bottom, y + 1);
  }

  /**
   * Copy what is touched from one mask to another.
   * @param {Uint8Array} source
   * @param {Uint8Array} target
   * @param {number} width
   */
  copy(source, target, width) {
    for (let y = this.rect.top; y < this.rect.bottom; y++) {
      const start = y * width + this.firsts[y];
      if (this.firsts[y] < this.ends[y]) target.set(source.subarray(start, y * width + this.ends[y]), start);
    }
  }
}
