/** The custom element `<mask-editor>`: connects pointer, keys and buttons with tools, mask and screen. */

/** @import {Command} from "./keys.js" */
/** @import {Values} from "./panel.js" */
/** @import {Layer} from "./screen.js" */
/** @import {Bench, Tool, ToolName} from "./tools.js" */
/** @import {OpenImage, Point, Rect, SavedHistory} from "./types.js" */
/** @import {View} from "./view.js" */

import { Activity } from "./activity.js";
import { CHANGE_COLOURS, CLASS_COLOURS, mapColour } from "./colour.js";
import { histogram, percentile } from "./contrast.js";
import { EditedMask, IGNORE, writableClasses } from "./edited_mask.js";
import { Helper } from "./helper.js";
import { chord, commandOf } from "./keys.js";
import { keysDialog, Panel } from "./panel.js";
import { encodePng } from "./png.js";
import { Pointers } from "./pointer.js";
import { snapped } from "./raster.js";
import { Screen } from "./screen.js";
import { loadSettings, MAX_DIAMETER, saveSettings } from "./settings.js";
import { uncertainSpots } from "./spots.js";
import { Stage } from "./stage.js";
import { BRUSHES, toolsOn } from "./tools.js";

/** A key that is typed into a form is not meant for the editor. */
const FIELDS = "input:not([type=range]), select, textarea, [contenteditable]";
/** Keys that buttons and sliders have for themselves. */
const OWN_KEYS = /^(Enter|Space|Home|End|(Shift\+)?Arrow.*)$/;
/** Commands that a key held down goes on giving. */
const REPEATED = new Set(["move", "moveFar", "smaller", "larger", "zoomIn", "zoomOut", "undo", "redo"]);
/** Commands that do not wait until the tool is lifted. */
const WHILE_DOWN = new Set([
  "move",
  "moveFar",
  "hold",
  "cancel",
  "smaller",
  "larger",
  "zoomIn",
  "zoomOut",
  "outline",
]);
/** Factors of one key press or notch of the wheel. */
const STEP = 1.15;
const ZOOM = Math.SQRT2;
const WHOLE = writableClasses(null, false);
const MISSING = {
  uncertainty: "This image has no uncertainty map.",
  probability: "This image has no probabilities.",
  previousMask: "This image has no frame before it whose mask is known.",
};

/**
 * What belongs to the image that is open.
 * @typedef {object} Opened
 * @property {OpenImage} image
 * @property {EditedMask} edited
 * @property {Screen} screen
 * @property {Record<ToolName, Tool>} tools
 * @property {Uint32Array} counts histogram of the image
 * @property {Point[] | null} spots that are uncertain, once asked for
 * @property {number} spot the one shown last
 */

/**
 * Events, all bubbling: `change` after each finished stroke, undo or redo; `accept`; `skip`; `neighbour`
 * (detail -1 or 1: the frame before or after is wanted); `message` (detail: a line for people).
 */
export class MaskEditor extends HTMLElement {
  #settings = loadSettings();
  #activity = new Activity();
  #stage = new Stage();
  #panel = new Panel(
    (command, key) => this.#act(command, key),
    (values) => this.#set(values),
  );
  #keys = keysDialog();
  #helper = new Helper();
  /** @type {Opened | null} */
  #opened = null;
  /** @type {ToolName} */
  #toolName = "brush";
  #classIndex = 1;
  #subtract = false;
  /** Whether a change that takes time is under way. */
  #waiting = false;
  /** Whether the tool is down. */
  #down = false;
  /** @type {Point | null} where a pointer was last, image position */
  #pointed = null;
  /** @type {Point | null} the keyboard's cursor, image position */
  #cursor = null;
  /** @type {Point[]} the line of the tool in use */
  #line = [];
  #pointers = new Pointers({
    down: (point, erase) => this.#put(this.#at(point), erase),
    move: (points) => this.#drag(points.map((point) => this.#at(point))),
    up: () => this.#lift(),
    cancel: () => this.#giveUp(),
    hover: (point) => this.#hover(this.#at(point)),
    pan: (dx, dy) => this.#look((view) => view.pan(dx, dy)),
    zoom: (factor, point) => this.#look((view) => view.zoomTo(view.zoom * factor, point)),
  });
  #resizes = new ResizeObserver(() => this.#fitCanvas());
  #leaving = new AbortController();

  connectedCallback() {
    this.#leaving = new AbortController();
    this.replaceChildren(
      this.#panel.tools,
      this.#stage.root,
      this.#stage.readout,
      this.#panel.images,
      this.#keys,
    );
    this.#resizes.observe(this.#stage.root);
    this.#listen();
  }

  disconnectedCallback() {
    this.#leaving.abort();
    this.#resizes.disconnect();
    this.#opened?.screen.close();
  }

  /**
   * Show an image to edit; what was open before is gone.
   * @param {OpenImage} image
   */
  open(image) {
    const { pixels, width, height, mask, classes } = image;
    const planes = [pixels, mask, image.probability, image.uncertainty, image.previousMask, image.original];
    if (planes.some((plane) => plane && plane.length !== width * height))
      throw new Error(`The image's planes are not all ${width} x ${height} pixels. Load the page again.`);
    this.#giveUp();
    this.#opened?.screen.close();
    const edited = new EditedMask(mask, width, height, image.history);
    const screen = new Screen(
      this.#stage.canvas,
      this.#stage.map,
      image,
      edited.mask,
      image.original ?? mask.slice(),
      this.#settings,
      () => this.#drawOver(),
    );
    this.#opened = {
      image,
      edited,
      screen,
      tools: toolsOn(this.#bench(image, edited, screen)),
      counts: histogram(pixels),
      spots: null,
      spot: -1,
    };
    this.#helper.open({ pixels, width, height });
    this.#activity = new Activity();
    this.#classIndex = Math.min(1, classes.length - 1) || IGNORE;
    this.#subtract = false;
    this.#cursor = this.#pointed = null;
    this.#panel.setClasses(classes);
    this.#fitCanvas();
    screen.view.fit();
    this.#commands.contrast("");
    this.#see("mask");
    this.#stage.root.focus({ preventScroll: true });
  }

  /** Class index of each pixel, shape (height, width); a copy. */
  get mask() {
    return this.#image.edited.mask.slice();
  }

  /** @returns {Promise<Uint8Array>} the mask as 8-bit greyscale PNG */
  png() {
    const { edited } = this.#image;
    return encodePng(edited.mask, edited.width, edited.height);
  }

  /** @returns {SavedHistory} what `open` takes, together with the mask as it is now */
  saveHistory() {
    return this.#image.edited.history.save();
  }

  /** Seconds of work on this image: up to 20 s after each pointer or key, while the page is seen. */
  get activeSeconds() {
    return this.#activity.seconds(performance.now());
  }

  /** Clicks, strokes, keys and wheel turns since the image was opened. */
  get actions() {
    return this.#activity.actions;
  }

  /** @type {ToolName} */
  get tool() {
    return this.#toolName;
  }
  set tool(name) {
    this.#giveUp();
    this.#toolName = name;
    this.#refresh();
  }

  /** Class that is painted; 255 = ignore. */
  get classIndex() {
    return this.#classIndex;
  }
  set classIndex(value) {
    this.#classIndex = value;
    this.#subtract = false;
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
    return this.#image.screen.window;
  }
  set window(value) {
    this.#set({ window: value });
  }

  /** The 16-bit value in the middle of the window. */
  get level() {
    return this.#image.screen.level;
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

  /** @type {Record<Command, (key: string) => void>} what each command does, given the chord */
  #commands = {
    brush: () => this.#choose("brush"),
    eraser: () => this.#choose("eraser"),
    likely: () => this.#choose("likely"),
    polygon: () => this.#choose("polygon"),
    lasso: () => this.#choose("lasso"),
    cut: () => this.#choose("cut"),
    wand: () => this.#choose("wand"),
    livewire: () => this.#choose("livewire"),
    smaller: () => this.#resizeBrush(1 / STEP),
    larger: () => this.#resizeBrush(STEP),
    class: (key) => {
      if (Number(key) < this.#image.image.classes.length) this.classIndex = Number(key);
      else this.#say(`This image has no class ${key}. Choose one of those shown.`);
    },
    ignore: () => {
      this.classIndex = IGNORE;
    },
    subtract: () => {
      this.#subtract = !this.#subtract;
    },
    protect: () => this.#set({ protect: !this.#settings.protect }),
    undo: () => {
      if (this.#tool.begun) this.#tool.back();
      else this.#replayed(this.#image.edited.undo(), "There is nothing to undo.");
    },
    redo: () => this.#replayed(this.#image.edited.redo(), "There is nothing to redo."),
    fillHoles: () => this.#shape("holes", this.#classIndex),
    removeSpecks: () => this.#shape("specks", 0),
    grow: () => this.#shape("outerRim", this.#classIndex),
    shrink: () => this.#shape("innerRim", 0),
    hide: () => this.#toggle("hidden"),
    outline: () => this.#set({ outline: !this.#settings.outline }),
    uncertainty: () => this.#toggle("uncertainty"),
    probability: () => this.#toggle("probability"),
    changes: () => this.#toggle("changes"),
    previousMask: () => this.#toggle("previousMask"),
    nextSpot: () => this.#nextSpot(),
    contrast: () => {
      const { counts } = this.#image;
      const low = percentile(counts, 0.01);
      const high = percentile(counts, 0.99);
      this.#set({ window: Math.max(1, high - low), level: Math.round((low + high) / 2) });
    },
    zoomIn: () => this.#zoom(ZOOM),
    zoomOut: () => this.#zoom(1 / ZOOM),
    fit: () => this.#look((view) => view.fit()),
    fullSize: () => this.#look((view) => view.zoomTo(1, this.#middle)),
    move: (key) => this.#moveCursor(key, 1),
    moveFar: (key) => this.#moveCursor(key, 10),
    hold: () => this.#hold(),
    cancel: () => this.#giveUp(),
    back: () => this.#tool.back(),
    accept: () => {
      if (this.#tool.begun) this.#tool.finish();
      else this.#emit("accept");
    },
    skip: () => this.#emit("skip"),
    previousFrame: () => this.#emit("neighbour", -1),
    nextFrame: () => this.#emit("neighbour", 1),
    help: () => this.#keys.showModal(),
  };

  get #image() {
    if (!this.#opened) throw new Error("No image is open in the editor. Open one first.");
    return this.#opened;
  }

  get #tool() {
    return this.#image.tools[this.#toolName];
  }

  /** Canvas position about which keys zoom: the cursor, the pointer or the middle. */
  get #middle() {
    const { view } = this.#image.screen;
    const at = this.#cursor ?? this.#pointed;
    return at ? view.toScreen(at) : { x: view.screenWidth / 2, y: view.screenHeight / 2 };
  }

  #listen() {
    const { signal } = this.#leaving;
    const { canvas, map } = this.#stage;
    const { root } = this.#stage;
    canvas.addEventListener("pointerdown", (event) => this.#pointerDown(event), { signal });
    canvas.addEventListener("pointermove", (event) => this.#pointerMove(event), { signal });
    canvas.addEventListener("pointerup", (event) => this.#pointers.up(this.#pointer(event)), { signal });
    canvas.addEventListener("pointercancel", (event) => this.#pointers.cancel(this.#pointer(event)), {
      signal,
    });
    canvas.addEventListener("pointerenter", () => this.#stage.measure(), { signal });
    canvas.addEventListener("pointerleave", () => this.#leave(), { signal });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { signal, passive: false });
    for (const type of /** @type {const} */ (["pointerdown", "pointermove"]))
      map.addEventListener(type, (event) => this.#mapPointer(event), { signal });
    root.addEventListener("scroll", () => root.scrollTo(0, 0), { signal });
    document.addEventListener("keydown", (event) => this.#keyDown(event), { signal });
    document.addEventListener("keyup", (event) => this.#keyUp(event), { signal });
    window.addEventListener("blur", () => this.#unhide(), { signal });
    document.addEventListener(
      "visibilitychange",
      () => document.hidden && this.#activity.pause(performance.now()),
      { signal },
    );
    this.#panel.tools.addEventListener("input", () => this.#activity.touch(performance.now()), { signal });
  }

  /** @param {PointerEvent} event */
  #pointerDown(event) {
    if (!this.#opened) return;
    event.preventDefault();
    this.#stage.measure();
    this.#stage.root.focus({ preventScroll: true });
    this.#stage.canvas.setPointerCapture(event.pointerId);
    this.#activity.touch(performance.now());
    this.#activity.actions += 1;
    this.#pointers.down(this.#pointer(event));
  }

  /** @param {PointerEvent} event */
  #pointerMove(event) {
    if (!this.#opened) return;
    this.#activity.touch(performance.now());
    this.#pointers.move(this.#pointer(event));
  }

  /** @param {PointerEvent} event in the mini-map */
  #mapPointer(event) {
    if (!this.#opened || event.buttons === 0) return;
    this.#activity.touch(performance.now());
    if (event.type === "pointerdown") this.#activity.actions += 1;
    this.#stage.map.setPointerCapture(event.pointerId);
    this.#look((view) => view.centre(this.#stage.placeInMap(event, view)));
  }

  /** @param {PointerEvent} event */
  #pointer(event) {
    const places = event.getCoalescedEvents();
    return {
      id: event.pointerId,
      type: event.pointerType,
      buttons: event.buttons,
      alt: event.altKey,
      points: (places.length > 0 ? places : [event]).map((place) => this.#stage.place(place)),
    };
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    if (!this.#opened) return;
    event.preventDefault();
    this.#stage.measure();
    const now = performance.now();
    this.#activity.touch(now);
    this.#activity.wheel(now);
    // Lines or pages instead of pixels; a pinch on a touchpad comes as small steps with Ctrl.
    const turned = (event.deltaY || event.deltaX) * [1, 30, 400][event.deltaMode] * (event.ctrlKey ? 4 : 1);
    if (event.altKey) this.#resizeBrush(turned > 0 ? 1 / STEP : STEP);
    else this.#look((view) => view.zoomTo(view.zoom * 2 ** (-turned / 300), this.#stage.place(event)));
  }

  #leave() {
    this.#pointed = null;
    this.#opened?.screen.touched();
  }

  /** @param {KeyboardEvent} event */
  #keyDown(event) {
    const target = /** @type {Element} */ (event.target);
    const here = target === document.body || this.contains(target);
    if (!this.#opened || !here || this.#keys.open || target.closest(FIELDS)) return;
    if (event.key === "Alt") event.preventDefault(); // else some browsers open their menu after erasing
    const name = chord(event);
    const command = commandOf(name);
    if (!command || (target.closest("button, input") && OWN_KEYS.test(name))) return;
    event.preventDefault();
    this.#activity.touch(performance.now());
    if (event.repeat && !REPEATED.has(command)) return;
    if (command === "hide") this.#see("hidden");
    else this.#run(command, name);
    if (!event.repeat) this.#activity.actions += 1;
  }

  /** @param {KeyboardEvent} event */
  #keyUp(event) {
    if (commandOf(chord(event)) === "hide") this.#unhide();
  }

  #unhide() {
    if (this.#opened?.screen.layer === "hidden") this.#see("mask");
  }

  /**
   * A button was pressed.
   * @param {Command} command
   * @param {string} key
   */
  #act(command, key) {
    if (!this.#opened) return;
    this.#activity.touch(performance.now());
    this.#activity.actions += 1;
    this.#run(command, key);
  }

  /**
   * @param {Command} command
   * @param {string} key
   */
  #run(command, key) {
    if (this.#waiting || this.#tool.busy || (this.#down && !WHILE_DOWN.has(command))) return;
    this.#commands[command](key);
    this.#refresh();
  }

  /**
   * @param {Point} screen canvas position
   * @returns {Point} image position
   */
  #at(screen) {
    return this.#image.screen.view.toImage(screen);
  }

  /**
   * @param {Point} point
   * @param {boolean} erase
   */
  #put(point, erase) {
    if (this.#waiting || this.#tool.busy) return;
    this.#down = true;
    this.#tool.down(point, erase || this.#subtract);
  }

  /** @param {Point[]} points */
  #drag(points) {
    this.#pointed = points[points.length - 1];
    this.#cursor = null;
    if (this.#down) this.#tool.move(points);
    this.#image.screen.touched();
  }

  #lift() {
    if (!this.#down) return;
    this.#down = false;
    this.#tool.up();
  }

  #giveUp() {
    this.#down = false;
    if (this.#opened) this.#tool.cancel();
  }

  /** @param {Point} point */
  #hover(point) {
    this.#pointed = point;
    this.#cursor = null;
    this.#tool.hover(point);
    this.#image.screen.touched();
  }

  /**
   * @param {string} key
   * @param {number} step image pixels
   */
  #moveCursor(key, step) {
    const { image, screen } = this.#image;
    const { x, y } = this.#placed();
    const across = key.endsWith("Left") ? -step : key.endsWith("Right") ? step : 0;
    const down = key.endsWith("Up") ? -step : key.endsWith("Down") ? step : 0;
    const cursor = {
      x: Math.min(image.width - 0.5, Math.max(0.5, x + across)),
      y: Math.min(image.height - 0.5, Math.max(0.5, y + down)),
    };
    this.#cursor = cursor;
    if (this.#down) this.#tool.move([cursor]);
    else this.#tool.hover(cursor);
    if (screen.view.reveal(cursor)) screen.moved();
    else screen.touched();
  }

  /** The keyboard's cursor; it begins in the middle of what is seen. */
  #placed() {
    const { view } = this.#image.screen;
    if (!this.#cursor) {
      const { x, y } = view.toImage({ x: view.screenWidth / 2, y: view.screenHeight / 2 });
      this.#cursor = { x: Math.floor(x) + 0.5, y: Math.floor(y) + 0.5 };
    }
    return this.#cursor;
  }

  /** Put the tool down at the keyboard's cursor, or lift it. */
  #hold() {
    if (this.#down) {
      this.#lift();
      return;
    }
    this.#put(this.#placed(), false);
    if (this.#tool.clicks) this.#lift();
    else this.#say("The tool is down. Arrow keys move it, Space lifts it.");
    this.#image.screen.touched();
  }

  /** @param {ToolName} name */
  #choose(name) {
    this.tool = name;
  }

  /** @param {number} factor */
  #resizeBrush(factor) {
    const { diameter } = this.#settings;
    const change = Math.max(1, Math.round(Math.abs(diameter * factor - diameter)));
    this.radius = (diameter + (factor > 1 ? change : -change)) / 2;
  }

  /** @param {number} factor */
  #zoom(factor) {
    this.#look((view) => view.zoomTo(view.zoom * factor, this.#middle));
  }

  /** @param {(view: View) => void} change */
  #look(change) {
    if (!this.#opened) return;
    change(this.#opened.screen.view);
    this.#opened.screen.moved();
  }

  #fitCanvas() {
    if (!this.#opened) return;
    const { screen } = this.#opened;
    const { width, height } = this.#stage.measure();
    if (width === screen.view.screenWidth && height === screen.view.screenHeight) return;
    const whole = screen.view.zoom === screen.view.fitZoom;
    screen.resize(width, height);
    if (whole) screen.view.fit();
  }

  /** @param {Layer} layer */
  #toggle(layer) {
    const { image, screen } = this.#image;
    if (
      layer in image &&
      image[/** @type {"uncertainty" | "probability" | "previousMask"} */ (layer)] === null
    )
      this.#say(MISSING[/** @type {keyof typeof MISSING} */ (layer)]);
    else this.#see(screen.layer === layer ? "mask" : layer);
  }

  /** @param {Layer} layer */
  #see(layer) {
    const { image, screen } = this.#image;
    screen.layer = layer;
    screen.restyled();
    this.#stage.setLegend(legend(layer, image.classes, this.#settings.map));
    this.#refresh();
  }

  #nextSpot() {
    const opened = this.#image;
    if (!opened.image.uncertainty) {
      this.#say(MISSING.uncertainty);
      return;
    }
    opened.spots ??= uncertainSpots(opened.screen.uncertainty);
    const { spots } = opened;
    if (spots.length === 0) {
      this.#say("No place in this image is uncertain.");
      return;
    }
    opened.spot = (opened.spot + 1) % spots.length;
    this.#look((view) => {
      view.zoom = Math.max(view.zoom, 1);
      view.centre(spots[opened.spot]);
    });
    this.#say(`Uncertain spot ${opened.spot + 1} of ${spots.length}.`);
  }

  /**
   * Change the class by shape.
   * @param {import("./jobs.js").ShapeRequest["shape"]} shape
   * @param {number} value class index that the pixels found become
   */
  async #shape(shape, value) {
    const opened = this.#image;
    const { edited, screen } = opened;
    if (this.#classIndex === IGNORE) {
      this.#say("Pixels to be ignored have no shape. Choose a class.");
      return;
    }
    this.#waiting = true;
    this.setAttribute("aria-busy", "true");
    try {
      const request = {
        shape,
        mask: edited.mask,
        value: this.#classIndex,
        smallest: this.#settings.smallest,
      };
      const selection = await this.#helper.shape(request);
      if (opened !== this.#opened) return;
      screen.changed(edited.select(selection, value, value === 0 ? WHOLE : this.#writable(false)));
      if (!this.#commit()) this.#say("Nothing was to change.");
    } catch (error) {
      this.#say(/** @type {Error} */ (error).message);
    } finally {
      this.#waiting = false;
      this.removeAttribute("aria-busy");
    }
  }

  /**
   * @param {OpenImage} image
   * @param {EditedMask} edited
   * @param {Screen} screen
   * @returns {Bench}
   */
  #bench(image, edited, screen) {
    return {
      edited,
      pixels: image.pixels,
      probability: image.probability,
      settings: this.#settings,
      helper: this.#helper,
      get window() {
        return screen.window;
      },
      get zoom() {
        return screen.view.zoom;
      },
      value: (erase) => (erase ? 0 : this.#classIndex),
      writable: (erase) => this.#writable(erase),
      changed: (rect) => screen.changed(rect),
      sketch: (points) => {
        this.#line = points;
        screen.touched();
      },
      commit: () => this.#commit(),
      say: (text) => this.#say(text),
    };
  }

  /** @param {boolean} erase */
  #writable(erase) {
    return writableClasses(this.#settings.protect ? this.#classIndex : null, erase);
  }

  #commit() {
    const changed = this.#image.edited.keep();
    if (changed) this.#emit("change");
    this.#refresh();
    return changed;
  }

  /**
   * @param {Rect | null} rect
   * @param {string} otherwise
   */
  #replayed(rect, otherwise) {
    this.#image.screen.changed(rect);
    if (rect) this.#emit("change");
    else this.#say(otherwise);
  }

  /** @param {Partial<Values>} values */
  #set({ window, level, ...settings }) {
    Object.assign(this.#settings, settings);
    saveSettings(this.#settings);
    if (!this.#opened) return;
    const { screen, image } = this.#opened;
    screen.window = window ?? screen.window;
    screen.level = level ?? screen.level;
    if ("diameter" in settings || "threshold" in settings) screen.touched();
    else screen.restyled();
    if ("map" in settings) this.#stage.setLegend(legend(screen.layer, image.classes, this.#settings.map));
    this.#refresh();
  }

  /** Controls show what is. */
  #refresh() {
    if (!this.#opened) return;
    const { edited, screen } = this.#opened;
    this.#panel.show({
      settings: this.#settings,
      tool: this.#toolName,
      classIndex: this.#classIndex,
      subtract: this.#subtract,
      layer: screen.layer,
      canUndo: edited.history.canUndo,
      canRedo: edited.history.canRedo,
      window: screen.window,
      level: screen.level,
    });
  }

  /** What lies over the picture, after each frame. */
  #drawOver() {
    const { image, screen } = this.#image;
    const at = this.#cursor ?? this.#pointed;
    const { radius } = this;
    this.#stage.draw({
      view: screen.view,
      pixelSizeNm: image.pixelSizeNm,
      ring: at && BRUSHES.has(this.#toolName) ? snapped(at, radius) : null,
      radius,
      cursor: this.#cursor,
      line: this.#line,
      readout: at ? this.#readout(at) : "",
    });
  }

  /** @param {Point} point */
  #readout(point) {
    const { image, edited } = this.#image;
    const [x, y] = [Math.floor(point.x), Math.floor(point.y)];
    if (x < 0 || y < 0 || x >= image.width || y >= image.height) return "";
    const i = y * image.width + x;
    const value = Number((image.pixels[i] * image.scale + image.offset).toPrecision(4));
    const name = edited.mask[i] === IGNORE ? "ignored" : image.classes[edited.mask[i]];
    const share = image.probability ? `, probability ${(image.probability[i] / 255).toFixed(2)}` : "";
    return `${x}, ${y}: ${value}, ${name}${share}`;
  }

  /** @param {string} text */
  #say(text) {
    this.#emit("message", text);
  }

  /**
   * @param {string} type
   * @param {unknown} [detail]
   */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { bubbles: true, detail }));
  }
}

customElements.define("mask-editor", MaskEditor);

/**
 * What the colours of a layer mean.
 * @param {Layer} layer
 * @param {string[]} classes
 * @param {Values["map"]} map
 * @returns {[number[] | null, string][]}
 */
function legend(layer, classes, map) {
  if (layer === "hidden") return [];
  if (layer === "changes")
    return CHANGE_COLOURS.map((colour, i) => [colour, ["added", "taken away", "another class"][i]]);
  if (layer === "uncertainty" || layer === "probability")
    return [0, 64, 128, 191, 255].map((value) => [mapColour(map, value), (value / 255).toFixed(2)]);
  return [
    ...classes.slice(1).map((name, i) => /** @type {[number[], string]} */ ([CLASS_COLOURS[i % 9], name])),
    [null, "ignore"],
  ];
}
