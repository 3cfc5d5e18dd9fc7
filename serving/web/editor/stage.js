/** The picture and what lies over it: cursor, lines, scale bar, mini-map, legend. */

/** @import {Legend} from "./legend.js" */
/** @import {Point} from "./types.js" */
/** @import {View} from "./view.js" */

import { element } from "./controls.js";
import { swatch } from "./legend.js";
import { scaleBar } from "./view.js";

/** Longest scale bar, CSS pixels. */
const BAR = 160;
const SVG = "http://www.w3.org/2000/svg";
const HELP = "Image. Arrow keys move the cursor, Space puts the tool down and lifts it, ? lists all keys.";

/**
 * What lies over the picture; positions are in the image.
 * @typedef {object} Overlays
 * @property {View} view
 * @property {number | null} pixelSizeNm
 * @property {Point | null} ring middle of the brush
 * @property {number} radius of the brush
 * @property {Point | null} cursor of the keyboard
 * @property {Point[]} line of the tool in use
 * @property {string} readout what is under the pointer
 */

export class Stage {
  canvas = element("canvas", { class: "picture" });
  map = element("canvas");
  #overview = element("canvas", { class: "overview", hidden: "", "aria-hidden": "true" });
  #ring = element("div", { class: "ring" });
  #cross = element("div", { class: "cross" });
  #frame = element("div", { class: "frame" });
  #mapBox = element("div", { class: "map", "aria-hidden": "true" }, this.map, this.#frame);
  #barText = element("span");
  #bar = element("div", { class: "bar" }, this.#barText);
  #legend = element("ul", { class: "legend", "aria-label": "Colours" });
  #legendText = "";
  #lines = ["under", "over"].map((name) => {
    const line = document.createElementNS(SVG, "polyline");
    line.setAttribute("class", name);
    return line;
  });
  #sketch = document.createElementNS(SVG, "svg");
  #box = new DOMRect();
  /** Canvas pixels in a CSS pixel. */
  #ratio = 1;
  /** Under the picture: what is under the pointer. */
  readout = element("p", { class: "readout" });

  /** @param {string} [help] what the picture is, and how it is used without a mouse */
  constructor(help = HELP) {
    this.#sketch.setAttribute("class", "sketch");
    this.#sketch.setAttribute("aria-hidden", "true");
    this.#sketch.append(...this.#lines);
    this.root = element(
      "div",
      { class: "stage", tabindex: "0", role: "application", "aria-label": help },
      this.canvas,
      this.#sketch,
      this.#ring,
      this.#cross,
      this.#mapBox,
      this.#bar,
      this.#legend,
      this.#overview,
    );
  }

  /**
   * Cover the picture with that of an image whose pixels are still to come.
   * @param {ImageData | null} picture null: show what there is
   */
  announce(picture) {
    this.#overview.hidden = picture === null;
    if (picture === null) return;
    this.#overview.width = picture.width;
    this.#overview.height = picture.height;
    this.#overview.getContext("2d")?.putImageData(picture, 0, 0);
  }

  /**
   * Look again where on the page the picture is.
   * @returns {{width: number, height: number}} canvas pixels it should have
   */
  measure() {
    this.#box = this.canvas.getBoundingClientRect();
    this.#ratio = devicePixelRatio;
    return {
      width: Math.max(1, Math.round(this.#box.width * this.#ratio)),
      height: Math.max(1, Math.round(this.#box.height * this.#ratio)),
    };
  }

  /**
   * @param {{clientX: number, clientY: number}} event
   * @returns {Point} canvas position
   */
  place({ clientX, clientY }) {
    return { x: (clientX - this.#box.left) * this.#ratio, y: (clientY - this.#box.top) * this.#ratio };
  }

  /**
   * @param {PointerEvent} event in the mini-map
   * @param {View} view
   * @returns {Point} image position
   */
  placeInMap(event, view) {
    const box = this.map.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * view.width,
      y: ((event.clientY - box.top) / box.height) * view.height,
    };
  }

  /** @param {Legend} entries */
  setLegend(entries) {
    const text = JSON.stringify(entries);
    if (text === this.#legendText) return;
    this.#legendText = text;
    this.#legend.replaceChildren(...entries.map(([colour, name]) => element("li", {}, swatch(colour), name)));
  }

  /** @param {Overlays} overlays */
  draw({ view, pixelSizeNm, ring, radius, cursor, line, readout }) {
    const zoom = view.zoom / this.#ratio;
    this.#ring.hidden = !ring;
    if (ring) {
      const { x, y } = this.#css(view, { x: ring.x - radius, y: ring.y - radius });
      this.#ring.style.width = this.#ring.style.height = `${2 * radius * zoom}px`;
      this.#ring.style.transform = `translate(${x}px, ${y}px)`;
    }
    this.#cross.hidden = !cursor;
    if (cursor) {
      const { x, y } = this.#css(view, cursor);
      this.#cross.style.transform = `translate(${x}px, ${y}px)`;
    }
    this.#drawLine(view, line);
    const { length, text } = scaleBar(zoom, pixelSizeNm, BAR);
    this.#bar.style.width = `${length}px`;
    if (this.#barText.textContent !== text) this.#barText.textContent = text;
    if (this.readout.textContent !== readout) this.readout.textContent = readout;
    this.#drawFrame(view);
  }

  /**
   * @param {View} view
   * @param {Point[]} line
   */
  #drawLine(view, line) {
    if (line.length === 0 && !this.#lines[0].hasAttribute("points")) return;
    const points = line.map((point) => {
      const { x, y } = this.#css(view, point);
      return `${x.toFixed(1)},${y.toFixed(1)}`;
    });
    for (const one of this.#lines)
      if (line.length > 0) one.setAttribute("points", points.join(" "));
      else one.removeAttribute("points");
  }

  /** @param {View} view */
  #drawFrame(view) {
    this.#mapBox.hidden = view.zoom <= view.fitZoom;
    const zoom = this.map.width / view.width;
    const left = Math.max(0, view.left);
    const top = Math.max(0, view.top);
    const right = Math.min(view.width, view.left + view.screenWidth / view.zoom);
    const bottom = Math.min(view.height, view.top + view.screenHeight / view.zoom);
    this.#frame.style.transform = `translate(${left * zoom}px, ${top * zoom}px)`;
    this.#frame.style.width = `${(right - left) * zoom}px`;
    this.#frame.style.height = `${(bottom - top) * zoom}px`;
  }

  /**
   * @param {View} view
   * @param {Point} image
   * @returns {Point} CSS pixels from the picture's left upper corner
   */
  #css(view, image) {
    const { x, y } = view.toScreen(image);
    return { x: x / this.#ratio, y: y / this.#ratio };
  }
}
