/** Between two people's masks of one image: the regions where they differ, and whose version each one takes. */

/** @import {Rect} from "../editor/types.js" */

import { runsOf } from "../editor/morphology.js";
import { grown, union } from "../editor/rect.js";

/** @typedef {"a" | "b"} Which */

/**
 * @typedef {object} Region pixels that touch by side or corner and on which the two differ
 * @property {Rect} rect around it
 * @property {{first: number, end: number}[]} runs of pixels, row by row
 * @property {Which | null} taken whose version; null: not decided
 */

export class Decision {
  /** @type {Region[]} from top to bottom */
  regions;
  /** Number of the region that is looked at. */
  at = 0;
  /** The masks of both, with what was decided in either: where all is, they are one. */
  a;
  b;
  #originals;
  /** @type {number[]} regions in the order they were decided */
  #order = [];

  /**
   * @param {Uint8Array} a class indices of the one, 255 = ignore
   * @param {Uint8Array} b of the other
   * @param {number} width of the image
   * @param {number} height
   * @param {(Which | null)[]} [taken] what was decided before; of another number of regions, it counts for nothing
   */
  constructor(a, b, width, height, taken = []) {
    this.a = a.slice();
    this.b = b.slice();
    this.#originals = { a, b };
    this.regions = regionsOf(a, b, width, height);
    if (taken.length === this.regions.length)
      taken.forEach((which, number) => {
        if (which) this.#set(number, which);
      });
    this.lookAtOpen();
  }

  get current() {
    return this.regions[this.at];
  }

  /** Whose version each region takes. */
  get taken() {
    return this.regions.map(({ taken }) => taken);
  }

  /** Regions that are not decided yet. */
  get left() {
    return this.regions.filter(({ taken }) => taken === null).length;
  }

  /**
   * Take one's version of the region that is looked at, and look at the next that is not decided.
   * @param {Which} which
   * @returns {Rect} where the masks changed
   */
  take(which) {
    const { rect } = this.current;
    this.#set(this.at, which);
    const next = this.#open(this.at);
    if (next >= 0) this.at = next;
    return rect;
  }

  /**
   * Take the last decision back, and look at its region.
   * @returns {Rect | null} where the masks changed; null if nothing was decided
   */
  back() {
    const number = this.#order.pop();
    if (number === undefined) return null;
    this.at = number;
    const region = this.regions[number];
    region.taken = null;
    this.#copy(region, this.#originals.a, this.#originals.b);
    return region.rect;
  }

  /**
   * Look at another region; after the last comes the first.
   * @param {1 | -1} step
   */
  move(step) {
    const { length } = this.regions;
    this.at = (this.at + step + length) % length;
  }

  /** Look at the next region that is not decided, if this one is. */
  lookAtOpen() {
    this.at = Math.max(0, this.#open(this.at - 1));
  }

  /**
   * @param {number} number
   * @param {Which} which
   */
  #set(number, which) {
    const region = this.regions[number];
    region.taken = which;
    this.#copy(region, this.#originals[which], this.#originals[which]);
    this.#order = [...this.#order.filter((other) => other !== number), number];
  }

  /**
   * @param {Region} region
   * @param {Uint8Array} forA
   * @param {Uint8Array} forB
   */
  #copy({ runs }, forA, forB) {
    for (const { first, end } of runs) {
      this.a.set(forA.subarray(first, end), first);
      this.b.set(forB.subarray(first, end), first);
    }
  }

  /**
   * The next region that is not decided, after one and then from the beginning; -1 where all are.
   * @param {number} after
   */
  #open(after) {
    const isOpen = (/** @type {Region} */ { taken }) => taken === null;
    const next = this.regions.findIndex((region, number) => number > after && isOpen(region));
    return next >= 0 ? next : this.regions.findIndex(isOpen);
  }
}

/**
 * @param {Uint8Array} a
 * @param {Uint8Array} b
 * @param {number} width
 * @param {number} height
 * @returns {Region[]}
 */
function regionsOf(a, b, width, height) {
  const differs = a.map((value, i) => (value === b[i] ? 0 : 1));
  /** @type {Map<number, Region>} */
  const regions = new Map();
  runsOf(differs, width, height, (value) => value === 1, 1).forEach(({ row, first, end, region }) => {
    const rect = { left: first, top: row, right: end, bottom: row + 1 };
    const run = { first: row * width + first, end: row * width + end };
    const known = regions.get(region);
    if (!known) regions.set(region, { rect, runs: [run], taken: null });
    else {
      known.rect = union(known.rect, rect) ?? rect;
      known.runs.push(run);
    }
  });
  return [...regions.values()];
}

/**
 * What of the image to show around a region: itself, and as much again on each side.
 * @param {Rect} rect
 * @returns {Rect}
 */
export function around(rect) {
  const side = Math.max(rect.right - rect.left, rect.bottom - rect.top, 16);
  return grown(rect, side);
}
