/** What all tools have in common, and what they work on. */

/** @import {EditedMask} from "./edited_mask.js" */
/** @import {Helper} from "./helper.js" */
/** @import {Settings} from "./settings.js" */
/** @import {Point, Rect, Selection} from "./types.js" */

/** Canvas pixels within which a click is on a corner, and a drag is still a click. */
export const NEAR = 8;

/**
 * What tools work on.
 * @typedef {object} Bench
 * @property {EditedMask} edited
 * @property {Uint16Array} pixels
 * @property {Uint8Array | null} probability
 * @property {Settings} settings
 * @property {Helper} helper
 * @property {number} window width of the range of values shown
 * @property {number} zoom canvas pixels an image pixel is across
 * @property {(erase: boolean) => number} value class index to paint
 * @property {(erase: boolean) => Uint8Array} writable 256 flags of the classes that may be overwritten
 * @property {(rect: Rect | null) => void} changed the mask changed there
 * @property {(points: Point[]) => void} sketch a line to show over the image
 * @property {() => boolean} commit keep what was tried as one step
 * @property {(text: string) => void} say
 */

export class Tool {
  /** @param {Bench} bench */
  constructor(bench) {
    this.bench = bench;
  }

  /** Whether something is begun that Enter finishes. */
  get begun() {
    return false;
  }

  /** Whether it is put down and lifted at once, corner by corner. */
  get clicks() {
    return false;
  }

  /** @type {Promise<void> | null} when the worker is done with what was asked last; null if it is */
  settled = null;

  /**
   * @param {Point} _point image position
   * @param {boolean} _erase
   */
  down(_point, _erase) {}

  /** @param {Point[]} _points where it went since, the newest last */
  move(_points) {}

  /** @param {Point} _point a pointer moves while the tool is lifted */
  hover(_point) {}

  up() {}

  /** Finish what takes several clicks. */
  finish() {}

  /** Take the last click back. */
  back() {}

  /** Give up what is begun. */
  cancel() {
    this.bench.sketch([]);
    this.bench.changed(this.bench.edited.restore());
  }
}

/**
 * Paint a selection as one step.
 * @param {Bench} bench
 * @param {Selection | null} selection
 * @param {boolean} erase
 */
export function fill(bench, selection, erase) {
  bench.changed(bench.edited.select(selection, bench.value(erase), bench.writable(erase)));
  if (!bench.commit()) bench.say("Nothing changed there.");
}
