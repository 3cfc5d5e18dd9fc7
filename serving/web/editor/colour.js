/**
 * From a 16-bit value and a byte (class, probability, uncertainty) to a colour, by two look-ups:
 * `table[byte * 256 + tone[value]]`. Colours are 32-bit words in the byte order of canvas pixels.
 */

import { COLOUR_MAPS } from "./colour_maps.js";

/** Colours of classes 1 to 9: Okabe and Ito's, told apart with any kind of colour vision, and R's grey. */
export const CLASS_COLOURS = [
  [230, 159, 0],
  [86, 180, 233],
  [0, 158, 115],
  [240, 228, 66],
  [0, 114, 178],
  [213, 94, 0],
  [204, 121, 167],
  [0, 0, 0],
  [153, 153, 153],
];

/** Colours of what was changed: 1 added, 2 taken away, 3 another class. */
export const CHANGE_COLOURS = [CLASS_COLOURS[4], CLASS_COLOURS[5], CLASS_COLOURS[3]];

/** Row of a table for every other stripe of pixels that are to be ignored: no class is like them. */
export const STRIPE = 256;
const ROWS = 257;

/**
 * @param {number} red 0..255
 * @param {number} green
 * @param {number} blue
 * @returns {number} opaque
 */
export function packed(red, green, blue) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/**
 * Grey of every 16-bit value.
 * @param {number} window width of the range of values that goes from black to white, > 0
 * @param {number} level value in its middle
 * @param {number} gamma > 0; above 1 the middle is darker
 * @returns {Uint8Array} 65536 greys
 */
export function toneTable(window, level, gamma) {
  const tone = new Uint8Array(65536);
  const low = level - window / 2;
  for (let value = 0; value < 65536; value++) {
    const share = Math.min(1, Math.max(0, (value - low) / window));
    tone[value] = Math.round(255 * (gamma === 1 ? share : share ** gamma));
  }
  return tone;
}

/**
 * Colours of classes laid over grey; class 0 lets the image through.
 * @param {number[][]} colours of classes 1, 2, ...; classes beyond them take them in turn
 * @param {number} opacity 0..1
 * @returns {Uint32Array} 257 rows of 256
 */
export function classTable(colours, opacity) {
  const table = new Uint32Array(ROWS * 256);
  for (let row = 0; row < ROWS; row++) {
    const [colour, share] = row === 0 ? [[0, 0, 0], 0] : [colours[(row - 1) % colours.length], opacity];
    if (row < 255) fillRow(table, row, colour, share);
    else fillRow(table, row, row === STRIPE ? [255, 255, 255] : [0, 0, 0], opacity);
  }
  return table;
}

/**
 * Colours of a map laid over grey.
 * @param {keyof typeof COLOUR_MAPS} name
 * @param {number} opacity 0..1
 * @returns {Uint32Array} 257 rows of 256
 */
export function mapTable(name, opacity) {
  const table = new Uint32Array(ROWS * 256);
  for (let row = 0; row < ROWS; row++) fillRow(table, row, mapColour(name, Math.min(row, 255)), opacity);
  return table;
}

/**
 * @param {keyof typeof COLOUR_MAPS} name
 * @param {number} value 0..255
 * @returns {number[]} red, green, blue
 */
export function mapColour(name, value) {
  return [0, 2, 4].map((place) => Number.parseInt(COLOUR_MAPS[name].substr(6 * value + place, 2), 16));
}

/**
 * @param {Uint32Array} table
 * @param {number} row
 * @param {number[]} colour
 * @param {number} share of the colour
 */
function fillRow(table, row, [red, green, blue], share) {
  for (let grey = 0; grey < 256; grey++) {
    const rest = (1 - share) * grey;
    table[row * 256 + grey] = packed(
      Math.round(rest + share * red),
      Math.round(rest + share * green),
      Math.round(rest + share * blue),
    );
  }
}
