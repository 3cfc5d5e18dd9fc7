/** What comes in from mouse, pen, fingers, wheel and keys. */

/** @import {Activity} from "./activity.js" */
/** @import {Session} from "./session.js" */
/** @import {Stage} from "./stage.js" */

import { chord, commandOf } from "./keys.js";
import { Pointers } from "./pointer.js";

/** A key that is typed into a form is not meant for the editor. */
const FIELDS = "input:not([type=range]), select, textarea, [contenteditable], dialog";
/** Keys that controls have for themselves. */
const BUTTON_KEYS = /^(Enter|Space)$/;
const SLIDER_KEYS = /^(Home|End|(Shift\+)?Arrow.*)$/;
/** Commands that a key held down goes on giving. */
const REPEATED = new Set(["move", "moveFar", "smaller", "larger", "zoomIn", "zoomOut", "undo", "redo"]);
/** CSS pixels of a wheel's turn by which the zoom doubles. */
const DOUBLES = 300;
/** CSS pixels of a wheel's turn in pixels, lines and pages. */
const TURNS = [1, 30, 400];

/**
 * What input is about; both change from image to image.
 * @typedef {object} Focus
 * @property {Session} session
 * @property {Activity} activity
 */

export class Input {
  #element;
  #stage;
  #focus;
  #pointers;

  /**
   * @param {HTMLElement} element keys count while it, or nothing, has the focus
   * @param {Stage} stage
   * @param {() => Focus | null} focus null while no image is open
   */
  constructor(element, stage, focus) {
    this.#element = element;
    this.#stage = stage;
    this.#focus = focus;
    this.#pointers = new Pointers({
      down: (point, erase) => this.#session.put(this.#session.screen.view.toImage(point), erase),
      move: (points) => this.#session.drag(points.map((point) => this.#session.screen.view.toImage(point))),
      up: () => this.#session.lift(),
      cancel: () => this.#session.abandon(),
      hover: (point) => this.#session.hover(this.#session.screen.view.toImage(point)),
      pan: (dx, dy) => this.#session.sight.look((view) => view.pan(dx, dy)),
      zoom: (factor, point) => this.#session.sight.look((view) => view.zoomTo(view.zoom * factor, point)),
    });
  }

  /** @param {AbortSignal} signal ends it */
  listen(signal) {
    const { canvas, map } = this.#stage;
    /**
     * @template {keyof HTMLElementEventMap} T
     * @param {EventTarget} target
     * @param {T} type
     * @param {(event: HTMLElementEventMap[T], focus: Focus) => void} handle
     */
    const on = (target, type, handle) => {
      const whenOpen = (/** @type {Event} */ event) => {
        const focus = this.#focus();
        if (focus) handle(/** @type {HTMLElementEventMap[T]} */ (event), focus);
      };
      target.addEventListener(type, whenOpen, { signal, passive: false });
    };
    on(canvas, "pointerdown", (event, { activity }) => {
      event.preventDefault();
      this.#stage.measure();
      this.#stage.root.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      activity.act(performance.now());
      this.#pointers.down(this.#pointer(event));
    });
    on(canvas, "pointermove", (event, { activity }) => {
      activity.touch(performance.now());
      this.#pointers.move(this.#pointer(event));
    });
    on(canvas, "pointerup", (event) => this.#pointers.up(this.#pointer(event)));
    on(canvas, "pointercancel", (event) => this.#pointers.cancel(this.#pointer(event)));
    on(canvas, "pointerenter", () => this.#stage.measure());
    on(canvas, "pointerleave", (_event, { session }) => session.hover(null));
    on(canvas, "contextmenu", (event) => event.preventDefault());
    on(canvas, "wheel", (event, focus) => this.#wheel(event, focus));
    on(map, "pointerdown", (event, { activity }) => {
      activity.act(performance.now());
      map.setPointerCapture(event.pointerId);
      this.#centre(event);
    });
    on(map, "pointermove", (event) => event.buttons > 0 && this.#centre(event));
    on(document, "keydown", (event, focus) => this.#keyDown(event, focus));
    on(document, "keyup", (event, { session }) => {
      if (commandOf(chord(event)) === "hide") session.sight.unhide();
    });
    window.addEventListener("blur", () => this.#focus()?.session.sight.unhide(), { signal });
    document.addEventListener(
      "visibilitychange",
      () => document.hidden && this.#focus()?.activity.pause(performance.now()),
      { signal },
    );
  }

  get #session() {
    return /** @type {Focus} */ (this.#focus()).session;
  }

  /** @param {PointerEvent} event */
  #pointer(event) {
    const places = event.getCoalescedEvents?.() ?? []; // browsers have it over TLS and on this machine only
    return {
      id: event.pointerId,
      type: event.pointerType,
      buttons: event.buttons,
      alt: event.altKey,
      points: (places.length > 0 ? places : [event]).map((place) => this.#stage.place(place)),
    };
  }

  /** @param {PointerEvent} event in the mini-map */
  #centre(event) {
    this.#session.sight.look((view) => view.centre(this.#stage.placeInMap(event, view)));
  }

  /**
   * @param {WheelEvent} event
   * @param {Focus} focus
   */
  #wheel(event, { session, activity }) {
    event.preventDefault();
    this.#stage.measure();
    activity.wheel(performance.now());
    // A pinch on a touchpad comes as small turns with Ctrl; with Alt some systems turn sideways.
    const turned = (event.deltaY || event.deltaX) * TURNS[event.deltaMode] * (event.ctrlKey ? 4 : 1);
    if (event.altKey) session.resizeBrush(turned < 0);
    else
      session.sight.look((view) =>
        view.zoomTo(view.zoom * 2 ** (-turned / DOUBLES), this.#stage.place(event)),
      );
  }

  /**
   * @param {KeyboardEvent} event
   * @param {Focus} focus
   */
  #keyDown(event, { session, activity }) {
    const target = /** @type {Element} */ (event.target);
    const elsewhere = target !== document.body && !this.#element.contains(target);
    if (this.#element.hidden || elsewhere || target.closest(FIELDS)) return;
    if (event.key === "Alt") event.preventDefault(); // some browsers open their menu when it is let go
    const name = chord(event);
    const command = commandOf(name);
    const own = target.closest("button") ? BUTTON_KEYS : target.closest("input") ? SLIDER_KEYS : null;
    if (!command || own?.test(name)) return;
    event.preventDefault();
    if (event.repeat) activity.touch(performance.now());
    else activity.act(performance.now());
    if (event.repeat && !REPEATED.has(command)) return;
    if (command === "hide") session.sight.see("hidden");
    else session.run(command, name);
  }
}
