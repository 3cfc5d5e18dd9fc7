/** One image in the editor: its mask, how it is seen, and the tool at work. */

/** @import {Command} from "./keys.js" */
/** @import {Helper} from "./helper.js" */
/** @import {ShapeRequest} from "./jobs.js" */
/** @import {Values} from "./panel.js" */
/** @import {Settings} from "./settings.js" */
/** @import {Stage} from "./stage.js" */
/** @import {Bench, Tool} from "./tool.js" */
/** @import {ToolName} from "./tools.js" */
/** @import {OpenImage, Point, Rect} from "./types.js" */

import { ACTIONS } from "./actions.js";
import { EditedMask, IGNORE, writableClasses } from "./edited_mask.js";
import { snapped } from "./raster.js";
import { Regions } from "./regions.js";
import { Screen } from "./screen.js";
import { MAX_DIAMETER } from "./settings.js";
import { Sight } from "./sight.js";
import { BRUSHES, toolsOn } from "./tools.js";
import { Turns } from "./turns.js";

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
/** Share by which a key or notch of the wheel changes the brush. */
const STEP = 0.15;
const ANOTHER_FRAME = "This is another frame. Go back to the image with , or . to change its mask.";
const LOCKED = "Only regions of this image are to be labelled, the rest is locked. Press J for the next one.";
const ANOTHER_MASK = "This is another frame's mask. Press V to see this image's own.";

/**
 * What stays while images come and go.
 * @typedef {object} Desk
 * @property {Stage} stage
 * @property {Helper} helper
 * @property {Settings} settings
 * @property {{tool: ToolName, classIndex: number, subtract: boolean}} chosen
 * @property {(type: string, detail?: unknown) => void} emit
 * @property {(values: Partial<Values>) => void} set settings, window or level
 * @property {() => void} help show the list of keys
 * @property {() => void} refresh controls show what is
 */

export class Session {
  #desk;
  #image;
  /** @type {Promise<void> | null} a change by shape under way */
  #shaping = null;
  /** Whether the tool is down. */
  #down = false;
  /** @type {Point | null} where a pointer was last, image position */
  #pointed = null;
  /** @type {Point | null} the keyboard's cursor, image position */
  #cursor = null;
  /** @type {Point[]} the line of the tool in use */
  #line = [];
  #closed = false;
  #tools;
  #turns = new Turns(() => this.#shaping ?? this.tool.settled);

  /**
   * @param {OpenImage} image
   * @param {Desk} desk
   */
  constructor(image, desk) {
    const { pixels, width, height, mask } = image;
    this.#desk = desk;
    this.#image = { ...image };
    const regions = image.regions?.length ? new Regions(image.regions, width, height) : null;
    this.edited = new EditedMask(mask, width, height, image.history, regions?.open);
    const screen = new Screen(
      desk.stage.canvas,
      desk.stage.map,
      this.#image,
      this.edited.mask,
      image.original ?? mask,
      desk.settings,
      () => this.#drawOver(),
      regions?.rects,
    );
    this.sight = new Sight(this.#image, screen, desk, regions);
    this.#tools = toolsOn(this.#bench());
    desk.helper.open({ pixels, width, height }).catch((error) => this.say(error.message));
  }

  get screen() {
    return this.sight.screen;
  }

  /** @returns {Tool} the one chosen */
  get tool() {
    return this.#tools[this.#desk.chosen.tool];
  }

  /** The threshold lasso's threshold, 16-bit value; null before the first lasso. */
  get cut() {
    return this.#tools.cut.threshold;
  }

  /**
   * Maps that came after the image.
   * @param {Partial<Pick<OpenImage, "probability" | "uncertainty" | "previousMask">>} maps
   */
  addMaps(maps) {
    Object.assign(this.#image, maps);
    this.screen.touched();
  }

  close() {
    this.#closed = true;
    this.#turns.clear();
    this.giveUp();
    this.screen.close();
  }

  /**
   * Show another frame of the series under the mask, or the image again, after what is under way.
   * @param {Uint16Array | null} pixels of the image's size
   */
  glance(pixels) {
    this.#turns.take(() => {
      this.giveUp();
      this.screen.glance(pixels);
    });
  }

  /**
   * Do what a key or button asks, after what is under way.
   * @param {Command} command
   * @param {string} chord
   */
  run(command, chord) {
    this.#turns.take(() => {
      if (this.#closed || (this.#down && !WHILE_DOWN.has(command))) return;
      ACTIONS[command](this, chord);
      this.#desk.refresh();
    });
  }

  /**
   * Put the tool down.
   * @param {Point} point image position
   * @param {boolean} erase
   */
  put(point, erase) {
    this.#turns.take(() => {
      if (this.screen.glancing) {
        this.say(ANOTHER_FRAME);
        return;
      }
      if (BRUSHES.has(this.chosen.tool) && !this.sight.isOpen(point)) this.say(LOCKED);
      this.#down = true;
      this.tool.down(point, erase || this.#desk.chosen.subtract);
    });
  }

  /** @param {Point[]} points image positions, the newest last */
  drag(points) {
    this.#pointed = points[points.length - 1];
    this.#cursor = null;
    this.#turns.take(() => {
      if (this.#down) this.tool.move(points);
    });
    this.screen.touched();
  }

  lift() {
    this.#turns.take(() => {
      if (!this.#down) return;
      this.#down = false;
      this.tool.up();
    });
  }

  /** @param {ToolName} name */
  choose(name) {
    this.#turns.take(() => {
      this.giveUp();
      this.chosen.tool = name;
    });
  }

  /** Give up what is begun, after what is under way. */
  abandon() {
    this.#turns.take(() => this.giveUp());
  }

  giveUp() {
    this.#down = false;
    this.tool.cancel();
  }

  /** @param {Point | null} point image position; null where no pointer is over the image */
  hover(point) {
    this.#pointed = point;
    if (point) {
      this.#cursor = null;
      this.tool.hover(point);
    }
    this.screen.touched();
  }

  /**
   * Move the keyboard's cursor.
   * @param {number} dx image pixels
   * @param {number} dy
   */
  moveCursor(dx, dy) {
    const { width, height } = this.#image;
    const { x, y } = this.#placed();
    const cursor = {
      x: Math.min(width - 0.5, Math.max(0.5, x + dx)),
      y: Math.min(height - 0.5, Math.max(0.5, y + dy)),
    };
    this.#cursor = cursor;
    if (this.#down) this.tool.move([cursor]);
    else this.tool.hover(cursor);
    if (this.screen.view.reveal(cursor)) this.screen.moved();
    else this.screen.touched();
  }

  /** Put the tool down at the keyboard's cursor, or lift it. */
  hold() {
    if (this.#down) {
      this.lift();
      return;
    }
    this.put(this.#placed(), false);
    if (this.tool.clicks) this.lift();
    else if (this.#down) this.say("The tool is down. Arrow keys move it, Space lifts it.");
    this.screen.touched();
  }

  /**
   * Zoom about the cursor, the pointer or the middle.
   * @param {number} zoom canvas pixels an image pixel is across
   */
  zoomTo(zoom) {
    this.sight.zoomTo(zoom, this.#cursor ?? this.#pointed);
  }

  /**
   * Settings, window or level are others.
   * @param {Partial<Values>} values
   */
  changed({ window = this.screen.window, level = this.screen.level, cut, ...settings }) {
    if (cut !== undefined)
      this.#turns.take(() => {
        if (this.#seesItsMask()) this.#tools.cut.recut(cut);
      });
    this.screen.window = window;
    this.screen.level = level;
    if ("diameter" in settings) this.screen.touched();
    else this.screen.restyled();
  }

  /** @param {boolean} larger */
  resizeBrush(larger) {
    const { diameter } = this.settings;
    const step = Math.max(1, Math.round(diameter * STEP));
    this.set({ diameter: Math.min(MAX_DIAMETER, Math.max(1, diameter + (larger ? step : -step))) });
  }

  /** @param {number} value class index */
  chooseClass(value) {
    if (value !== IGNORE && value >= this.#image.classes.length) {
      this.say(`This image has no class ${value}. Choose one of those shown.`);
      return;
    }
    this.chosen.classIndex = value;
    this.chosen.subtract = false;
  }

  undo() {
    if (this.tool.begun) this.tool.back();
    else this.#replayed(this.edited.undo(), "There is nothing to undo.");
  }

  redo() {
    this.#replayed(this.edited.redo(), "There is nothing to redo.");
  }

  /**
   * Change the class chosen by shape.
   * @param {ShapeRequest["shape"]} shape
   */
  reshape(shape) {
    if (!this.#seesItsMask()) return;
    if (this.chosen.classIndex === IGNORE) {
      this.say("Pixels to be ignored have no shape. Choose a class.");
      return;
    }
    this.#desk.stage.root.setAttribute("aria-busy", "true");
    this.#shaping = this.#reshape(shape)
      .catch((error) => this.say(error.message))
      .finally(() => {
        this.#shaping = null;
        this.#desk.stage.root.removeAttribute("aria-busy");
      });
  }

  /** @param {string} text for the page's line of messages */
  say(text) {
    this.emit("message", text);
  }

  /** @param {Partial<Values>} values */
  set(values) {
    this.#desk.set(values);
  }

  help() {
    this.#desk.help();
  }

  get emit() {
    return this.#desk.emit;
  }

  get chosen() {
    return this.#desk.chosen;
  }

  get settings() {
    return this.#desk.settings;
  }

  /** Whether what is seen is what a command would change; else it is told. */
  #seesItsMask() {
    const { glancing, layer } = this.screen;
    if (glancing) this.say(ANOTHER_FRAME);
    else if (layer === "previousMask") this.say(ANOTHER_MASK);
    return !glancing && layer !== "previousMask";
  }

  /** @param {ShapeRequest["shape"]} shape */
  async #reshape(shape) {
    const { edited } = this;
    const value = this.chosen.classIndex;
    const adds = shape === "holes" || shape === "outerRim";
    const { smallest } = this.settings;
    const selection = await this.#desk.helper.shape({ shape, mask: edited.mask, value, smallest });
    if (this.#closed) return;
    this.screen.changed(edited.select(selection, adds ? value : 0, this.#writable(!adds)));
    if (!this.#commit()) this.say("Nothing was to change.");
  }

  /** The keyboard's cursor; it begins in the middle of what is seen. */
  #placed() {
    const { view } = this.screen;
    if (!this.#cursor) {
      const { x, y } = view.toImage({ x: view.screenWidth / 2, y: view.screenHeight / 2 });
      this.#cursor = { x: Math.floor(x) + 0.5, y: Math.floor(y) + 0.5 };
    }
    return this.#cursor;
  }

  /** @returns {Bench} */
  #bench() {
    const { edited, screen } = this;
    const { helper, settings, chosen } = this.#desk;
    const image = this.#image;
    return {
      edited,
      pixels: image.pixels,
      get probability() {
        return image.probability;
      },
      settings,
      helper,
      get window() {
        return screen.window;
      },
      get zoom() {
        return screen.view.zoom;
      },
      value: (erase) => (erase ? 0 : chosen.classIndex),
      writable: (erase) => this.#writable(erase),
      changed: (rect) => screen.changed(rect),
      sketch: (points) => {
        this.#line = points;
        screen.touched();
      },
      commit: () => this.#commit(),
      say: (text) => this.say(text),
    };
  }

  /** @param {boolean} erase */
  #writable(erase) {
    return writableClasses(this.settings.protect ? this.chosen.classIndex : null, erase);
  }

  #commit() {
    const changed = this.edited.keep();
    if (changed) this.emit("change");
    this.#desk.refresh();
    return changed;
  }

  /**
   * @param {Rect | null} rect
   * @param {string} otherwise
   */
  #replayed(rect, otherwise) {
    this.screen.changed(rect);
    if (rect) this.emit("change");
    else this.say(otherwise);
  }

  /** What lies over the picture, after each frame. */
  #drawOver() {
    const at = this.#cursor ?? this.#pointed;
    const radius = this.settings.diameter / 2;
    this.#desk.stage.draw({
      view: this.screen.view,
      pixelSizeNm: this.#image.pixelSizeNm,
      ring: at && BRUSHES.has(this.chosen.tool) ? snapped(at, radius) : null,
      radius,
      cursor: this.#cursor,
      line: this.#line,
      readout: at ? this.sight.readout(at, this.edited.mask) : "",
    });
  }
}
