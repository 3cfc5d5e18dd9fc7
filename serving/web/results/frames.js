/** One frame of the series: the image with its mask's outline, and a map beside it. */

import { imagePath } from "../ask.js";
import { coloured, coloursOf, draw, grey, map, outline } from "../viewer/pictures.js";

/** Pictures kept in memory; the browser keeps the files themselves. */
const MOST_KEPT = 24;
/** Longest side in px up to which one pixel of outline is seen well. */
const SMALL = 512;

/** Of each map: its colours, and what their end stands for with `n` classes. */
const MAPS = {
  std: { colours: coloursOf("magma"), largest: () => 0.5 },
  entropy: { colours: coloursOf("magma"), largest: (/** @type {number} */ n) => Math.log(n) },
  probability: { colours: coloursOf("cividis"), largest: () => 1 },
};

/** @typedef {keyof typeof MAPS} MapName */

/** @template {HTMLElement} T */
const byId = (/** @type {string} */ id) => /** @type {T} */ (document.getElementById(id));

export class Frames {
  /** @type {Map<string, Promise<ImageData>>} */
  #kept = new Map();
  #asked = 0;

  /**
   * @param {string} dataset
   * @param {string} version
   * @param {number} nClasses
   */
  constructor(dataset, version, nClasses) {
    this.dataset = dataset;
    this.version = version;
    this.nClasses = nClasses;
  }

  /**
   * Show a frame; of those asked for while it comes only the last is drawn.
   * @param {string} stem
   * @param {boolean} isSegmented
   * @param {MapName} shown
   */
  async show(stem, isSegmented, shown) {
    const asked = ++this.#asked;
    const image = imagePath(this.dataset, stem);
    const [ground, mask, values] = await Promise.all([
      this.#get(`grey ${stem}`, () => grey(image)),
      isSegmented ? this.#get(`mask ${stem}`, () => map(image, "mask", this.version)) : null,
      isSegmented ? this.#get(`${shown} ${stem}`, () => map(image, shown, this.version)) : null,
    ]);
    if (asked !== this.#asked) return;
    const left = /** @type {HTMLCanvasElement} */ (byId("outline"));
    left.setAttribute(
      "aria-label",
      `${stem}${mask ? " with the outline of its mask" : ", not segmented yet"}`,
    );
    const thickness = Math.max(ground.width, ground.height) > SMALL ? 2 : 1;
    draw(left, mask ? [ground, outline(mask, thickness)] : [ground]);
    this.#drawMap(stem, values, shown);
  }

  /**
   * Whether all pictures of a segmented frame are at hand.
   * @param {string} stem
   * @param {MapName} shown
   */
  has(stem, shown) {
    return ["grey", "mask", shown].every((kind) => this.#kept.has(`${kind} ${stem}`));
  }

  /**
   * Fetch a frame that is likely to be shown next.
   * @param {string} stem
   * @param {MapName} shown
   */
  async fetch(stem, shown) {
    const image = imagePath(this.dataset, stem);
    await Promise.all([
      this.#get(`grey ${stem}`, () => grey(image)),
      this.#get(`mask ${stem}`, () => map(image, "mask", this.version)),
      this.#get(`${shown} ${stem}`, () => map(image, shown, this.version)),
    ]);
  }

  /**
   * @param {string} stem
   * @param {ImageData | null} values
   * @param {MapName} shown
   */
  #drawMap(stem, values, shown) {
    const canvas = /** @type {HTMLCanvasElement} */ (byId("map"));
    const { colours, largest } = MAPS[shown];
    canvas.setAttribute("aria-label", values ? `Map of ${stem}: ${shown}` : `${stem} is not segmented yet`);
    if (values) draw(canvas, [coloured(values, colours)]);
    else draw(canvas, [new ImageData(1, 1)]);
    const bar = new ImageData(256, 1);
    new Uint32Array(bar.data.buffer).set(colours);
    draw(/** @type {HTMLCanvasElement} */ (byId("colours")), [bar]);
    byId("largest").textContent = String(Math.round(1000 * largest(this.nClasses)) / 1000);
  }

  /**
   * @param {string} key
   * @param {() => Promise<ImageData>} fetched
   */
  #get(key, fetched) {
    const known = this.#kept.get(key) ?? fetched();
    this.#kept.delete(key); // and put in anew, as the youngest
    this.#kept.set(key, known);
    known.catch(() => this.#kept.delete(key));
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_KEPT && oldest) this.#kept.delete(oldest);
    return known;
  }
}
