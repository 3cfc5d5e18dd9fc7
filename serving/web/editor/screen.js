/** The canvases: what of the image and its mask is seen, redrawn once a frame and only where it changed. */

/** @import {Look, Planes} from "./render.js" */
/** @import {Settings} from "./settings.js" */
/** @import {OpenImage, Rect} from "./types.js" */

import { CHANGE_COLOURS, CLASS_COLOURS, classTable, mapTable, packed, toneTable } from "./colour.js";
import { averaging, Pyramid, voting } from "./pyramid.js";
import { clip, grown, union } from "./rect.js";
import { dim, paint } from "./render.js";
import { View } from "./view.js";

/** Longer side of the mini-map, canvas pixels. */
const MAP_SIDE = 160;

/** Room beside an image seen whole, so that what lies at its edge can be circled; editor.css knows it, too. */
const MARGIN = 0.02;

/** @typedef {"mask" | "hidden" | "uncertainty" | "probability" | "changes" | "previousMask"} Layer */

export class Screen {
  /** @type {Layer} what is laid over the image */
  layer = "mask";
  /** Width of the range of 16-bit values from black to white. */
  window = 65535;
  /** The value in its middle. */
  level = 32768;
  /** Whether the mask's outline is drawn over its changes, too. */
  outlinesChanges = false;

  #surface;
  #map;
  #image;
  #original;
  /** @type {Pyramid} */
  #own;
  /** @type {Pyramid} what is shown: the image's own pixels, or those of a frame of its series */
  #pixels;
  /** @type {Map<Layer, Pyramid>} made when first seen */
  #layers = new Map();
  /** @type {Uint8Array | null} */
  #differences = null;
  /** @type {Look} */
  #look;
  #tableKey = "";
  #restyled = false;
  /** @type {Rect | null} canvas pixels to draw anew */
  #dirty = null;
  /** @type {Rect | null} the same in the mini-map */
  #mapDirty = null;
  #mapView;
  #frame = 0;
  #afterwards;
  #regions;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLCanvasElement} map
   * @param {OpenImage} image
   * @param {Uint8Array} mask as it is edited; kept, not copied
   * @param {Uint8Array} original the mask before any change
   * @param {Settings} settings
   * @param {() => void} afterwards called after each frame drawn
   * @param {Rect[]} [regions] all but these is dimmed, if there are any
   */
  constructor(canvas, map, image, mask, original, settings, afterwards, regions = []) {
    this.#regions = regions;
    const { width, height } = image;
    this.#image = image;
    this.#original = original;
    this.#afterwards = afterwards;
    this.settings = settings;
    this.view = new View(width, height, MARGIN);
    this.#own = this.#pixels = new Pyramid(image.pixels, width, height, averaging);
    this.mask = new Pyramid(mask, width, height, voting);
    this.#layers.set("mask", this.mask);
    this.#layers.set("hidden", this.mask);
    this.#surface = new Surface(canvas, 1, 1);
    this.#mapView = new View(width, height);
    const zoom = MAP_SIDE / Math.max(width, height);
    const across = Math.max(1, Math.round(width * zoom));
    const down = Math.max(1, Math.round(height * zoom));
    this.#map = new Surface(map, across, down);
    this.#mapView.resize(across, down);
    this.#mapView.fit();
    this.#look = this.#chosenLook();
  }

  /**
   * The canvas has another size.
   * @param {number} width canvas pixels
   * @param {number} height
   */
  resize(width, height) {
    this.#surface.resize(width, height);
    this.view.resize(width, height);
    this.moved();
  }

  /**
   * The mask changed.
   * @param {Rect | null} rect
   */
  changed(rect) {
    if (!rect) return;
    this.mask.update(rect);
    const differences = this.#layers.get("changes");
    if (differences && this.#differences) {
      this.#compare(rect);
      differences.update(rect);
    }
    // Where pixels are drawn smaller, a changed one colours all that share its place in the level drawn.
    const rim = 2 ** this.view.level;
    this.#dirty = union(this.#dirty, this.view.screenRect(grown(rect, rim)));
    const mapRim = 2 ** this.#mapView.level;
    this.#mapDirty = union(this.#mapDirty, this.#mapView.screenRect(grown(rect, mapRim)));
    this.#schedule();
  }

  /** Colours or layer are others. */
  restyled() {
    this.#restyled = true;
    this.#mapDirty = this.#map.whole;
    this.moved();
  }

  /** The view shows another part. */
  moved() {
    this.#dirty = this.#surface.whole;
    this.#schedule();
  }

  /** Something over the image changed, not the image. */
  touched() {
    this.#schedule();
  }

  /**
   * Show another frame of the series under the mask, or the image again.
   * @param {Uint16Array | null} pixels of the image's size
   */
  glance(pixels) {
    const { width, height } = this.#image;
    this.#pixels = pixels ? new Pyramid(pixels, width, height, averaging) : this.#own;
    this.#mapDirty = this.#map.whole;
    this.moved();
  }

  /** Whether another frame is shown. */
  get glancing() {
    return this.#pixels !== this.#own;
  }

  close() {
    cancelAnimationFrame(this.#frame);
  }

  #schedule() {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = 0;
    if (this.#restyled) this.#look = this.#chosenLook();
    this.#restyled = false;
    const planes = this.#planes();
    this.#surface.draw(this.#dirty, this.view, planes, this.#look, this.#regions);
    this.#map.draw(this.#mapDirty, this.#mapView, planes, this.#look, this.#regions);
    this.#dirty = this.#mapDirty = null;
    this.#afterwards();
  }

  /** @returns {Planes} */
  #planes() {
    const { layer } = this;
    const bare =
      layer === "hidden" ||
      (layer === "changes" && !this.outlinesChanges) ||
      (layer === "mask" && !this.settings.outline);
    return { image: this.#pixels, layer: this.#pyramid(layer), outlined: bare ? null : this.mask };
  }

  /**
   * @param {Layer} layer
   * @returns {Pyramid}
   */
  #pyramid(layer) {
    let pyramid = this.#layers.get(layer);
    if (pyramid) return pyramid;
    const { width, height } = this.#image;
    if (layer === "changes") {
      this.#differences = new Uint8Array(width * height);
      this.#compare({ left: 0, top: 0, right: width, bottom: height });
      pyramid = new Pyramid(this.#differences, width, height, voting);
    } else if (layer === "previousMask") {
      pyramid = new Pyramid(plane(this.#image.previousMask), width, height, voting);
    } else {
      const map = layer === "probability" ? this.#image.probability : this.#image.uncertainty;
      pyramid = new Pyramid(plane(map), width, height, averaging);
    }
    this.#layers.set(layer, pyramid);
    return pyramid;
  }

  /** Maxima of this say where to look next. */
  get uncertainty() {
    return this.#pyramid("uncertainty");
  }

  /** @param {Rect} rect */
  #compare({ left, top, right, bottom }) {
    const differences = plane(this.#differences);
    const mask = this.mask.levels[0].data;
    for (let y = top; y < bottom; y++)
      for (let i = y * this.#image.width + left; i < y * this.#image.width + right; i++) {
        const [before, after] = [this.#original[i], mask[i]];
        differences[i] = before === after ? 0 : before === 0 ? 1 : after === 0 ? 2 : 3;
      }
  }

  /** @returns {Look} */
  #chosenLook() {
    const filled = this.layer === "previousMask" || (this.layer === "mask" && !this.settings.outline);
    return {
      tone: toneTable(this.window, this.level, this.settings.gamma),
      table: this.#table(filled),
      stripes: filled,
      lines: LINES,
    };
  }

  /**
   * The table of colours; made anew only if it is another, for window and level are dragged.
   * @param {boolean} filled
   */
  #table(filled) {
    const { opacity, map } = this.settings;
    const { layer } = this;
    const key = [layer, filled, opacity, map].join();
    if (key === this.#tableKey) return this.#look.table;
    this.#tableKey = key;
    if (layer === "changes") return classTable(CHANGE_COLOURS, Math.max(opacity, 0.5));
    if (layer === "uncertainty" || layer === "probability") return mapTable(map, opacity);
    return classTable(CLASS_COLOURS, filled ? opacity : 0);
  }
}

/** Outlines: each class in its colour, white around what is to be ignored. */
const LINES = Uint32Array.from({ length: 256 }, (_, value) => {
  const [red, green, blue] = value === 255 ? [255, 255, 255] : CLASS_COLOURS[(value + 8) % 9];
  return packed(red, green, blue);
});

/** A canvas and its pixels in memory. */
class Surface {
  #canvas;
  #context;
  /** @type {ImageData} */
  #data = new ImageData(1, 1);
  #pixels = new Uint32Array(1);

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {number} width canvas pixels
   * @param {number} height
   */
  constructor(canvas, width, height) {
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (
      canvas.getContext("2d", { alpha: false, desynchronized: true })
    );
    this.resize(width, height);
  }

  /** @returns {Rect} */
  get whole() {
    return { left: 0, top: 0, right: this.#canvas.width, bottom: this.#canvas.height };
  }

  /**
   * @param {number} width canvas pixels
   * @param {number} height
   */
  resize(width, height) {
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#data = new ImageData(width, height);
    this.#pixels = new Uint32Array(this.#data.data.buffer);
  }

  /**
   * @param {Rect | null} dirty canvas pixels
   * @param {View} view
   * @param {Planes} planes
   * @param {Look} look
   * @param {Rect[]} regions
   */
  draw(dirty, view, planes, look, regions) {
    const rect = dirty && clip(dirty, this.#canvas.width, this.#canvas.height);
    if (!rect) return;
    paint(this.#pixels, rect, view, planes, look);
    if (regions.length > 0) dim(this.#pixels, rect, view, regions);
    const { left, top, right, bottom } = rect;
    this.#context.putImageData(this.#data, 0, 0, left, top, right - left, bottom - top);
  }
}

/**
 * A plane that the caller knows is there.
 * @param {Uint8Array | null} data
 * @returns {Uint8Array}
 */
function plane(data) {
  if (!data) throw new Error("This image has no such map.");
  return data;
}
