/** Grids, chips and maps drawn over an image; sizes are canvas pixels unless said. */

/** @import {View} from "../editor/view.js" */
/** @import {Grid} from "./grid.js" */
/** @import {Style, Styles} from "./styles.js" */

const LINE = "#ffb000";
const UNDER = "rgb(0 0 0 / 0.6)";
/** Chips of fewer pixels have no lines between them: nothing else would be seen. */
const LEAST_SEEN = 4;

/** Patterns are more opaque than colours; unsure chips have no colour, so theirs is still more so. */
const MORE = 0.1;
const UNSURE_MORE = 0.4;

/** Stands for a chip that has no style. */
export const NONE = -1;

/**
 * Where a grid's first chip is, and how large chips are.
 * @param {View} view
 * @param {Grid} grid
 */
function placed(view, grid) {
  return { ...view.toScreen({ x: grid.left, y: grid.top }), size: grid.edge * view.zoom };
}

/**
 * The grid's lines, those in sight.
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {Grid} grid
 * @param {number} ratio canvas pixels in a CSS pixel
 */
export function drawLines(context, view, grid, ratio) {
  const { x, y, size } = placed(view, grid);
  const right = x + grid.columns * size;
  const bottom = y + grid.rows * size;
  const dense = size < LEAST_SEEN * ratio;
  const seen = (/** @type {number} */ first, /** @type {number} */ n, /** @type {number} */ length) => {
    if (dense) return [first, first + n * size];
    const from = Math.max(0, Math.ceil(-first / size));
    const to = Math.min(n, Math.floor((length - first) / size));
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, k) => first + (from + k) * size);
  };
  const columns = seen(x, grid.columns, view.screenWidth);
  const rows = seen(y, grid.rows, view.screenHeight);
  const fine = size > 12 * ratio;
  for (const [ink, width] of /** @type {[string, number][]} */ (
    fine
      ? [
          [UNDER, 3 * ratio],
          [LINE, ratio],
        ]
      : [[LINE, ratio]]
  )) {
    context.fillStyle = ink;
    for (const place of columns) context.fillRect(Math.round(place - width / 2), y, width, bottom - y);
    for (const place of rows) context.fillRect(x, Math.round(place - width / 2), right - x, width);
  }
}

/**
 * Frames around chips, those in sight, and what is written into them where there is room.
 * @param {CanvasRenderingContext2D} context
 * @param {View} view
 * @param {Grid} grid
 * @param {Iterable<{chip: number, colour: string, text: string}>} chips
 * @param {number} ratio
 */
export function drawFrames(context, view, grid, chips, ratio) {
  const { x, y, size } = placed(view, grid);
  const rim = Math.min(3 * ratio, Math.max(ratio, size / 12));
  const font = Math.round(Math.min(14 * ratio, size / 2));
  const isLegible = font >= 8 * ratio;
  context.font = `600 ${font}px system-ui, sans-serif`;
  context.textBaseline = "top";
  for (const { chip, colour, text } of chips) {
    const left = x + grid.columnOf(chip) * size;
    const top = y + grid.rowOf(chip) * size;
    if (left > view.screenWidth || top > view.screenHeight || left + size < 0 || top + size < 0) continue;
    for (const [ink, width] of /** @type {[string, number][]} */ ([
      ["#000000", rim + 2 * ratio],
      [colour, rim],
    ])) {
      context.strokeStyle = ink;
      context.lineWidth = width;
      context.strokeRect(
        left + rim / 2 + ratio,
        top + rim / 2 + ratio,
        size - rim - 2 * ratio,
        size - rim - 2 * ratio,
      );
    }
    if (!isLegible || !text) continue;
    const place = [left + rim + 3 * ratio, top + rim + 3 * ratio];
    context.lineJoin = "round";
    context.lineWidth = 3 * ratio;
    context.strokeStyle = "#000000";
    context.strokeText(text, place[0] ?? 0, place[1] ?? 0);
    context.fillStyle = "#ffffff";
    context.fillText(text, place[0] ?? 0, place[1] ?? 0);
  }
}

/** Chips in their colours and patterns; made once, drawn at any zoom. */
export class ChipMap {
  #grid;
  #styles;
  /** A pixel a chip. */
  #colours;
  /** @type {Map<Style, Path2D>} of each pattern its chips, in units of chips */
  #paths = new Map();

  /**
   * @param {Grid} grid
   * @param {readonly Style[]} values style of each chip, NONE where it has none
   * @param {Styles} styles
   */
  constructor(grid, values, styles) {
    this.#grid = grid;
    this.#styles = styles;
    this.#colours = new OffscreenCanvas(Math.max(1, grid.columns), Math.max(1, grid.rows));
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (this.#colours.getContext("2d"));
    const picture = new ImageData(this.#colours.width, this.#colours.height);
    const pixels = new Uint32Array(picture.data.buffer);
    /** @type {Map<Style, number>} */
    const words = new Map();
    for (const style of new Set(values)) words.set(style, style === NONE ? 0 : word(styles.colour(style)));
    values.forEach((style, chip) => {
      // Unsure chips are hatched, and let the image through.
      pixels[chip] = style === null ? 0 : (words.get(style) ?? 0);
    });
    context.putImageData(picture, 0, 0);
    for (const { style, row, column, length } of runs(grid, values)) {
      if (style === NONE || !styles.hatch(style)) continue;
      const path = this.#paths.get(style) ?? new Path2D();
      this.#paths.set(style, path);
      path.rect(column, row, length, 1);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {View} view
   * @param {number} opacity 0..1
   * @param {number} ratio canvas pixels in a CSS pixel
   */
  draw(context, view, opacity, ratio) {
    const { x, y, size } = placed(view, this.#grid);
    context.save();
    context.imageSmoothingEnabled = false;
    context.globalAlpha = opacity;
    context.drawImage(this.#colours, x, y, this.#grid.columns * size, this.#grid.rows * size);
    context.setTransform(size, 0, 0, size, x, y);
    for (const [style, path] of this.#paths) {
      const pattern = this.#styles.pattern(context, style, ratio);
      if (!pattern || opacity === 0) continue;
      context.globalAlpha = Math.min(1, (style === null ? UNSURE_MORE : MORE) + opacity);
      pattern.setTransform({ a: 1 / size, d: 1 / size });
      context.fillStyle = pattern;
      context.fill(path);
    }
    context.restore();
  }
}

/**
 * Chips of one style that lie beside each other, row by row.
 * @param {Pick<Grid, "rows" | "columns">} grid
 * @param {readonly Style[]} values
 * @returns {{style: Style, row: number, column: number, length: number}[]}
 */
export function runs({ rows, columns }, values) {
  const found = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; ) {
      const style = values[row * columns + column] ?? null;
      let end = column + 1;
      while (end < columns && values[row * columns + end] === style) end++;
      found.push({ style, row, column, length: end - column });
      column = end;
    }
  }
  return found;
}

/**
 * A colour as a word in the byte order of canvas pixels.
 * @param {string} colour `#rrggbb`
 */
function word(colour) {
  const value = Number.parseInt(colour.slice(1), 16);
  return ((255 << 24) | ((value & 255) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}
