/** The custom element `<mask-decision>`: a third person decides between two people's masks, region by region. */

/** @import {Plane} from "../label/service.js" */
/** @import {Which} from "./decision.js" */

import { Activity } from "../editor/activity.js";
import { CHANGE_COLOURS } from "../editor/colour.js";
import { clearContrast, histogram } from "../editor/contrast.js";
import { element } from "../editor/controls.js";
import { encodePng } from "../editor/png.js";
import { Pointers } from "../editor/pointer.js";
import { Screen } from "../editor/screen.js";
import { loadSettings } from "../editor/settings.js";
import { Stage } from "../editor/stage.js";
import { around, Decision } from "./decision.js";

const HELP =
  "Image with two people's masks. A and B take one's version of the region, arrow keys go to others.";
/** CSS pixels of a wheel's turn by which the zoom doubles. */
const DOUBLES = 300;
/** Where a key is meant for something else. */
const FIELDS = "input, select, textarea, dialog";
/** Canvas pixels an image pixel is across at most, where a region is shown. */
const NEAREST = 16;

/**
 * @typedef {object} OpenPair
 * @property {Uint8Array} a class indices of the one, 255 = ignore
 * @property {Uint8Array} b of the other
 * @property {(Which | null)[]} taken what was decided before
 */

/**
 * @typedef {object} Action
 * @property {string} key
 * @property {string} label
 * @property {(view: MaskDecision) => void} act
 */

/** @type {Action[]} */
const ACTIONS = [
  { key: "A", label: "Take A's", act: (view) => view.take("a") },
  { key: "B", label: "Take B's", act: (view) => view.take("b") },
  { key: "Backspace", label: "Take back", act: (view) => view.back() },
  { key: "ArrowLeft", label: "Region before", act: (view) => view.move(-1) },
  { key: "ArrowRight", label: "Region after", act: (view) => view.move(1) },
  { key: "Home", label: "Whole image", act: (view) => view.whole() },
  { key: "S", label: "Skip", act: (view) => view.tell("skip") },
  { key: "Enter", label: "Accept", act: (view) => view.accept() },
];

/**
 * Events, all bubbling: `change` after each decision; `accept`; `skip`; `message` (detail: a line for people).
 */
export class MaskDecision extends HTMLElement {
  #stage = new Stage(HELP);
  #activity = new Activity();
  /** @type {Decision | null} */
  #decision = null;
  /** @type {Screen | null} */
  #screen = null;
  #size = { width: 1, height: 1, pixelSizeNm: /** @type {number | null} */ (null) };
  #pointers = new Pointers({
    down: () => {},
    move: () => {},
    up: () => {},
    cancel: () => {},
    hover: () => {},
    pan: (dx, dy) => this.#look((view) => view.pan(dx, dy)),
    zoom: (factor, point) => this.#look((view) => view.zoomTo(view.zoom * factor, point)),
  });
  #resizes = new ResizeObserver(() => this.#fitCanvas());
  #gone = new AbortController();

  disconnectedCallback() {
    this.#gone.abort();
    this.#resizes.disconnect();
    this.replaceChildren();
  }

  /**
   * Show an image with two people's masks; what was open before is gone.
   * @param {Plane & OpenPair & {classes: string[]}} image
   */
  open(image) {
    const { width, height, a, b } = image;
    if (!this.firstChild) this.#build();
    this.#screen?.close();
    this.#activity = new Activity();
    this.#size = { width, height, pixelSizeNm: image.pixelSizeNm };
    const decision = new Decision(a, b, width, height, image.taken);
    const none = { probability: null, uncertainty: null, previousMask: null, history: null };
    const settings = { ...loadSettings(), outline: true };
    const screen = new Screen(
      this.#stage.canvas,
      this.#stage.map,
      { ...image, ...none, mask: decision.b },
      decision.b,
      decision.a,
      settings,
      () => this.#drawOver(),
    );
    Object.assign(screen, clearContrast(histogram(image.pixels)), {
      layer: "changes",
      outlinesChanges: true,
    });
    this.#decision = decision;
    this.#screen = screen;
    const [onlyB, onlyA, both] = CHANGE_COLOURS;
    this.#stage.setLegend([
      [onlyA, "only A"],
      [onlyB, "only B"],
      [both, "both, as different classes"],
    ]);
    screen.restyled();
    this.#fitCanvas();
    this.#show();
    this.#stage.root.focus({ preventScroll: true });
  }

  /** The mask that the decisions make; regions that are not decided are as A has them. */
  get mask() {
    return this.#now.a.slice();
  }

  /** Whose version each region takes. */
  get taken() {
    return this.#now.taken;
  }

  /** @returns {Promise<Uint8Array>} the mask as 8-bit greyscale PNG */
  png() {
    return encodePng(this.#now.a, this.#size.width, this.#size.height);
  }

  /** Seconds of work on this image. */
  get activeSeconds() {
    return this.#activity.seconds(performance.now());
  }

  /** @param {Which} which whose version of the region is right */
  take(which) {
    if (this.#now.regions.length === 0) return;
    this.#screen?.changed(this.#now.take(which));
    this.#show();
    this.tell("change");
  }

  back() {
    const rect = this.#now.back();
    if (!rect) {
      this.tell("message", "Nothing is decided yet.");
      return;
    }
    this.#screen?.changed(rect);
    this.#show();
    this.tell("change");
  }

  /** @param {1 | -1} step */
  move(step) {
    if (this.#now.regions.length > 0) this.#now.move(step);
    this.#show();
  }

  whole() {
    this.#look((view) => view.fit());
  }

  accept() {
    const { left } = this.#now;
    if (left === 0) {
      this.tell("accept");
      return;
    }
    this.#now.lookAtOpen();
    this.#show();
    this.tell("message", `${left} region${left === 1 ? " is" : "s are"} not decided yet. Press A or B.`);
  }

  /**
   * @param {string} type
   * @param {unknown} [detail]
   */
  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { bubbles: true, detail }));
  }

  get #now() {
    if (!this.#decision) throw new Error("No image is open. Open one first.");
    return this.#decision;
  }

  /** Few images are decided on, so nothing of it is on the page before. */
  #build() {
    const buttons = ACTIONS.map(({ key, label, act }) => {
      const button = element("button", { type: "button", "data-key": key }, `${label} (${shown(key)})`);
      button.addEventListener("click", ({ detail }) => {
        this.#activity.act(performance.now());
        if (detail > 0) this.#stage.root.focus({ preventScroll: true });
        act(this);
      });
      return button;
    });
    const images = element(
      "div",
      { class: "group images", role: "group", "aria-label": "Decide" },
      ...buttons,
    );
    this.replaceChildren(this.#stage.root, this.#stage.readout, images);
    this.#gone = new AbortController();
    this.#listen(this.#gone.signal);
    this.#resizes.observe(this.#stage.root);
  }

  /** @param {AbortSignal} signal ends it */
  #listen(signal) {
    const { canvas, map } = this.#stage;
    map.addEventListener(
      "pointerdown",
      (event) => this.#look((view) => view.centre(this.#stage.placeInMap(event, view))),
      { signal },
    );
    const place = (/** @type {PointerEvent} */ event) => ({
      id: event.pointerId,
      type: event.pointerType === "touch" ? "touch" : "mouse",
      // Any button moves the image: nothing is painted here.
      buttons: event.pointerType === "touch" ? event.buttons : 0,
      alt: false,
      points: [this.#stage.place(event)],
    });
    canvas.addEventListener(
      "pointerdown",
      (event) => {
        event.preventDefault();
        this.#stage.measure();
        canvas.setPointerCapture(event.pointerId);
        this.#activity.act(performance.now());
        this.#pointers.down(place(event));
      },
      { signal },
    );
    canvas.addEventListener(
      "pointermove",
      (event) => {
        this.#activity.touch(performance.now());
        this.#pointers.move(place(event));
      },
      { signal },
    );
    for (const kind of /** @type {const} */ (["pointerup", "pointercancel"]))
      canvas.addEventListener(kind, (event) => this.#pointers.cancel(place(event)), { signal });
    canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        this.#activity.wheel(performance.now());
        this.#stage.measure();
        this.#look((view) =>
          view.zoomTo(view.zoom * 2 ** (-event.deltaY / DOUBLES), this.#stage.place(event)),
        );
      },
      { signal, passive: false },
    );
    document.addEventListener("keydown", (event) => this.#keyDown(event), { signal });
    document.addEventListener(
      "visibilitychange",
      () => document.hidden && this.#activity.pause(performance.now()),
      { signal },
    );
  }

  /** @param {KeyboardEvent} event */
  #keyDown(event) {
    const target = /** @type {Element} */ (event.target);
    const elsewhere = target !== document.body && !this.contains(target);
    if (this.hidden || !this.#decision || elsewhere || target.closest(FIELDS)) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const action = ACTIONS.find(({ key }) => key.toLowerCase() === event.key.toLowerCase());
    if (!action || (action.key === "Enter" && target.closest("button"))) return;
    event.preventDefault();
    this.#activity.act(performance.now());
    action.act(this);
  }

  /** @param {(view: import("../editor/view.js").View) => void} change */
  #look(change) {
    if (!this.#screen) return;
    change(this.#screen.view);
    this.#screen.moved();
  }

  #fitCanvas() {
    const { width, height } = this.#stage.measure();
    if (
      !this.#screen ||
      (width === this.#screen.view.screenWidth && height === this.#screen.view.screenHeight)
    )
      return;
    this.#screen.resize(width, height);
    this.#show();
  }

  /** Show the region that is looked at, and say how far it is. */
  #show() {
    const { current } = this.#now;
    this.#look((view) => {
      if (!current) {
        view.fit();
        return;
      }
      const { left, top, right, bottom } = around(current.rect);
      const zoom = Math.min(view.screenWidth / (right - left), view.screenHeight / (bottom - top));
      view.zoom = Math.max(view.fitZoom, Math.min(zoom, NEAREST));
      view.centre({ x: (left + right) / 2, y: (top + bottom) / 2 });
    });
    for (const button of this.querySelectorAll("button"))
      if (button.dataset.key === "A" || button.dataset.key === "B")
        button.ariaPressed = String(current?.taken === button.dataset.key.toLowerCase());
  }

  /** What lies over the picture, after each frame. */
  #drawOver() {
    if (!this.#screen) return;
    const { current, regions, at, left } = this.#now;
    const state = current?.taken ? `takes ${current.taken.toUpperCase()}'s version` : "not decided";
    this.#stage.draw({
      view: this.#screen.view,
      pixelSizeNm: this.#size.pixelSizeNm,
      ring: null,
      radius: 0,
      cursor: null,
      line: current ? frame(current.rect) : [],
      readout: `Region ${at + 1} of ${regions.length}: ${state}. ${left} to decide.`,
    });
  }
}

/** @param {string} key */
function shown(key) {
  return { ArrowLeft: "←", ArrowRight: "→" }[key] ?? key;
}

/** @param {import("../editor/types.js").Rect} rect */
function frame({ left, top, right, bottom }) {
  const [x0, y0, x1, y1] = [left - 1, top - 1, right + 1, bottom + 1];
  return [
    { x: x0, y: y0 },
    { x: x1, y: y0 },
    { x: x1, y: y1 },
    { x: x0, y: y1 },
    { x: x0, y: y0 },
  ];
}

customElements.define("mask-decision", MaskDecision);
