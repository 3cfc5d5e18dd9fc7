/** The custom element `<mask-editor>`: one image after the other, with the tools and settings that stay. */

/** @import {Values} from "./panel.js" */
/** @import {ToolName} from "./tools.js" */
/** @import {OpenImage, SavedHistory} from "./types.js" */

import { Activity } from "./activity.js";
import { IGNORE } from "./edited_mask.js";
import { Helper } from "./helper.js";
import { Input } from "./input.js";
import { keysDialog } from "./keys_dialog.js";
import { Panel } from "./panel.js";
import { encodePng } from "./png.js";
import { Session } from "./session.js";
import { loadSettings, MAX_DIAMETER, saveSettings } from "./settings.js";
import { Stage } from "./stage.js";

/**
 * Events, all bubbling: `change` after each finished stroke, undo or redo; `accept`; `skip`; `neighbour`
 * (detail -1 or 1: the frame before or after is wanted); `message` (detail: a line for people).
 */
export class MaskEditor extends HTMLElement {
  /** @type {{tool: ToolName, classIndex: number, subtract: boolean}} */
  #chosen = { tool: "brush", classIndex: 1, subtract: false };
  #settings = loadSettings();
  #helper = new Helper();
  #stage = new Stage();
  #keys = keysDialog();
  #panel = new Panel(
    (command, chord, byPointer) => {
      this.#activity.act(performance.now());
      // Enter shall accept the image, not press the last button again.
      if (byPointer) this.#stage.root.focus({ preventScroll: true });
      this.#session?.run(command, chord);
    },
    (values) => this.#set(values),
    () => this.#activity.act(performance.now()),
  );
  #activity = new Activity();
  /** @type {Session | null} */
  #session = null;
  #input = new Input(
    this,
    this.#stage,
    () => this.#session && { session: this.#session, activity: this.#activity },
  );
  #resizes = new ResizeObserver(() => this.#session?.sight.fitCanvas());
  #gone = new AbortController();

  connectedCallback() {
    this.replaceChildren(
      this.#panel.tools,
      this.#stage.root,
      this.#stage.readout,
      this.#panel.images,
      this.#keys,
    );
    this.#gone = new AbortController();
    this.#input.listen(this.#gone.signal);
    this.#resizes.observe(this.#stage.root);
  }

  disconnectedCallback() {
    this.#gone.abort();
    this.#resizes.disconnect();
  }

  /**
   * Show what an image looks like whose pixels are still to come.
   * @param {ImageData | null} picture of the image's proportions; null: what was open before
   */
  announce(picture) {
    this.#stage.announce(picture);
  }

  /**
   * Show an image to edit; what was open before is gone.
   * @param {OpenImage} image
   */
  open(image) {
    const { pixels, mask, classes } = image;
    const maps = [image.probability, image.uncertainty, image.previousMask, image.original];
    this.#checkSizes(image, [pixels, mask, ...maps]);
    this.#session?.close();
    this.#activity = new Activity();
    this.#chosen.subtract = false;
    if (this.#chosen.classIndex >= classes.length) this.#chosen.classIndex = classes.length > 1 ? 1 : IGNORE;
    this.#panel.setClasses(classes);
    this.#session = new Session(image, {
      stage: this.#stage,
      helper: this.#helper,
      settings: this.#settings,
      chosen: this.#chosen,
      emit: (type, detail) => this.dispatchEvent(new CustomEvent(type, { bubbles: true, detail })),
      set: (values) => this.#set(values),
      help: () => this.#keys.showModal(),
      refresh: () => this.#refresh(),
    });
    this.#session.sight.autoContrast();
    this.#stage.root.focus({ preventScroll: true });
  }

  /**
   * Maps of the open image that came later than it.
   * @param {Partial<Pick<OpenImage, "probability" | "uncertainty" | "previousMask">>} maps
   */
  addMaps(maps) {
    this.#checkSizes(this.#now.edited, Object.values(maps));
    this.#now.addMaps(maps);
  }

  /**
   * Show another frame of the series under the mask, or the image again; painting waits meanwhile.
   * @param {Uint16Array | null} pixels of the image's size
   */
  glance(pixels) {
    this.#checkSizes(this.#now.edited, [pixels]);
    this.#now.glance(pixels);
  }

  /** Class index of each pixel, shape (height, width); a copy. */
  get mask() {
    return this.#now.edited.mask.slice();
  }

  /** @returns {Promise<Uint8Array>} the mask as 8-bit greyscale PNG */
  png() {
    const { mask, width, height } = this.#now.edited;
    return encodePng(mask, width, height);
  }

  /** @returns {SavedHistory} what `open` takes, together with the mask as it is now */
  saveHistory() {
    return this.#now.edited.history.save();
  }

  /** Seconds of work on this image: up to 20 s after each pointer or key, while the page is seen. */
  get activeSeconds() {
    return this.#activity.seconds(performance.now());
  }

  /** Strokes, buttons, keys and turns of the wheel since the image was opened. */
  get actions() {
    return this.#activity.actions;
  }

  get tool() {
    return this.#chosen.tool;
  }
  set tool(name) {
    if (this.#session) this.#session.choose(name);
    else this.#chosen.tool = name;
    this.#refresh();
  }

  /** Class that is painted; 255 = ignore. */
  get classIndex() {
    return this.#chosen.classIndex;
  }
  set classIndex(value) {
    this.#chosen.classIndex = value;
    this.#refresh();
  }

  /** Of the brush, image pixels: .5 to 256 in halves. */
  get radius() {
    return this.#settings.diameter / 2;
  }
  set radius(value) {
    this.#set({ diameter: Math.min(MAX_DIAMETER, Math.max(1, Math.round(2 * value))) });
  }

  /** Width of the range of 16-bit values from black to white. */
  get window() {
    return this.#now.screen.window;
  }
  set window(value) {
    this.#set({ window: value });
  }

  /** The 16-bit value in the middle of the window. */
  get level() {
    return this.#now.screen.level;
  }
  set level(value) {
    this.#set({ level: value });
  }

  get gamma() {
    return this.#settings.gamma;
  }
  set gamma(value) {
    this.#set({ gamma: value });
  }

  /** Of mask and maps, 0..1. */
  get opacity() {
    return this.#settings.opacity;
  }
  set opacity(value) {
    this.#set({ opacity: value });
  }

  /** Probability that the probability brush needs, 0..1. */
  get threshold() {
    return this.#settings.threshold;
  }
  set threshold(value) {
    this.#set({ threshold: value });
  }

  /**
   * @param {{width: number, height: number}} image
   * @param {(Uint8Array | Uint16Array | null | undefined)[]} planes
   */
  #checkSizes({ width, height }, planes) {
    if (planes.some((plane) => plane && plane.length !== width * height))
      throw new Error(`The image's planes are not all ${width} x ${height} pixels. Load the page again.`);
  }

  get #now() {
    if (!this.#session) throw new Error("No image is open in the editor. Open one first.");
    return this.#session;
  }

  /** @param {Partial<Values>} values */
  #set({ window, level, cut, ...settings }) {
    Object.assign(this.#settings, settings);
    if (Object.keys(settings).length > 0) saveSettings(this.#settings);
    this.#session?.changed({ window, level, cut, ...settings });
    this.#refresh();
  }

  /** Controls and legend show what is. */
  #refresh() {
    if (!this.#session) return;
    const { edited, screen } = this.#session;
    this.#panel.show({
      ...this.#chosen,
      settings: this.#settings,
      layer: screen.layer,
      canUndo: edited.history.canUndo,
      canRedo: edited.history.canRedo,
      window: screen.window,
      level: screen.level,
      cut: this.#session.cut,
      region: this.#session.sight.region,
    });
    this.#stage.setLegend(this.#session.sight.legend);
  }
}

customElements.define("mask-editor", MaskEditor);
