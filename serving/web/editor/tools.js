/** The tools: what each does while it is put down, moved and lifted, by pointer or keyboard alike. */

/** @import {EditedMask} from "./edited_mask.js" */
/** @import {Helper} from "./helper.js" */
/** @import {Settings} from "./settings.js" */
/** @import {Point, Rect, Selection} from "./types.js" */

import { histogram, otsu } from "./contrast.js";
import { Newest } from "./helper.js";
import { polygonSelection } from "./raster.js";
import { thresholded, within } from "./wand.js";

/** Canvas pixels within which a click is on a corner. */
const NEAR = 8;

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

class Brush extends Tool {
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

class Eraser extends Brush {
  /**
   * @override
   * @param {Point} point
   */
  down(point) {
    super.down(point, true);
  }
}

class ProbabilityBrush extends Brush {
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

class Lasso extends Tool {
  /** @type {Point[]} */
  #corners = [];
  #erase = false;

  /**
   * @override
   * @param {Point} point
   * @param {boolean} erase
   */
  down(point, erase) {
    this.#corners = [point];
    this.#erase = erase;
  }

  /**
   * @override
   * @param {Point[]} points
   */
  move(points) {
    this.#corners.push(...points);
    this.bench.sketch(this.#corners);
  }

  /** @override */
  up() {
    this.bench.sketch([]);
    const selection = polygonSelection(this.bench.edited.width, this.bench.edited.height, this.#corners);
    if (selection) this.fill(selection, this.#erase);
  }

  /**
   * @param {Selection} selection
   * @param {boolean} erase
   */
  fill(selection, erase) {
    fill(this.bench, selection, erase);
  }
}

class ThresholdLasso extends Lasso {
  /**
   * @override
   * @param {Selection} selection
   * @param {boolean} erase
   */
  fill(selection, erase) {
    const { pixels, edited, settings } = this.bench;
    const threshold = otsu(histogram(within(pixels, edited.width, selection.rect), selection.inside));
    fill(this.bench, thresholded(selection, pixels, edited.width, threshold, settings.brighter), erase);
  }
}

/**
 * Paint a selection as one step.
 * @param {Bench} bench
 * @param {Selection | null} selection
 * @param {boolean} erase
 */
function fill(bench, selection, erase) {
  bench.changed(bench.edited.select(selection, bench.value(erase), bench.writable(erase)));
  if (!bench.commit()) bench.say("Nothing changed there.");
}

class Polygon extends Tool {
  /** @type {Point[]} */
  corners = [];
  #erase = false;

  /** @override */
  get begun() {
    return this.corners.length > 0;
  }

  /** @override */
  get clicks() {
    return true;
  }

  /** The line through all corners. */
  get outline() {
    return this.corners;
  }

  /**
   * @override
   * @param {Point} point
   * @param {boolean} erase
   */
  down(point, erase) {
    if (!this.begun) this.#erase = erase;
    const [first] = this.corners;
    const closes = this.corners.length > 2;
    if (closes && this.#near(first, point)) {
      this.add(first);
      this.finish();
    } else if (this.begun && this.#near(this.corners[this.corners.length - 1], point)) {
      if (closes) this.finish();
    } else {
      this.add(point);
      this.bench.sketch(this.outline);
    }
  }

  /**
   * @override
   * @param {Point[]} points
   */
  move(points) {
    this.hover(points[points.length - 1]);
  }

  /**
   * @override
   * @param {Point} point
   */
  hover(point) {
    if (this.begun) this.bench.sketch([...this.corners, point]);
  }

  /** @override */
  finish() {
    const { bench } = this;
    const { width, height } = bench.edited;
    const selection = polygonSelection(width, height, this.outline);
    this.clear();
    fill(bench, selection, this.#erase);
  }

  /** @override */
  back() {
    this.corners.pop();
    this.bench.sketch(this.outline);
  }

  /** @override */
  cancel() {
    this.clear();
    super.cancel();
  }

  /** @param {Point} corner */
  add(corner) {
    this.corners.push(corner);
  }

  clear() {
    this.corners = [];
    this.bench.sketch([]);
  }

  /**
   * @param {Point} corner
   * @param {Point} point
   */
  #near(corner, point) {
    return Math.hypot(corner.x - point.x, corner.y - point.y) * this.bench.zoom < NEAR;
  }
}

class Livewire extends Polygon {
  /** @type {Point[][]} what leads to each corner */
  #wires = [];
  /** @type {Promise<void>} */
  #latest = Promise.resolve();
  #follow = new Newest(async (/** @type {Point} */ point) => {
    const from = this.corners.at(-1);
    if (!from) return;
    const wire = await this.#wire(from, point);
    if (this.corners.at(-1) === from) this.bench.sketch([...this.outline, ...wire]);
  });

  /** @override */
  get outline() {
    return this.#wires.flat();
  }

  /**
   * @override
   * @param {Point} point
   */
  hover(point) {
    if (this.begun) this.#follow.ask(point);
  }

  /** @override */
  finish() {
    this.settled = this.#latest.then(() => {
      this.settled = null;
      super.finish();
    });
  }

  /** @override */
  back() {
    this.#wires.pop();
    super.back();
  }

  /**
   * @override
   * @param {Point} corner
   */
  add(corner) {
    const from = this.corners.at(-1);
    super.add(corner);
    const place = this.#wires.push([corner]) - 1;
    if (!from) return;
    const wires = this.#wires;
    this.#latest = this.#wire(from, corner).then((wire) => {
      if (place < wires.length) wires[place] = wire;
    });
  }

  /** @override */
  clear() {
    this.#wires = [];
    super.clear();
  }

  /**
   * @param {Point} from
   * @param {Point} to
   */
  #wire(from, to) {
    return this.bench.helper.livewire({ from, to }).catch((error) => {
      this.bench.say(error.message);
      return [to];
    });
  }
}

class Wand extends Tool {
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

/** Canvas pixels that a drag needs for a tolerance of the whole window. */
const DRAG = 500;

/** @typedef {"brush" | "eraser" | "likely" | "polygon" | "lasso" | "cut" | "wand" | "livewire"} ToolName */

/**
 * One of each tool.
 * @param {Bench} bench
 * @returns {Record<ToolName, Tool>}
 */
export function toolsOn(bench) {
  return {
    brush: new Brush(bench),
    eraser: new Eraser(bench),
    likely: new ProbabilityBrush(bench),
    polygon: new Polygon(bench),
    lasso: new Lasso(bench),
    cut: new ThresholdLasso(bench),
    wand: new Wand(bench),
    livewire: new Livewire(bench),
  };
}

/** Tools whose size is the brush's. */
export const BRUSHES = new Set(["brush", "eraser", "likely"]);
