/** A curve with its bands, drawn by uPlot; and its values as a table, for those who don't see it. */

/** @import {Moments, Quantity} from "./words.js" */

import { element } from "../editor/controls.js";
import uPlotJs from "../vendor/uPlot.js";
import { axisTitle, momentAt, range, significant, summary, table, valueAt } from "./words.js";

// The vendored module is plain JavaScript; its package, here for developers only, has the types.
const UPlot = /** @type {typeof import("uplot")} */ (/** @type {unknown} */ (uPlotJs));

const HEIGHT = 260;
const NOTHING = { show: false };
/** Steps of an axis that counts. */
const WHOLE = [1, 2, 5, 10, 20, 50, 100];

/**
 * A colour of the page's style as canvas takes it: themes change it.
 * @param {HTMLElement} probe
 * @param {string} css
 */
function colour(probe, css) {
  probe.style.color = css;
  return getComputedStyle(probe).color;
}

export class Curve {
  /** @type {import("uplot")} */
  #plot;
  #marked = 0;
  #moments;
  #quantity;
  #now = element("span", { class: "now" });
  #tip = element("div", { class: "tooltip", hidden: "" });
  #probe = element("span", { hidden: "" });

  /**
   * @param {Moments} moments
   * @param {Quantity} quantity
   * @param {(place: number) => void} pick called with the moment that somebody clicks
   */
  constructor(moments, quantity, pick) {
    this.#moments = moments;
    this.#quantity = quantity;
    const place = element("div", { class: "plot", role: "img", "aria-label": summary(moments, quantity) });
    this.figure = element(
      "figure",
      { class: "curve" },
      element("figcaption", {}, element("strong", {}, quantity.title), ": ", this.#now),
      element("div", { class: "plot-area" }, place, this.#tip, this.#probe),
      this.#table(),
    );
    const { values, std, low, high } = quantity;
    const add = (/** @type {1 | -1} */ sign) =>
      values.map((value, n) => (value === null || std?.[n] == null ? null : value + sign * std[n]));
    const edges = [high, low, add(1), add(-1)].map((edge) => edge ?? values.map(() => null));
    this.#plot = new UPlot(this.#options(), [moments.values, values, ...edges], place);
    this.#plot.over.addEventListener("click", () => {
      const { idx } = this.#plot.cursor;
      if (idx != null) pick(idx);
    });
    new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0);
      if (width > 0) this.#plot.setSize({ width, height: HEIGHT });
    }).observe(place);
    const redraw = () => this.#plot.redraw();
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    this.mark(0);
  }

  /**
   * Show which moment is looked at.
   * @param {number} place
   */
  mark(place) {
    this.#marked = place;
    this.#now.textContent = valueAt(this.#quantity, place);
    this.#plot.redraw(false);
  }

  /** @returns {import("uplot").Options} */
  #options() {
    const ink = (/** @type {string} */ css) => () => colour(this.#probe, css);
    const line = ink("var(--accent)");
    const edge = { label: "", stroke: "transparent", points: NOTHING };
    const share = (/** @type {number} */ percent) =>
      ink(`color-mix(in srgb, var(--accent) ${percent}%, transparent)`);
    const axis = {
      stroke: ink("var(--quiet)"),
      grid: { stroke: ink("var(--line)"), width: 1 },
      ticks: { stroke: ink("var(--line)"), width: 1 },
      font: "13px system-ui, sans-serif",
      labelFont: "13px system-ui, sans-serif",
      values: (/** @type {unknown} */ _, /** @type {number[]} */ splits) => splits.map(significant),
    };
    const [bottom, top] = range(this.#quantity);
    const times = this.#moments.values;
    const [first = 0, last = 0] = [times[0], times.at(-1)];
    const margin = (last - first) / 50 || 1;
    return {
      width: 320,
      height: HEIGHT,
      legend: NOTHING,
      cursor: { y: false, drag: { x: false, y: false }, points: { fill: line, stroke: line } },
      scales: {
        x: { time: false, range: [first - margin, last + margin] },
        y: { range: [bottom, top] },
      },
      axes: [
        { ...axis, label: axisTitle(this.#moments), incrs: this.#moments.unit ? undefined : WHOLE },
        { ...axis, label: axisTitle(this.#quantity), size: 72 },
      ],
      series: [
        {},
        { label: this.#quantity.title, stroke: line, width: 2, points: { show: true, size: 5, fill: line } },
        edge,
        edge,
        edge,
        edge,
      ],
      bands: [
        { series: [2, 3], fill: share(18) },
        { series: [4, 5], fill: share(32) },
      ],
      hooks: {
        draw: [(plot) => this.#drawMark(plot)],
        setCursor: [(plot) => this.#showTip(plot)],
      },
    };
  }

  /** @param {import("uplot")} plot */
  #drawMark(plot) {
    const x = plot.valToPos(this.#moments.values[this.#marked] ?? 0, "x", true);
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = colour(this.#probe, "var(--warn)");
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.restore();
  }

  /** @param {import("uplot")} plot */
  #showTip(plot) {
    const { idx, left = -1 } = plot.cursor;
    this.#tip.hidden = idx == null || left < 0;
    if (idx == null) return;
    this.#tip.textContent = `${momentAt(this.#moments, idx)}: ${valueAt(this.#quantity, idx)}`;
    const room = plot.width - this.#tip.offsetWidth;
    this.#tip.style.left = `${Math.max(0, Math.min(room, left + 24))}px`;
  }

  #table() {
    const [heads = [], ...rows] = table(this.#moments, this.#quantity);
    return element(
      "details",
      {},
      element("summary", {}, "Values"),
      element(
        "div",
        {
          class: "scroll values",
          role: "region",
          tabindex: "0",
          "aria-label": `Values: ${this.#quantity.title}`,
        },
        element(
          "table",
          {},
          element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", {}, head)))),
          element(
            "tbody",
            {},
            ...rows.map((row) => element("tr", {}, ...row.map((cell) => element("td", {}, cell)))),
          ),
        ),
      ),
    );
  }
}
