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
  /** @type {Map<string, AbortController>} what has been asked for and is not there yet */
  #awaited = new Map();
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
    this.#leave([`grey ${stem}`, `mask ${stem}`, `${shown} ${stem}`]);
    const [ground, mask, values] = await Promise.all([
      this.#get(`grey ${stem}`, (signal) => grey(image, signal)),
      isSegmented ? this.#get(`mask ${stem}`, (signal) => map(image, "mask", this.version, signal)) : null,
      isSegmented ? this.#get(`${shown} ${stem}`, (signal) => map(image, shown, this.version, signal)) : null,
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
      this.#get(`grey ${stem}`, (signal) => grey(image, signal)),
      this.#get(`mask ${stem}`, (signal) => map(image, "mask", this.version, signal)),
      this.#get(`${shown} ${stem}`, (signal) => map(image, shown, this.version, signal)),
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
   * Wait no longer for frames that are not looked at: a browser has few connections.
   * @param {string[]} wanted keys of those that are
   */
  #leave(wanted) {
    for (const [key, waiting] of this.#awaited) {
      if (wanted.includes(key)) continue;
      this.#awaited.delete(key);
      this.#kept.delete(key);
      waiting.abort();
    }
  }

  /**
   * @param {string} key
   * @param {(signal: AbortSignal) => Promise<ImageData>} fetched
   */
  #get(key, fetched) {
    const known = this.#kept.get(key) ?? this.#fetched(key, fetched);
    this.#kept.delete(key); // and put in anew, as the youngest
    this.#kept.set(key, known);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_KEPT && oldest) this.#kept.delete(oldest);
    return known;
  }

  /**
   * @param {string} key
   * @param {(signal: AbortSignal) => Promise<ImageData>} fetched
   */
  #fetched(key, fetched) {
    const waiting = new AbortController();
    this.#awaited.set(key, waiting);
    const picture = fetched(waiting.signal);
    const arrived = () => {
      if (this.#awaited.get(key) === waiting) this.#awaited.delete(key);
    };
    picture.then(arrived, () => {
      arrived();
      if (this.#kept.get(key) === picture) this.#kept.delete(key);
    });
    return picture;
  }
}
