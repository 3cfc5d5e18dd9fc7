/** The custom element `<chip-view>`: an image with its grid, its support sets and its map. */

/** @import {Plane} from "../label/service.js" */
/** @import {Point, Rect} from "../editor/types.js" */
/** @import {SupportSet} from "./sets.js" */
/** @import {Style, Styles} from "./styles.js" */
/** @import {View} from "../editor/view.js" */

import { clearContrast, histogram } from "../editor/contrast.js";
import { element } from "../editor/controls.js";
import { chord } from "../editor/keys.js";
import { Pointers } from "../editor/pointer.js";
import { Screen } from "../editor/screen.js";
import { loadSettings } from "../editor/settings.js";
import { Stage } from "../editor/stage.js";
import { Grid, permittedEdges } from "./grid.js";
import { ChipMap, drawFrames, drawLines, NONE } from "./paint.js";
import { owners } from "./sets.js";

const HELP =
  "Image with its grid. Arrow keys go from chip to chip, Space assigns it to the chosen set or releases it.";
/** CSS pixels of a wheel's turn by which the zoom doubles. */
const DOUBLES = 300;
/** CSS pixels of a wheel's turn in pixels, lines and pages. */
const TURNS = [1, 30, 400];
/** CSS pixels that a pointer may tremble without drawing a rubber band. */
const TREMBLE = 5;
const NEXT_COLOUR = "#ffffff";
/** Of supports where no map is shown. */
const SUPPORT_OPACITY = 0.5;
const FAR = 10;

/** @type {Record<string, [number, number]>} rows and columns */
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/**
 * What is shown over the image.
 * @typedef {object} Scene
 * @property {Grid | null} grid
 * @property {boolean} placing whether the grid is being placed; else its chips are chosen
 * @property {readonly SupportSet[]} sets
 * @property {readonly Style[] | null} map style of each chip, null for unsure ones
 * @property {number} opacity of the map, 0..1
 * @property {readonly number[]} next chips that are worth a label
 * @property {(chip: number) => string} describe a chip in words
 */

/**
 * Events, all bubbling: `pick` (detail: `{chips, set}`; set is a position, null for the chosen one, -1 to
 * release); `place` (detail: the grid, while it is moved or resized); `command` (detail: undo, redo, next).
 */
export class ChipView extends HTMLElement {
  #stage = new Stage(HELP);
  #marks = element("canvas", { class: "marks", "aria-hidden": "true" });
  #band = element("div", { class: "band", hidden: "" });
  #cursorBox = element("div", { class: "chip-cursor", hidden: "" });
  /** What the keyboard's chip is, for a screen reader. */
  #spoken = element("p", { class: "hidden", "aria-live": "polite" });
  /** @type {Screen | null} */
  #screen = null;
  /** @type {Plane | null} */
  #plane = null;
  /** @type {Styles | null} */
  #styles = null;
  /** @type {Scene} */
  #scene = { grid: null, placing: false, sets: [], map: null, opacity: 0.45, next: [], describe: String };
  /** @type {ChipMap | null} */
  #map = null;
  /** @type {ChipMap | null} */
  #supports = null;
  #isMarked = false;
  /** @type {{from: Point, to: Point, isBand: boolean, erase: boolean, grid: Grid} | null} */
  #drag = null;
  /** @type {number | null} chip under the pointer */
  #over = null;
  /** @type {{row: number, column: number, toRow: number, toColumn: number} | null} of the keyboard */
  #cursor = null;
  #pointers = new Pointers({
    down: (point, erase) => this.#down(point, erase),
    move: (points) => this.#move(points[points.length - 1]),
    up: () => this.#up(),
    cancel: () => this.#cancel(),
    hover: (point) => this.#hover(point),
    pan: (dx, dy) => this.look((view) => view.pan(dx, dy)),
    zoom: (factor, point) => this.look((view) => view.zoomTo(view.zoom * factor, point)),
  });
  #resizes = new ResizeObserver(() => this.#fitCanvas());
  #gone = new AbortController();

  connectedCallback() {
    this.#stage.canvas.after(this.#marks, this.#band, this.#cursorBox);
    this.replaceChildren(this.#stage.root, this.#stage.readout, this.#spoken);
    this.#gone = new AbortController();
    this.#listen(this.#gone.signal);
    this.#resizes.observe(this.#stage.root);
  }

  disconnectedCallback() {
    this.#gone.abort();
    this.#resizes.disconnect();
    this.#screen?.close();
  }

  /**
   * Show an image.
   * @param {Plane} plane
   * @param {Styles} styles of sets
   */
  open(plane, styles) {
    this.#screen?.close();
    this.#plane = plane;
    this.#styles = styles;
    // Nothing is painted here, so the mask that the editor's screen wants stays empty.
    const mask = new Uint8Array(plane.width * plane.height);
    const none = { probability: null, uncertainty: null, previousMask: null, history: null, classes: [] };
    const screen = new Screen(
      this.#stage.canvas,
      this.#stage.map,
      { ...plane, ...none, mask },
      mask,
      mask,
      { ...loadSettings(), gamma: 1, outline: false },
      () => this.#drawOver(),
    );
    screen.layer = "hidden";
    this.#screen = screen;
    this.#fitCanvas();
    this.autoContrast();
    screen.view.fit();
    this.show({});
  }

  /**
   * Show other things over the image.
   * @param {Partial<Scene>} changed
   */
  show(changed) {
    Object.assign(this.#scene, changed);
    const { grid, sets, map } = this.#scene;
    const styles = this.#styles;
    const regrid = changed.grid !== undefined || styles === null;
    if (regrid) {
      this.#over = null;
      this.#keepCursor();
    }
    if (styles && (regrid || changed.map !== undefined))
      this.#map = grid && map?.length === grid.nChips ? new ChipMap(grid, map, styles) : null;
    if (styles && (regrid || changed.sets !== undefined))
      this.#supports = this.#supportMap(grid, sets, styles);
    this.#remark();
  }

  /** @param {(view: View) => void} change */
  look(change) {
    if (!this.#screen) return;
    change(this.#screen.view);
    this.#screen.moved();
    this.#isMarked = false;
  }

  /**
   * Zoom about the middle.
   * @param {number} factor
   */
  zoomBy(factor) {
    this.look((view) =>
      view.zoomTo(view.zoom * factor, { x: view.screenWidth / 2, y: view.screenHeight / 2 }),
    );
  }

  whole() {
    this.look((view) => view.fit());
  }

  /** Window, level and gamma of the picture. */
  get contrast() {
    const { window = 1, level = 1, settings } = this.#screen ?? {};
    return { window, level, gamma: settings?.gamma ?? 1 };
  }

  /** @param {Partial<{window: number, level: number, gamma: number}>} values */
  setContrast({ window, level, gamma }) {
    if (!this.#screen) return;
    this.#screen.window = window ?? this.#screen.window;
    this.#screen.level = level ?? this.#screen.level;
    this.#screen.settings.gamma = gamma ?? this.#screen.settings.gamma;
    this.#screen.restyled();
  }

  autoContrast() {
    if (this.#plane) this.setContrast({ ...clearContrast(histogram(this.#plane.pixels)), gamma: 1 });
  }

  /**
   * Put the keyboard's cursor on a chip, and see it.
   * @param {number} chip
   */
  goTo(chip) {
    const { grid } = this.#scene;
    if (!grid) return;
    const [row, column] = [grid.rowOf(chip), grid.columnOf(chip)];
    this.#cursor = { row, column, toRow: row, toColumn: column };
    this.#reveal();
    this.#stage.root.focus({ preventScroll: true });
  }

  /**
   * @param {string} type
   * @param {unknown} detail
   */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { bubbles: true, detail }));
  }

  /**
   * @param {Grid | null} grid
   * @param {readonly SupportSet[]} sets
   * @param {Styles} styles
   */
  #supportMap(grid, sets, styles) {
    if (!grid) return null;
    /** @type {Style[]} */
    const values = new Array(grid.nChips).fill(NONE);
    for (const { chips, style } of sets) for (const chip of chips) values[chip] = style;
    return new ChipMap(grid, values.slice(0, grid.nChips), styles);
  }

  #remark() {
    this.#isMarked = false;
    this.#screen?.touched();
  }

  #fitCanvas() {
    const { width, height } = this.#stage.measure();
    const view = this.#screen?.view;
    if (!this.#screen || !view || (width === view.screenWidth && height === view.screenHeight)) return;
    const whole = view.zoom === view.fitZoom;
    this.#marks.width = width;
    this.#marks.height = height;
    this.#screen.resize(width, height);
    if (whole) view.fit();
    this.#isMarked = false;
  }

  /** What lies over the picture, after each frame. */
  #drawOver() {
    if (!this.#screen || !this.#plane) return;
    const { view } = this.#screen;
    if (!this.#isMarked) this.#drawMarks(view);
    this.#isMarked = true;
    const { grid, placing } = this.#scene;
    const block = this.#block();
    this.#frame(this.#band, view, grid && block ? grid.blockRect(block) : null);
    const chip = this.#cursorChip();
    this.#frame(
      this.#cursorBox,
      view,
      grid && this.#cursor && !placing ? grid.blockRect(this.#cursorBlock()) : null,
    );
    const shown = this.#over ?? chip;
    this.#stage.draw({
      view,
      pixelSizeNm: this.#plane.pixelSizeNm,
      ring: null,
      radius: 0,
      cursor: null,
      line: [],
      readout: grid && shown !== null && !placing ? this.#scene.describe(shown) : "",
    });
  }

  /** @param {View} view */
  #drawMarks(view) {
    const context = /** @type {CanvasRenderingContext2D} */ (this.#marks.getContext("2d"));
    const ratio = devicePixelRatio;
    context.clearRect(0, 0, this.#marks.width, this.#marks.height);
    const { grid, placing, sets, opacity, next } = this.#scene;
    if (!grid) return;
    if (!placing) {
      if (this.#map) this.#map.draw(context, view, opacity, ratio);
      else this.#supports?.draw(context, view, SUPPORT_OPACITY, ratio);
    }
    if (placing || !this.#map) drawLines(context, view, grid, ratio);
    if (placing) return;
    const owned = [...owners(sets)].map(([chip, position]) => ({
      chip,
      colour: this.#styles?.colour(sets[position]?.style ?? null) ?? "",
      text: String(position + 1),
    }));
    const wanted = next.map((chip) => ({ chip, colour: NEXT_COLOUR, text: "?" }));
    drawFrames(context, view, grid, [...owned, ...wanted], ratio);
  }

  /**
   * Put a box around pixels of the image.
   * @param {HTMLElement} box
   * @param {View} view
   * @param {Rect | null} rect
   */
  #frame(box, view, rect) {
    box.hidden = !rect;
    if (!rect) return;
    const ratio = devicePixelRatio;
    const from = view.toScreen({ x: rect.left, y: rect.top });
    box.style.transform = `translate(${from.x / ratio}px, ${from.y / ratio}px)`;
    box.style.width = `${((rect.right - rect.left) * view.zoom) / ratio}px`;
    box.style.height = `${((rect.bottom - rect.top) * view.zoom) / ratio}px`;
  }

  /** Columns and rows in the rubber band. */
  #block() {
    const drag = this.#drag;
    return drag?.isBand && !this.#scene.placing ? drag.grid.block(drag.from, drag.to) : null;
  }

  /** @returns {Rect} columns and rows */
  #cursorBlock() {
    const { row, column, toRow, toColumn } = this.#cursor ?? { row: 0, column: 0, toRow: 0, toColumn: 0 };
    return {
      left: Math.min(column, toColumn),
      top: Math.min(row, toRow),
      right: Math.max(column, toColumn) + 1,
      bottom: Math.max(row, toRow) + 1,
    };
  }

  #cursorChip() {
    const { grid } = this.#scene;
    return grid && this.#cursor ? this.#cursor.toRow * grid.columns + this.#cursor.toColumn : null;
  }

  /** Another grid may not have the cursor's chip. */
  #keepCursor() {
    const { grid } = this.#scene;
    if (!grid || grid.nChips === 0) this.#cursor = null;
    else if (this.#cursor) {
      const row = Math.min(this.#cursor.toRow, grid.rows - 1);
      const column = Math.min(this.#cursor.toColumn, grid.columns - 1);
      this.#cursor = { row, column, toRow: row, toColumn: column };
    }
  }

  /**
   * @param {Point} point canvas position
   * @param {boolean} erase
   */
  #down(point, erase) {
    const { grid } = this.#scene;
    if (!grid || !this.#screen) return;
    const from = this.#screen.view.toImage(point);
    this.#drag = { from, to: from, isBand: false, erase, grid };
  }

  /** @param {Point | undefined} point */
  #move(point) {
    const drag = this.#drag;
    if (!drag || !point || !this.#screen) return;
    const { view } = this.#screen;
    drag.to = view.toImage(point);
    const far = Math.max(Math.abs(drag.to.x - drag.from.x), Math.abs(drag.to.y - drag.from.y)) * view.zoom;
    drag.isBand ||= far > TREMBLE * devicePixelRatio;
    if (drag.isBand && this.#scene.placing) {
      const { top, left } = drag.grid;
      this.#place(drag.grid.movedTo(top + drag.to.y - drag.from.y, left + drag.to.x - drag.from.x));
    }
    this.#over = null;
    this.#screen.touched();
  }

  #up() {
    const drag = this.#drag;
    const block = this.#block();
    this.#drag = null;
    this.#screen?.touched();
    if (!drag || this.#scene.placing) return;
    const chip = drag.grid.chipAt(drag.from);
    const chips = block ? drag.grid.chipsOf(block) : chip === null || drag.isBand ? [] : [chip];
    this.#over = block ? null : chip;
    if (chips.length > 0) this.#tell("pick", { chips, set: drag.erase ? -1 : null });
  }

  #cancel() {
    const drag = this.#drag;
    this.#drag = null;
    if (drag?.isBand && this.#scene.placing) this.#place(drag.grid);
    this.#screen?.touched();
  }

  /** @param {Point} point canvas position */
  #hover(point) {
    if (!this.#screen || !this.#scene.grid) return;
    const over = this.#scene.grid.chipAt(this.#screen.view.toImage(point));
    if (over === this.#over) return;
    this.#over = over;
    this.#screen.touched();
  }

  /** @param {Grid} grid */
  #place(grid) {
    this.show({ grid });
    this.#tell("place", grid);
  }

  /** @param {AbortSignal} signal ends it */
  #listen(signal) {
    const { canvas, map, root } = this.#stage;
    /**
     * @template {keyof HTMLElementEventMap} T
     * @param {HTMLElement} target
     * @param {T} type
     * @param {(event: HTMLElementEventMap[T]) => void} handle
     */
    const on = (target, type, handle) => target.addEventListener(type, handle, { signal, passive: false });
    on(canvas, "pointerdown", (event) => {
      event.preventDefault();
      this.#stage.measure();
      root.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      this.#cursor = null;
      this.#pointers.down(this.#pointer(event));
    });
    on(canvas, "pointermove", (event) => this.#pointers.move(this.#pointer(event)));
    on(canvas, "pointerup", (event) => this.#pointers.up(this.#pointer(event)));
    on(canvas, "pointercancel", (event) => this.#pointers.cancel(this.#pointer(event)));
    on(canvas, "pointerenter", () => this.#stage.measure());
    on(canvas, "pointerleave", () => {
      this.#over = null;
      this.#screen?.touched();
    });
    on(canvas, "contextmenu", (event) => event.preventDefault());
    on(canvas, "wheel", (event) => {
      event.preventDefault();
      this.#stage.measure();
      // A pinch on a touchpad comes as small turns with Ctrl.
      const turned = event.deltaY * (TURNS[event.deltaMode] ?? 1) * (event.ctrlKey ? 4 : 1);
      this.look((view) => view.zoomTo(view.zoom * 2 ** (-turned / DOUBLES), this.#stage.place(event)));
    });
    on(map, "pointerdown", (event) => {
      map.setPointerCapture(event.pointerId);
      this.look((view) => view.centre(this.#stage.placeInMap(event, view)));
    });
    on(map, "pointermove", (event) => {
      if (event.buttons > 0) this.look((view) => view.centre(this.#stage.placeInMap(event, view)));
    });
    on(root, "keydown", (event) => {
      if (event.target === root && this.#press(chord(event))) event.preventDefault();
    });
  }

  /** @param {PointerEvent} event */
  #pointer(event) {
    return {
      id: event.pointerId,
      type: event.pointerType,
      buttons: event.buttons,
      alt: event.altKey,
      points: [this.#stage.place(event)],
    };
  }

  /**
   * @param {string} name chord
   * @returns {boolean} whether the key means something here
   */
  #press(name) {
    const step = STEPS[name.replace("Shift+", "")];
    if (step) this.#step(step, name.startsWith("Shift+"));
    else if (name === "+" || name === "=") this.zoomBy(2 ** 0.5);
    else if (name === "-") this.zoomBy(2 ** -0.5);
    else if (name === "Home") this.whole();
    else if (name === "End")
      this.look((view) => view.zoomTo(1, { x: view.screenWidth / 2, y: view.screenHeight / 2 }));
    else if (name === "Ctrl+Z") this.#tell("command", "undo");
    else if (name === "Ctrl+Y" || name === "Ctrl+Shift+Z") this.#tell("command", "redo");
    else if (this.#scene.placing) return this.#resize(name);
    else if (name === "Space" || name === "Enter") this.#pick(null);
    else if (/^[1-9]$/.test(name)) this.#pick(Number(name) - 1);
    else if (name === "Delete" || name === "Backspace" || name === "0") this.#pick(-1);
    else if (name === "N") this.#goToNext();
    else if (name === "Escape") this.#giveUp();
    else return false;
    return true;
  }

  /**
   * @param {[number, number]} step rows and columns
   * @param {boolean} far with Shift: a grid moves faster, a choice of chips grows
   */
  #step([down, right], far) {
    const { grid, placing } = this.#scene;
    if (!grid) return;
    if (placing) {
      const pixels = far ? FAR : 1;
      this.#place(grid.movedTo(grid.top + down * pixels, grid.left + right * pixels));
      return;
    }
    const at = this.#cursor;
    const within = (/** @type {number} */ value, /** @type {number} */ n) =>
      Math.min(n - 1, Math.max(0, value));
    if (!at) {
      const chip = this.#over ?? this.#middleChip();
      const [row, column] = [grid.rowOf(chip), grid.columnOf(chip)];
      this.#cursor = { row, column, toRow: row, toColumn: column };
    } else {
      const toRow = within(at.toRow + down, grid.rows);
      const toColumn = within(at.toColumn + right, grid.columns);
      this.#cursor = far ? { ...at, toRow, toColumn } : { row: toRow, column: toColumn, toRow, toColumn };
    }
    this.#reveal();
  }

  #middleChip() {
    const { grid } = this.#scene;
    const view = this.#screen?.view;
    if (!grid || !view) return 0;
    const middle = view.toImage({ x: view.screenWidth / 2, y: view.screenHeight / 2 });
    return grid.chipAt(middle) ?? 0;
  }

  #reveal() {
    const { grid, describe } = this.#scene;
    const chip = this.#cursorChip();
    if (!grid || chip === null || !this.#screen) return;
    const { left, top, right, bottom } = grid.rect(chip);
    const { view } = this.#screen;
    const seesFirst = view.reveal({ x: left, y: top });
    if (view.reveal({ x: right, y: bottom }) || seesFirst) this.look(() => {});
    this.#over = null;
    const n = this.#chosen().length;
    this.#spoken.textContent = n > 1 ? `${n} chips, up to ${describe(chip)}` : describe(chip);
    this.#screen.touched();
  }

  #chosen() {
    const { grid } = this.#scene;
    return grid && this.#cursor ? grid.chipsOf(this.#cursorBlock()) : [];
  }

  /** @param {number | null} set position; null: the chosen one; -1: none */
  #pick(set) {
    const { grid } = this.#scene;
    if (!grid) return;
    if (!this.#cursor) this.goTo(this.#over ?? this.#middleChip());
    this.#tell("pick", { chips: this.#chosen(), set });
    const chip = this.#cursorChip();
    if (chip !== null) this.#spoken.textContent = this.#scene.describe(chip);
    this.#screen?.touched();
  }

  #goToNext() {
    const { next } = this.#scene;
    const at = next.indexOf(this.#cursorChip() ?? -1);
    const chip = next[(at + 1) % Math.max(1, next.length)];
    if (chip === undefined) this.#tell("command", "next");
    else this.goTo(chip);
  }

  #giveUp() {
    this.#cancel();
    if (this.#cursor)
      this.#cursor = { ...this.#cursor, row: this.#cursor.toRow, column: this.#cursor.toColumn };
  }

  /** @param {string} name chord */
  #resize(name) {
    const { grid } = this.#scene;
    const by = { "[": -1, "]": 1 }[name];
    if (!grid || !by) return false;
    const [low, high] = permittedEdges(grid);
    this.#place(grid.resized(Math.min(high, Math.max(low, grid.edge + by))));
    return true;
  }
}

customElements.define("chip-view", ChipView);
