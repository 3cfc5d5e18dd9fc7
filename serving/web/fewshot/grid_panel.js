/** The grid's controls: edge by slider and number, the suggested edge, where chips are. */

/** @import {Advice, Embedding} from "./types.js" */

import { Curve } from "../charts/curve.js";
import { edgeOf, Grid, permittedEdges, SLIDER_STEPS, sliderOf } from "./grid.js";

/** Half of a slider's thumb, CSS pixels: its middle never reaches the track's ends. */
const HALF_THUMB = 8;
/** Edge that is often right, where the image has not been looked at yet. */
export const USUAL = 50;

/** Distances that are shown, in suggested edges. */
const SHOWN_EDGES = 3;

/** @template {HTMLElement} T */
const byId = (/** @type {string} */ id) => /** @type {T} */ (document.getElementById(id));

/**
 * @typedef {object} GridActions
 * @property {(grid: Grid) => void} place the grid is another, not kept yet
 * @property {(grid: Grid) => void} use
 * @property {() => void} begin a new one
 * @property {() => void} keep the old one
 */

export class GridPanel {
  #slider = /** @type {HTMLInputElement} */ (byId("edge-slider"));
  #number = /** @type {HTMLInputElement} */ (byId("edge"));
  #suggest = /** @type {HTMLButtonElement} */ (byId("suggest"));
  #use = /** @type {HTMLButtonElement} */ (byId("use-grid"));
  #range;
  #actions;
  /** @type {Grid} */
  #grid;

  /**
   * @param {{height: number, width: number}} image
   * @param {GridActions} actions
   */
  constructor(image, actions) {
    this.#actions = actions;
    this.#range = permittedEdges(image);
    const [low, high] = this.#range;
    this.#grid = new Grid(image, { edge: Math.min(high, Math.max(low, USUAL)), top: 0, left: 0 });
    this.#number.min = String(low);
    this.#number.max = String(high);
    this.#slider.max = String(SLIDER_STEPS);
    this.#slider.addEventListener("input", () =>
      this.#resize(edgeOf(Number(this.#slider.value), this.#range)),
    );
    this.#slider.addEventListener("keydown", (event) => this.#stepBy(event));
    this.#number.addEventListener("input", () => this.#typed());
    this.#suggest.addEventListener("click", () => this.#resize(Number(this.#suggest.dataset.edge)));
    this.#use.addEventListener("click", () => actions.use(this.#grid));
    byId("keep-grid").addEventListener("click", () => actions.keep());
    byId("new-grid").addEventListener("click", () => actions.begin());
  }

  /** The grid that is being placed. */
  get grid() {
    return this.#grid;
  }

  /** @param {Grid} grid */
  show(grid) {
    this.#grid = grid;
    const { edge, rows, columns, nChips, top, left } = grid;
    this.#slider.value = String(sliderOf(edge, this.#range));
    this.#slider.setAttribute("aria-valuetext", `${edge} px`);
    if (this.#number.value !== String(edge)) this.#number.value = String(edge);
    this.#number.removeAttribute("aria-invalid");
    this.#use.disabled = false;
    byId("grid-words").textContent =
      `${rows} ${rows === 1 ? "row" : "rows"} of ${columns}: ${nChips} chips, from ${left} px right and ${top} px down.`;
  }

  /**
   * @param {boolean} placing
   * @param {Grid | null} kept
   */
  setPlacing(placing, kept) {
    byId("placing").hidden = !placing;
    byId("placed").hidden = placing;
    byId("keep-grid").hidden = kept === null;
    if (kept)
      byId("placed-words").textContent =
        `${kept.edge} px: ${kept.rows} ${kept.rows === 1 ? "row" : "rows"} of ${kept.columns}, ${kept.nChips} chips.`;
  }

  /**
   * Mark the edge that suits the image.
   * @param {Advice} advice
   */
  advise(advice) {
    const { edge, period_px, correlation_px, lags_px, autocorrelation, sentence } = advice;
    const share = sliderOf(edge, this.#range) / SLIDER_STEPS;
    const mark = byId("suggested-mark");
    mark.style.left = `calc(${HALF_THUMB}px + ${share} * (100% - ${2 * HALF_THUMB}px))`;
    mark.hidden = false;
    this.#suggest.textContent = `Suggested: ${edge} px`;
    this.#suggest.dataset.edge = String(edge);
    this.#suggest.hidden = false;
    const why = byId("why-edge");
    why.hidden = false;
    /** @type {HTMLElement} */ (why.querySelector("p")).textContent = sentence;
    const n = lags_px.filter((lag) => lag <= SHOWN_EDGES * edge).length;
    const lags = lags_px.slice(0, n);
    const moments = { title: "Distance", unit: "px", values: lags, names: lags.map(() => "autocorrelation") };
    const quantity = { title: "Autocorrelation", unit: "", values: autocorrelation.slice(0, n) };
    // A closed element has no size, and a plot needs one.
    why.addEventListener(
      "toggle",
      () => {
        const curve = new Curve(moments, quantity, () => {});
        why.querySelector("div")?.replaceChildren(curve.figure);
        const nearest = lags.findIndex((lag) => lag >= (period_px ?? correlation_px));
        curve.mark(Math.max(0, nearest));
      },
      { once: true },
    );
  }

  /** @param {Embedding} embedding */
  showEmbedding({ state, done, total, detail }) {
    const words = {
      none: "",
      waiting: "Chips are embedded as soon as a worker is free. Choose supports meanwhile.",
      running: `${detail || "Chips are embedded"}${total ? `: ${done} of ${total}` : ""}. Choose supports meanwhile.`,
      done: "The chips are embedded.",
      failed: `The chips could not be embedded: ${detail}`,
    };
    byId("embedding").textContent = words[state];
    const bar = /** @type {HTMLProgressElement} */ (byId("embedding-bar"));
    bar.hidden = state !== "waiting" && state !== "running";
    if (total) {
      bar.max = total;
      bar.value = done;
    } else bar.removeAttribute("value");
  }

  /** @param {number} edge */
  #resize(edge) {
    this.#actions.place(this.#grid.resized(edge));
  }

  #typed() {
    const edge = Number(this.#number.value);
    const [low, high] = this.#range;
    if (Number.isInteger(edge) && edge >= low && edge <= high) {
      this.#resize(edge);
      return;
    }
    this.#number.setAttribute("aria-invalid", "true");
    this.#use.disabled = true;
    byId("grid-words").textContent = `This image takes an edge of ${low} to ${high} px.`;
  }

  /** @param {KeyboardEvent} event a pixel a key, wherever on the slider */
  #stepBy(event) {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[
      event.key
    ];
    if (!by) return;
    event.preventDefault();
    const [low, high] = this.#range;
    this.#resize(Math.min(high, Math.max(low, this.#grid.edge + by)));
  }
}
