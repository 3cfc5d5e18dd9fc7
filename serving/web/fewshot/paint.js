/** Grids, chips and maps drawn over an image; sizes are canvas pixels unless said. */

/** @import {View} from "../editor/view.js" */
/** @import {Grid} from "./grid.js" */
/** @import {Style, Styles} from "./styles.js" */

const LINE = "#ffb000";
const UNDER = "rgb(0 0 0 / 0.6)";
/** Chips of fewer pixels have no lines between them: nothing else would be seen. */
const LEAST_SEEN = 4;

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

/** Chips in their colours and patterns; a frame takes as long for many chips as for few. */
export class ChipMap {
  #grid;
  #styles;
  /** @type {Style[]} that chips have; those without one come first */
  #used;
  /** Of each chip, the place of its style among those used. */
  #places;
  #picture = new ImageData(1, 1);
  /** @type {Uint32Array[]} pictures of the styles used */
  #tiles = [];
  #tilesKey = "";

  /**
   * @param {Grid} grid
   * @param {readonly Style[]} values style of each chip, NONE where it has none
   * @param {Styles} styles
   */
  constructor(grid, values, styles) {
    this.#grid = grid;
    this.#styles = styles;
    this.#used = [...new Set([NONE, ...values])];
    const places = new Map(this.#used.map((style, place) => [style, place]));
    this.#places = Uint8Array.from(values, (style) => places.get(style) ?? 0);
  }

  /**
   * The chips in sight, on a clear ground.
   * @param {View} view
   * @param {number} opacity 0..1
   * @param {number} ratio canvas pixels in a CSS pixel
   * @returns {ImageData} of the view's canvas; the next call changes it
   */
  picture(view, opacity, ratio) {
    const { screenWidth, screenHeight } = view;
    if (this.#picture.width !== screenWidth || this.#picture.height !== screenHeight)
      this.#picture = new ImageData(screenWidth, screenHeight);
    const key = `${opacity} ${ratio}`;
    if (key !== this.#tilesKey) {
      this.#tiles = this.#used.map((style) =>
        style === NONE ? this.#styles.clear(ratio) : this.#styles.tile(style, opacity, ratio),
      );
      this.#tilesKey = key;
    }
    const pixels = new Uint32Array(this.#picture.data.buffer);
    fillChips(pixels, screenWidth, placed(view, this.#grid), this.#grid, this.#places, this.#tiles);
    return this.#picture;
  }
}

/**
 * Fill canvas pixels with the tiles of the chips that they show; patterns begin at the grid's corner.
 * @param {Uint32Array} pixels row by row
 * @param {number} width of the canvas
 * @param {{x: number, y: number, size: number}} placed the first chip's corner, and a chip's edge
 * @param {{rows: number, columns: number}} grid
 * @param {Uint8Array} places of each chip, which tile
 * @param {Uint32Array[]} tiles square ones of one size, row by row; pixels outside the grid are clear
 */
export function fillChips(pixels, width, { x, y, size }, { rows, columns }, places, tiles) {
  const side = Math.sqrt(tiles[0]?.length ?? 1);
  const height = pixels.length / width;
  const across = along(width, x, size, columns, side);
  const down = along(height, y, size, rows, side);
  for (let j = 0; j < height; j++) {
    const start = j * width;
    const row = down.chips[j] ?? -1;
    if (row < 0) {
      pixels.fill(0, start, start + width);
      continue;
    }
    if (down.chips[j - side] === row) {
      pixels.copyWithin(start, start - side * width, start - side * width + width); // a tile farther up it is the same
      continue;
    }
    const line = (down.tile[j] ?? 0) * side;
    const first = row * columns;
    for (let i = 0; i < width; i++) {
      const column = /** @type {number} */ (across.chips[i]);
      pixels[start + i] =
        column < 0
          ? 0
          : /** @type {number} */ (
              /** @type {Uint32Array} */ (tiles[/** @type {number} */ (places[first + column])])[
                line + /** @type {number} */ (across.tile[i])
              ]
            );
    }
  }
}

/**
 * Along one side of the canvas: the chip of each pixel, -1 outside the grid, and its place in a tile.
 * @param {number} length of the side
 * @param {number} first where the first chip begins
 * @param {number} size of a chip
 * @param {number} n chips
 * @param {number} side of a tile
 */
function along(length, first, size, n, side) {
  const chips = new Int32Array(length);
  const tile = new Uint8Array(length);
  const begin = Math.round(first);
  for (let i = 0; i < length; i++) {
    const chip = Math.floor((i + 0.5 - first) / size);
    chips[i] = chip >= 0 && chip < n ? chip : -1;
    tile[i] = (((i - begin) % side) + side) % side;
  }
  return { chips, tile };
}
