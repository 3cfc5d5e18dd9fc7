/** A grid of square chips over an image: where each chip is, and which chips a place or a rectangle meets. */

/** @import {Point, Rect} from "../editor/types.js" */

/** Chips of one image at most; see icefloe.fewshot.grid. */
export const MOST_CHIPS = 50_000;

/**
 * @typedef {object} GridPlace lengths in image pixels
 * @property {number} edge of a chip
 * @property {number} top of the first chip
 * @property {number} left
 */

/** Whole chips from a corner of the image on, numbered from 0 along the rows. */
export class Grid {
  /**
   * @param {{height: number, width: number}} image
   * @param {GridPlace} place
   */
  constructor({ height, width }, { edge, top, left }) {
    this.height = height;
    this.width = width;
    this.edge = edge;
    this.top = top;
    this.left = left;
    this.rows = Math.max(0, Math.floor((height - top) / edge));
    this.columns = Math.max(0, Math.floor((width - left) / edge));
  }

  get nChips() {
    return this.rows * this.columns;
  }

  /** @returns {GridPlace} */
  get place() {
    return { edge: this.edge, top: this.top, left: this.left };
  }

  /**
   * The chip at an image position.
   * @param {Point} point
   * @returns {number | null} null in the margins
   */
  chipAt({ x, y }) {
    const column = Math.floor((x - this.left) / this.edge);
    const row = Math.floor((y - this.top) / this.edge);
    if (row < 0 || column < 0 || row >= this.rows || column >= this.columns) return null;
    return row * this.columns + column;
  }

  /** @param {number} chip */
  rowOf(chip) {
    return Math.floor(chip / this.columns);
  }

  /** @param {number} chip */
  columnOf(chip) {
    return chip % this.columns;
  }

  /**
   * A chip's pixels.
   * @param {number} chip
   * @returns {Rect}
   */
  rect(chip) {
    return this.blockRect({
      left: this.columnOf(chip),
      top: this.rowOf(chip),
      right: this.columnOf(chip) + 1,
      bottom: this.rowOf(chip) + 1,
    });
  }

  /**
   * The block of chips that a rubber band between two image positions meets.
   * @param {Point} from
   * @param {Point} to
   * @returns {Rect | null} columns and rows, right and bottom not included; null if it meets none
   */
  block(from, to) {
    const place = (/** @type {number} */ value, /** @type {number} */ first) =>
      Math.floor((value - first) / this.edge);
    const left = Math.max(0, place(Math.min(from.x, to.x), this.left));
    const top = Math.max(0, place(Math.min(from.y, to.y), this.top));
    const right = Math.min(this.columns, place(Math.max(from.x, to.x), this.left) + 1);
    const bottom = Math.min(this.rows, place(Math.max(from.y, to.y), this.top) + 1);
    return left < right && top < bottom ? { left, top, right, bottom } : null;
  }

  /**
   * Pixels of a block of chips.
   * @param {Rect} block columns and rows
   * @returns {Rect}
   */
  blockRect({ left, top, right, bottom }) {
    return {
      left: this.left + left * this.edge,
      top: this.top + top * this.edge,
      right: this.left + right * this.edge,
      bottom: this.top + bottom * this.edge,
    };
  }

  /**
   * Numbers of a block's chips, ascending.
   * @param {Rect} block columns and rows
   */
  chipsOf({ left, top, right, bottom }) {
    const chips = [];
    for (let row = top; row < bottom; row++)
      for (let column = left; column < right; column++) chips.push(row * this.columns + column);
    return chips;
  }

  /**
   * The same chips moved; as grids repeat, an offset is less than an edge, and leaves one chip at least.
   * @param {number} top whole or not, of any sign
   * @param {number} left
   */
  movedTo(top, left) {
    return new Grid(this, {
      edge: this.edge,
      top: offset(top, this.edge, this.height),
      left: offset(left, this.edge, this.width),
    });
  }

  /**
   * With chips of another size, at the same corner where they fit.
   * @param {number} edge
   */
  resized(edge) {
    return new Grid(this, {
      edge,
      top: offset(this.top, edge, this.height),
      left: offset(this.left, edge, this.width),
    });
  }
}

/**
 * @param {number} wanted
 * @param {number} edge
 * @param {number} length of the image
 */
function offset(wanted, edge, length) {
  const rest = ((Math.round(wanted) % edge) + edge) % edge;
  return Math.max(0, Math.min(rest, length - edge));
}

/**
 * Least and greatest edge of an image's chips.
 * @param {{height: number, width: number}} image
 * @returns {[number, number]}
 */
export function permittedEdges({ height, width }) {
  const high = Math.min(height, width);
  let low = 1;
  while (low < high && Math.floor(height / low) * Math.floor(width / low) > MOST_CHIPS) low++;
  return [low, high];
}

/** Steps of the slider; equal steps are equal ratios, for small edges matter as much as large ones. */
export const SLIDER_STEPS = 1000;

/**
 * Where on the slider an edge is.
 * @param {number} edge
 * @param {[number, number]} range least and greatest edge
 * @returns {number} 0 to SLIDER_STEPS
 */
export function sliderOf(edge, [low, high]) {
  if (high <= low) return 0;
  const share = Math.log(edge / low) / Math.log(high / low);
  return SLIDER_STEPS * Math.min(1, Math.max(0, share));
}

/**
 * The edge at a place of the slider.
 * @param {number} place 0 to SLIDER_STEPS
 * @param {[number, number]} range
 */
export function edgeOf(place, [low, high]) {
  return Math.min(high, Math.max(low, Math.round(low * (high / low) ** (place / SLIDER_STEPS))));
}
