/** Brush, eraser, and the brush that paints only where the model thinks so. */

/** @import {Point} from "./types.js" */

import { Tool } from "./tool.js";

export class Brush extends Tool {
  /** @type {Point} */
  #at = { x: 0, y: 0 };
  #erase = false;

  /** @type {((i: number) => boolean) | null} where it paints */
  get where() {
    return null;
  }

  /**
   * @override
   * @param {Point} point
   * @param {boolean} erase
   */
  down(point, erase) {
    this.#at = point;
    this.#erase = erase;
    this.move([point]);
  }

  /**
   * @override
   * @param {Point[]} points
   */
  move(points) {
    const { bench } = this;
    const value = bench.value(this.#erase);
    const writable = bench.writable(this.#erase);
    const { where } = this;
    for (const point of points) {
      bench.changed(
        bench.edited.stroke(this.#at, point, bench.settings.diameter / 2, value, writable, where),
      );
      this.#at = point;
    }
  }

  /** @override */
  up() {
    this.bench.commit();
  }
}

export class Eraser extends Brush {
  /**
   * @override
   * @param {Point} point
   */
  down(point) {
    super.down(point, true);
  }
}

export class ProbabilityBrush extends Brush {
  /** @override */
  get where() {
    const { probability, settings } = this.bench;
    if (!probability) return () => false;
    const least = settings.threshold * 255;
    return (/** @type {number} */ i) => probability[i] >= least;
  }

  /**
   * @override
   * @param {Point} point
   * @param {boolean} erase
   */
  down(point, erase) {
    if (!this.bench.probability) this.bench.say("This image has no probabilities. Use another tool.");
    super.down(point, erase);
  }
}
