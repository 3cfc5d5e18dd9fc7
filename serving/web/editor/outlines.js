/** Tools that take what is inside a line: lassos, polygon, live-wire. */

/** @import {Point, Selection} from "./types.js" */

import { histogram, otsu } from "./contrast.js";
import { Newest } from "./helper.js";
import { polygonSelection } from "./raster.js";
import { fill, NEAR, Tool } from "./tool.js";
import { thresholded, within } from "./wand.js";

export class Lasso extends Tool {
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

/** A lasso that takes the darker or brighter pixels in it; its threshold can be moved until the next step. */
export class ThresholdLasso extends Lasso {
  /** @type {number | null} 16-bit value that parts darker from brighter; null before the first lasso */
  threshold = null;
  /** @type {{selection: Selection, erase: boolean, before: object | null, after: object | null} | null} */
  #last = null;

  /**
   * @override
   * @param {Selection} selection
   * @param {boolean} erase
   */
  fill(selection, erase) {
    const { pixels, edited } = this.bench;
    const { latest } = edited.history;
    this.#last = { selection, erase, before: latest, after: latest };
    this.#cut(otsu(histogram(within(pixels, edited.width, selection.rect), selection.inside)));
  }

  /**
   * Part the last lasso's pixels elsewhere.
   * @param {number} threshold 16-bit value
   */
  recut(threshold) {
    const { history } = this.bench.edited;
    if (!this.#last || history.latest !== this.#last.after) {
      this.bench.say("Draw a lasso first, then move its threshold.");
      return;
    }
    if (this.#last.after !== this.#last.before) this.bench.changed(this.bench.edited.undo());
    this.#cut(threshold);
  }

  /** @param {number} threshold */
  #cut(threshold) {
    if (!this.#last) return;
    const { pixels, edited, settings } = this.bench;
    const { selection, erase } = this.#last;
    this.threshold = threshold;
    fill(this.bench, thresholded(selection, pixels, edited.width, threshold, settings.brighter), erase);
    this.#last.after = edited.history.latest;
  }
}

export class Polygon extends Tool {
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

export class Livewire extends Polygon {
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
