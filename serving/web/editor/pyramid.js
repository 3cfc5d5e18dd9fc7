/** An image and its halves, quarters, ... down to a thumbnail: what is drawn when less than half size is shown. */

/** @import {Rect} from "./types.js" */

const SMALLEST = 64;

/**
 * @typedef {Uint8Array | Uint16Array} Plane
 * @typedef {{data: Plane, width: number, height: number}} Level
 * @typedef {(a: number, b: number, c: number, d: number) => number} Reduction one value for four
 */

/** @type {Reduction} */
export const average = (a, b, c, d) => (a + b + c + d + 2) >> 2;

/**
 * The most frequent class of four; of equally frequent ones one that is not background, so that thin things
 * stay in sight.
 * @type {Reduction}
 */
export const mostFrequent = (a, b, c, d) => {
  if (a === b && a === c && a === d) return a;
  let best = a;
  let most = 0;
  for (const value of [a, b, c, d]) {
    const votes = +(value === a) + +(value === b) + +(value === c) + +(value === d);
    const weight = 2 * votes + +(value !== 0);
    if (weight > most) [most, best] = [weight, value];
  }
  return best;
};

export class Pyramid {
  #reduce;

  /**
   * @param {Plane} data shape (height, width); kept, not copied
   * @param {number} width
   * @param {number} height
   * @param {Reduction} reduce
   */
  constructor(data, width, height, reduce) {
    this.#reduce = reduce;
    /** @type {Level[]} the image itself first */
    this.levels = [{ data, width, height }];
    let [across, down] = [width, height];
    while (Math.max(across, down) > SMALLEST) {
      across = Math.ceil(across / 2);
      down = Math.ceil(down / 2);
      const half =
        data instanceof Uint16Array ? new Uint16Array(across * down) : new Uint8Array(across * down);
      this.levels.push({ data: half, width: across, height: down });
    }
    this.update({ left: 0, top: 0, right: width, bottom: height });
  }

  /**
   * Bring the smaller levels up to date after a change of the image.
   * @param {Rect} rect where it changed
   */
  update({ left, top, right, bottom }) {
    for (let n = 1; n < this.levels.length; n++) {
      left >>= 1;
      top >>= 1;
      right = (right + 1) >> 1;
      bottom = (bottom + 1) >> 1;
      halve(this.levels[n - 1], this.levels[n], { left, top, right, bottom }, this.#reduce);
    }
  }
}

/**
 * @param {Level} from
 * @param {Level} to
 * @param {Rect} rect of `to`
 * @param {Reduction} reduce
 */
function halve(from, to, rect, reduce) {
  const { data, width, height } = from;
  for (let y = rect.top; y < rect.bottom; y++) {
    const upper = 2 * y * width;
    const lower = Math.min(2 * y + 1, height - 1) * width;
    for (let x = rect.left; x < rect.right; x++) {
      const left = 2 * x;
      const right = Math.min(left + 1, width - 1);
      to.data[y * to.width + x] = reduce(
        data[upper + left],
        data[upper + right],
        data[lower + left],
        data[lower + right],
      );
    }
  }
}
