/** What the editor leaves to its worker, because it takes longer than a frame. */

/** @import {Point, Selection} from "./types.js" */

import { livewire } from "./livewire.js";
import { holes, innerRim, outerRim, specks } from "./morphology.js";
import { flood } from "./wand.js";

const SHAPES = { holes, specks, outerRim, innerRim };

/**
 * @typedef {object} ImageRequest the image that later requests are about
 * @property {"open"} job
 * @property {Uint16Array} pixels
 * @property {number} width
 * @property {number} height
 *
 * @typedef {{job: "flood", seed: Point, tolerance: number}} FloodRequest
 * @typedef {{job: "livewire", from: Point, to: Point}} LivewireRequest
 *
 * @typedef {object} ShapeRequest
 * @property {"shape"} job
 * @property {keyof typeof SHAPES} shape
 * @property {Uint8Array} mask
 * @property {number} value class index
 * @property {number} smallest pixels; for specks
 *
 * @typedef {ImageRequest | FloodRequest | LivewireRequest | ShapeRequest} Request
 */

export class Jobs {
  /** @type {Uint16Array} */
  #pixels = new Uint16Array();
  #width = 0;
  #height = 0;

  /**
   * @param {Request} request
   * @returns {Selection | Point[] | null}
   */
  run(request) {
    if (request.job === "open") {
      this.#pixels = request.pixels;
      this.#width = request.width;
      this.#height = request.height;
      return null;
    }
    if (request.job === "flood")
      return flood(
        this.#pixels,
        this.#width,
        this.#height,
        Math.floor(request.seed.x),
        Math.floor(request.seed.y),
        request.tolerance,
      );
    if (request.job === "livewire")
      return livewire(this.#pixels, this.#width, this.#height, request.from, request.to);
    const shape = SHAPES[request.shape];
    return shape(request.mask, this.#width, this.#height, request.value, request.smallest);
  }
}
