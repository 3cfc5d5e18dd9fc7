/** Canvas pixels from planes, only where asked. */

/** @import {Pyramid} from "./pyramid.js" */
/** @import {Rect} from "./types.js" */
/** @import {View} from "./view.js" */

import { packed, STRIPE } from "./colour.js";
import { IGNORE } from "./edited_mask.js";

const AROUND = packed(40, 40, 40);
const FRAME = packed(255, 255, 255);
const OPAQUE = packed(0, 0, 0);

/**
 * @typedef {object} Look
 * @property {Uint8Array} tone grey of each 16-bit value
 * @property {Uint32Array} table colour of each (byte of `layer`, grey)
 * @property {boolean} stripes whether 255 in the layer is to be ignored, and striped
 * @property {Uint32Array} lines colour of the outline of each class
 *
 * @typedef {object} Planes
 * @property {Pyramid} image
 * @property {Pyramid} layer what is laid over it
 * @property {Pyramid | null} outlined classes whose regions get an outline
 */

/**
 * Colour a part of the canvas.
 * @param {Uint32Array} screen canvas pixels, shape (view.screenHeight, view.screenWidth)
 * @param {Rect} rect of the canvas
 * @param {View} view
 * @param {Planes} planes
 * @param {Look} look
 */
export function paint(screen, rect, view, { image, layer, outlined }, { tone, table, stripes, lines }) {
  const n = Math.min(view.level, image.levels.length - 1);
  const { data: values, width, height } = image.levels[n];
  const over = layer.levels[n].data;
  const classes = outlined?.levels[n].data;
  const size = 2 ** n;
  const across = rect.right - rect.left;
  const columns = sampled(rect.left, across, view.left, view.zoom, size, width);
  const rows = sampled(rect.top, rect.bottom - rect.top, view.top, view.zoom, size, height);

  for (let j = 1; j < rows.length - 1; j++) {
    const start = (rect.top + j - 1) * view.screenWidth + rect.left;
    const row = rows[j];
    if (row < 0) {
      screen.fill(AROUND, start, start + across);
      continue;
    }
    // Above 100 % most rows are as the one above.
    const alike = !classes || (rows[j - 2] === row && rows[j + 1] === row);
    if (j > 1 && alike && rows[j - 1] === row) {
      screen.copyWithin(start, start - view.screenWidth, start - view.screenWidth + across);
      continue;
    }
    const above = rows[j - 1] < 0 ? row : rows[j - 1];
    const below = rows[j + 1] < 0 ? row : rows[j + 1];
    let last = -1;
    let colour = AROUND;
    for (let i = 1; i <= across; i++) {
      const column = columns[i];
      if (column < 0) {
        screen[start + i - 1] = AROUND;
        continue;
      }
      if (column !== last) {
        const p = row * width + column;
        const byte = over[p];
        const part = stripes && byte === IGNORE && ((row + column) & 4) === 0 ? STRIPE : byte;
        colour = table[(part << 8) | tone[values[p]]];
        last = column;
      }
      screen[start + i - 1] = colour;
      if (classes) {
        const own = classes[row * width + column];
        if (own === 0) continue;
        const left = columns[i - 1] < 0 ? column : columns[i - 1];
        const right = columns[i + 1] < 0 ? column : columns[i + 1];
        const inner =
          classes[row * width + left] === own &&
          classes[row * width + right] === own &&
          classes[above * width + column] === own &&
          classes[below * width + column] === own;
        if (!inner) screen[start + i - 1] = lines[own];
      }
    }
  }
}

/**
 * Darken what is painted outside of some parts of the image, and frame these.
 * @param {Uint32Array} screen as for `paint`
 * @param {Rect} rect of the canvas, just painted
 * @param {View} view
 * @param {Rect[]} parts of the image
 */
export function dim(screen, rect, view, parts) {
  const onCanvas = parts.map(({ left, top, right, bottom }) => ({
    left: firstWithin(left, view.left, view.zoom),
    top: firstWithin(top, view.top, view.zoom),
    right: firstWithin(right, view.left, view.zoom),
    bottom: firstWithin(bottom, view.top, view.zoom),
  }));
  for (let y = rect.top; y < rect.bottom; y++) {
    const start = y * view.screenWidth;
    const spans = onCanvas.filter(({ top, bottom }) => y >= top && y < bottom);
    spans.sort((a, b) => a.left - b.left);
    let x = rect.left;
    for (const { left, right } of spans) {
      darken(screen, start + x, start + Math.min(left, rect.right));
      x = Math.max(x, Math.min(right, rect.right));
    }
    darken(screen, start + x, start + rect.right);
  }
  for (const { left, top, right, bottom } of onCanvas) {
    const frame = { left: left - 1, top: top - 1, right: right + 1, bottom: bottom + 1 };
    for (let y = Math.max(frame.top, rect.top); y < Math.min(frame.bottom, rect.bottom); y++) {
      const isEdge = y === frame.top || y === bottom;
      for (let x = Math.max(frame.left, rect.left); x < Math.min(frame.right, rect.right); x++)
        if (isEdge || x === frame.left || x === right) screen[y * view.screenWidth + x] = FRAME;
        else x = Math.max(x, Math.min(right, rect.right) - 1); // nothing to draw between the edges
    }
  }
}

/**
 * The first canvas pixel whose middle shows an image position or what lies behind it.
 * @param {number} position
 * @param {number} origin image position of canvas position 0
 * @param {number} zoom
 */
function firstWithin(position, origin, zoom) {
  return Math.ceil((position - origin) * zoom - 0.5);
}

/**
 * Leave three eighths of the brightness.
 * @param {Uint32Array} screen
 * @param {number} first
 * @param {number} end
 */
function darken(screen, first, end) {
  for (let i = first; i < end; i++) {
    const colour = screen[i];
    screen[i] = (OPAQUE | (((colour >>> 2) & 0x3f3f3f) + ((colour >>> 3) & 0x1f1f1f))) >>> 0;
  }
}

/**
 * Which pixels of a level a row of canvas pixels shows, with one more at either end.
 * @param {number} first canvas pixel
 * @param {number} count
 * @param {number} origin image position of canvas position 0
 * @param {number} zoom
 * @param {number} size image pixels a level's pixel is across
 * @param {number} most pixels that the level has
 * @returns {Int32Array} -1 outside the image
 */
function sampled(first, count, origin, zoom, size, most) {
  const places = new Int32Array(count + 2);
  for (let i = 0; i < count + 2; i++) {
    const place = Math.floor((origin + (first + i - 0.5) / zoom) / size);
    places[i] = place >= 0 && place < most ? place : -1;
  }
  return places;
}
