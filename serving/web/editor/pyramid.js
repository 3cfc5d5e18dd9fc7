/** An image and its halves, quarters, ... down to a thumbnail: what is drawn when less than half size is shown. */

/** @import {Rect} from "./types.js" */

const SMALLEST = 64;

/**
 * @typedef {Uint8Array | Uint16Array} Plane
 * @typedef {{data: Plane, width: number, height: number}} Level
 * @typedef {(from: Level, to: Level, rect: Rect) => void} Halving fill `rect` of a level from the one before
 */

/**
 * The most frequent class of four; of equally frequent ones one that is not background, so that thin things
 * stay in sight.
 * @param {number} a
 * @param {number} b
 * @param {number} c
 * @param {number} d
 * @returns {number}
 */
export function mostFrequent(a, b, c, d) {
  let best = a;
  let most = 0;
  for (const value of [a, b, c, d]) {
    const votes = +(value === a) + +(value === b) + +(value === c) + +(value === d);
    const weight = 2 * votes + +(value !== 0);
    if (weight > most) [most, best] = [weight, value];
  }
  return best;
}

// Two loops rather than one that calls either reduction: a browser makes each as fast as its data allow.

/** @type {Halving} for images: means of two by two pixels */
export function averaging({ data, width, height }, to, { left, top, right, bottom }) {
  for (let y = top; y < bottom; y++) {
    const upper = 2 * y * width;
    const lower = Math.min(2 * y + 1, height - 1) * width;
    for (let x = left; x < right; x++) {
      const u = 2 * x;
      const v = u + 1 < width ? u + 1 : u;
      to.data[y * to.width + x] =
        (data[upper + u] + data[upper + v] + data[lower + u] + data[lower + v] + 2) >> 2;
    }
  }
}

/** @type {Halving} for masks: classes are never mixed */
export function voting({ data, width, height }, to, { left, top, right, bottom }) {
  for (let y = top; y < bottom; y++) {
    const upper = 2 * y * width;
    const lower = Math.min(2 * y + 1, height - 1) * width;
    for (let x = left; x < right; x++) {
      const u = 2 * x;
      const v = u + 1 < width ? u + 1 : u;
      const a = data[upper + u];
      const b = data[upper + v];
      const c = data[lower + u];
      const d = data[lower + v];
      to.data[y * to.width + x] = a === b && a === c && a === d ? a : mostFrequent(a, b, c, d);
    }
  }
}

export class Pyramid {
  #halve;

  /**
   * @param {Plane} data shape (height, width); kept, not copied
   * @param {number} width
   * @param {number} height
   * @param {Halving} halve
   */
  constructor(data, width, height, halve) {
    this.#halve = halve;
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
      this.#halve(this.levels[n - 1], this.levels[n], { left, top, right, bottom });
    }
  }
}
