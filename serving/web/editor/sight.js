/** How one image is seen: layer, contrast, zoom, and where to look next. */

/** @import {Desk} from "./session.js" */
/** @import {Regions} from "./regions.js" */
/** @import {Layer, Screen} from "./screen.js" */
/** @import {OpenImage, Point} from "./types.js" */
/** @import {View} from "./view.js" */

import { clearContrast, histogram } from "./contrast.js";
import { IGNORE } from "./edited_mask.js";
import { legend } from "./legend.js";
import { uncertainSpots } from "./spots.js";

export const MISSING = {
  uncertainty: "This image has no uncertainty map.",
  probability: "This image has no probabilities.",
  previousMask: "This image has no frame before it whose mask is known.",
};

export class Sight {
  #image;
  #desk;
  #counts;
  /** @type {Point[] | null} once asked for */
  #spots = null;
  #spot = -1;
  #regions;

  /**
   * @param {OpenImage} image
   * @param {Screen} screen
   * @param {Desk} desk
   * @param {Regions | null} regions that are to be labelled; null: all of it is
   */
  constructor(image, screen, desk, regions) {
    this.#regions = regions;
    this.#image = image;
    this.screen = screen;
    this.#desk = desk;
    this.#counts = histogram(image.pixels);
    this.fitCanvas();
    if (regions) this.screen.view.show(regions.current);
    else this.screen.view.fit();
  }

  /** @param {(view: View) => void} change */
  look(change) {
    change(this.screen.view);
    this.screen.moved();
  }

  /**
   * Zoom about a point.
   * @param {number} zoom canvas pixels an image pixel is across
   * @param {Point | null} at image position; null: the middle of what is seen
   */
  zoomTo(zoom, at) {
    this.look((view) => {
      view.zoomTo(zoom, at ? view.toScreen(at) : { x: view.screenWidth / 2, y: view.screenHeight / 2 });
    });
  }

  /** The stage may have another size; an image seen whole stays so. */
  fitCanvas() {
    const { view } = this.screen;
    const { width, height } = this.#desk.stage.measure();
    if (width === view.screenWidth && height === view.screenHeight) return;
    const whole = view.zoom === view.fitZoom;
    this.screen.resize(width, height);
    if (whole) view.fit();
  }

  /**
   * See another layer, or the mask again.
   * @param {Layer} layer
   */
  toggle(layer) {
    if (
      (layer === "uncertainty" || layer === "probability" || layer === "previousMask") &&
      !this.#image[layer]
    )
      this.#desk.emit("message", MISSING[layer]);
    else this.see(this.screen.layer === layer ? "mask" : layer);
  }

  /** @param {Layer} layer */
  see(layer) {
    this.screen.layer = layer;
    this.screen.restyled();
    this.#desk.refresh();
  }

  /** See the mask again, if it was hidden. */
  unhide() {
    if (this.screen.layer === "hidden") this.see("mask");
  }

  autoContrast() {
    this.#desk.set(clearContrast(this.#counts));
  }

  nextSpot() {
    const say = (/** @type {string} */ text) => this.#desk.emit("message", text);
    if (!this.#image.uncertainty) {
      say(MISSING.uncertainty);
      return;
    }
    this.#spots ??= uncertainSpots(this.screen.uncertainty).filter((spot) => this.isOpen(spot));
    const { length } = this.#spots;
    if (length === 0) {
      say(`No place in ${this.#regions ? "these regions" : "this image"} is uncertain.`);
      return;
    }
    this.#spot = (this.#spot + 1) % length;
    const spot = this.#spots[this.#spot];
    this.look((view) => {
      view.zoom = Math.max(view.zoom, 1);
      view.centre(spot);
    });
    say(`Uncertain spot ${this.#spot + 1} of ${length}.`);
  }

  /**
   * Whether a place may be changed.
   * @param {Point} point
   */
  isOpen(point) {
    return !this.#regions || this.#regions.has(point);
  }

  /** See the next region. */
  nextRegion() {
    const regions = this.#regions;
    if (!regions) {
      this.#desk.emit("message", "All of this image is to be labelled, not regions of it.");
      return;
    }
    regions.next();
    this.look((view) => view.show(regions.current)); // which one it is stands beside the buttons
  }

  /** Which of the regions is looked at, in words; null where there are none. */
  get region() {
    return this.#regions?.words ?? null;
  }

  /** What the colours mean. */
  get legend() {
    return legend(this.screen.layer, this.#image.classes, this.#desk.settings.map);
  }

  /**
   * What is at a place, in words.
   * @param {Point} point
   * @param {Uint8Array} mask as it is edited
   */
  readout(point, mask) {
    const { width, height, pixels, scale, offset, classes, probability } = this.#image;
    const [x, y] = [Math.floor(point.x), Math.floor(point.y)];
    if (x < 0 || y < 0 || x >= width || y >= height) return "";
    const i = y * width + x;
    const value = Number((pixels[i] * scale + offset).toPrecision(4));
    const name = mask[i] === IGNORE ? "ignored" : classes[mask[i]];
    const share = probability ? `, probability ${(probability[i] / 255).toFixed(2)}` : "";
    return `${x}, ${y}: ${value}, ${name}${share}`;
  }
}
