/** The wand at work: the worker floods, the newest answer counts. */

/** @import {Point} from "./types.js" */

import { Newest } from "./helper.js";
import { NEAR, Tool } from "./tool.js";

/** Canvas pixels that a drag needs for a tolerance of the whole window. */
const DRAG = 500;

export class Wand extends Tool {
  /** @type {Point} */
  #seed = { x: 0, y: 0 };
  #erase = false;
  #select = new Newest(async (/** @type {number} */ tolerance) => {
    const { bench } = this;
    const seed = this.#seed;
    const selection = await bench.helper
      .flood({ seed, tolerance })
      .catch((error) => bench.say(error.message));
    if (!selection || seed !== this.#seed) return;
    bench.changed(bench.edited.restore());
    bench.changed(bench.edited.select(selection, bench.value(this.#erase), bench.writable(this.#erase)));
  });

  /**
   * @override
   * @param {Point} point
   * @param {boolean} erase
   */
  down(point, erase) {
    const { width, height } = this.bench.edited;
    if (point.x < 0 || point.y < 0 || point.x >= width || point.y >= height) return;
    this.#seed = point;
    this.#erase = erase;
    this.#ask();
  }

  /**
   * @override
   * @param {Point[]} points
   */
  move(points) {
    const { x, y } = points[points.length - 1];
    const distance = Math.hypot(x - this.#seed.x, y - this.#seed.y) * this.bench.zoom;
    if (distance < NEAR) return;
    this.bench.settings.tolerance = Math.min(1, distance / DRAG);
    this.#ask();
  }

  /** @override */
  up() {
    this.settled = this.#select.done().then(() => {
      this.settled = null;
      this.bench.commit();
    });
  }

  /** @override */
  cancel() {
    this.#seed = { x: 0, y: 0 };
    super.cancel();
  }

  #ask() {
    const { settings, window } = this.bench;
    this.bench.say(`Tolerance ${Math.round(100 * settings.tolerance)} % of the window.`);
    this.#select.ask(settings.tolerance * window);
  }
}
