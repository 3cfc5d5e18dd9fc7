/** Colour and pattern of each set, as the service's figures have them: see icefloe.fewshot.styles. */

/** Side of a pattern's tile, CSS pixels. */
const TILE = 14;
const INK = { under: "rgb(0 0 0 / 0.75)", over: "#ffffff" };

/**
 * What a hatch is drawn with, in a tile of side 1; lines go on in the next tile.
 * @type {Record<string, {lines?: [number, number, number, number][], ring?: number, dot?: number}>}
 */
const HATCHES = {
  ".": { dot: 0.11 },
  o: { ring: 0.24 },
  "-": { lines: [[0, 0.5, 1, 0.5]] },
  "|": { lines: [[0.5, 0, 0.5, 1]] },
  x: {
    lines: [
      [0.25, 0.25, 0.75, 0.75],
      [0.25, 0.75, 0.75, 0.25],
    ],
  },
  "*": {
    lines: [
      [0.5, 0.15, 0.5, 0.85],
      [0.2, 0.32, 0.8, 0.68],
      [0.2, 0.68, 0.8, 0.32],
    ],
  },
  "/": {
    lines: [
      [-0.1, 1.1, 1.1, -0.1],
      [-0.6, 0.6, 0.6, -0.6],
      [0.4, 1.6, 1.6, 0.4],
    ],
  },
};

/** Style of a chip: a set's number, null for unsure. */
/** @typedef {number | null} Style */

export class Styles {
  /** @type {Map<string, CanvasPattern>} */
  #patterns = new Map();

  /**
   * @param {string[]} colours `#rrggbb`; after the last they come again, with other patterns
   * @param {string[]} hatches as Matplotlib names them; empty: plain
   * @param {[string, string]} unsure colour and hatch of unsure chips
   */
  constructor(colours, hatches, unsure) {
    this.colours = colours;
    this.hatches = hatches;
    this.unsure = unsure;
  }

  /**
   * Those that the service has put into the page.
   * @param {HTMLElement} place
   */
  static of({ dataset }) {
    const read = (/** @type {string | undefined} */ text) => JSON.parse(text ?? "[]");
    return new Styles(read(dataset.colours), read(dataset.patterns), read(dataset.unsure));
  }

  /**
   * @param {Style} style
   * @returns {string} `#rrggbb`
   */
  colour(style) {
    return (style === null ? this.unsure[0] : this.colours[style % this.colours.length]) ?? "#888888";
  }

  /**
   * @param {Style} style
   * @returns {string} one sign; empty where it is plain
   */
  hatch(style) {
    const hatch = style === null ? this.unsure[1] : this.hatches[style % this.hatches.length];
    return (hatch ?? "").slice(0, 1);
  }

  /**
   * The pattern alone, on a clear ground.
   * @param {CanvasRenderingContext2D} context
   * @param {Style} style
   * @param {number} ratio canvas pixels in a CSS pixel
   * @returns {CanvasPattern | null} null where it is plain
   */
  pattern(context, style, ratio) {
    const hatch = this.hatch(style);
    if (!hatch) return null;
    const key = `${hatch} ${ratio}`;
    let pattern = this.#patterns.get(key);
    if (!pattern) {
      pattern = /** @type {CanvasPattern} */ (context.createPattern(tile(hatch, ratio), "repeat"));
      this.#patterns.set(key, pattern);
    }
    return pattern;
  }

  /**
   * A small picture of a style.
   * @param {Style} style
   * @param {number} [width] CSS pixels
   * @param {number} [height]
   * @returns {HTMLCanvasElement}
   */
  swatch(style, width = 20, height = 20) {
    const canvas = document.createElement("canvas");
    const ratio = devicePixelRatio;
    canvas.width = Math.max(1, Math.round(width * ratio));
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    canvas.className = "swatch";
    canvas.setAttribute("aria-hidden", "true");
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const pattern = this.pattern(context, style, ratio);
    pattern?.setTransform();
    for (const fill of [this.colour(style), pattern]) {
      if (!fill) continue;
      context.fillStyle = fill;
      context.fillRect(0, 0, canvas.width, canvas.height);
    }
    return canvas;
  }
}

/**
 * @param {string} hatch
 * @param {number} ratio
 */
function tile(hatch, ratio) {
  const side = Math.round(TILE * ratio);
  const canvas = new OffscreenCanvas(side, side);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const { lines = [], ring, dot } = HATCHES[hatch] ?? {};
  const path = new Path2D();
  for (const [x0, y0, x1, y1] of lines) {
    path.moveTo(x0 * side, y0 * side);
    path.lineTo(x1 * side, y1 * side);
  }
  const round = ring ?? dot;
  if (round) path.arc(side / 2, side / 2, round * side, 0, 2 * Math.PI);
  for (const [ink, width] of /** @type {[string, number][]} */ ([
    [INK.under, 2.6],
    [INK.over, 1.2],
  ])) {
    context.strokeStyle = context.fillStyle = ink;
    context.lineWidth = width * ratio;
    context.stroke(path);
    if (dot) context.fill(path);
  }
  return canvas;
}
