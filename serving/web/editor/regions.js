/** The parts of an image that are to be labelled; all else in it is locked. */

/** @import {Point, Rect} from "./types.js" */

export class Regions {
  #now = 0;

  /**
   * @param {Rect[]} rects at least one, within the image
   * @param {number} width of the image
   * @param {number} height
   */
  constructor(rects, width, height) {
    this.rects = rects;
    /** One byte a pixel: 1 where it may be changed. */
    this.open = new Uint8Array(width * height);
    for (const { left, top, right, bottom } of rects)
      for (let y = top; y < bottom; y++) this.open.fill(1, y * width + left, y * width + right);
  }

  /** The region that is looked at, or was last. */
  get current() {
    return this.rects[this.#now];
  }

  /** Which one that is, in words. */
  get words() {
    return `Region ${this.#now + 1} of ${this.rects.length}`;
  }

  /** Go on to the next; after the last comes the first. */
  next() {
    this.#now = (this.#now + 1) % this.rects.length;
  }

  /** @param {Point} point image position */
  has({ x, y }) {
    return this.rects.some(
      ({ left, top, right, bottom }) => x >= left && x < right && y >= top && y < bottom,
    );
  }
}
