/**
 * Changes of one class by shape. Regions of the class are joined by sides and corners (8-connected), what is
 * not of it by sides only (4-connected). Each function selects the pixels to change; who paints them leaves
 * protected classes out. Pixels to be ignored are never selected.
 */

/** @import {Selection} from "./types.js" */

import { IGNORE } from "./edited_mask.js";

/**
 * What lies enclosed in regions of a class.
 * @param {Uint8Array} mask shape (height, width)
 * @param {number} width
 * @param {number} height
 * @param {number} value the class
 * @returns {Selection} to become `value`
 */
export function holes(mask, width, height, value) {
  const regions = runsOf(mask, width, height, (one) => one !== value, 0);
  return selected(width, height, (inside) => {
    regions.forEach(({ row, first, end, atBorder }) => {
      if (atBorder) return;
      for (let i = row * width + first; i < row * width + end; i++) inside[i] = +(mask[i] !== IGNORE);
    });
  });
}

/**
 * Regions of a class smaller than a number of pixels.
 * @param {Uint8Array} mask shape (height, width)
 * @param {number} width
 * @param {number} height
 * @param {number} value the class
 * @param {number} smallest pixels that a region needs to stay
 * @returns {Selection} to become background
 */
export function specks(mask, width, height, value, smallest) {
  const regions = runsOf(mask, width, height, (one) => one === value, 1);
  return selected(width, height, (inside) => {
    regions.forEach(({ row, first, end, size }) => {
      if (size < smallest) inside.fill(1, row * width + first, row * width + end);
    });
  });
}

/**
 * The rim of one pixel around regions of a class: pixels beside one of it, not those at corners.
 * @param {Uint8Array} mask shape (height, width)
 * @param {number} width
 * @param {number} height
 * @param {number} value the class
 * @returns {Selection} to become `value`
 */
export function outerRim(mask, width, height, value) {
  return selected(width, height, (inside) => {
    eachBeside(mask, width, height, (i, neighbour) => {
      if (mask[i] !== value && mask[i] !== IGNORE && mask[neighbour] === value) inside[i] = 1;
    });
  });
}

/**
 * The outermost pixels of regions of a class: those beside another class. The image's edge and pixels to be
 * ignored do not count as another class, for what lies there is not known.
 * @param {Uint8Array} mask shape (height, width)
 * @param {number} width
 * @param {number} height
 * @param {number} value the class
 * @returns {Selection} to become background
 */
export function innerRim(mask, width, height, value) {
  return selected(width, height, (inside) => {
    eachBeside(mask, width, height, (i, neighbour) => {
      if (mask[i] === value && mask[neighbour] !== value && mask[neighbour] !== IGNORE) inside[i] = 1;
    });
  });
}

/**
 * @param {number} width
 * @param {number} height
 * @param {(inside: Uint8Array) => void} fill
 * @returns {Selection}
 */
function selected(width, height, fill) {
  const inside = new Uint8Array(width * height);
  fill(inside);
  return { rect: { left: 0, top: 0, right: width, bottom: height }, inside };
}

/**
 * Visit each pixel with each of its four neighbours that is of another class.
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {number} height
 * @param {(i: number, neighbour: number) => void} visit
 */
function eachBeside(mask, width, height, visit) {
  /** @type {typeof visit} */
  const both = (i, j) => {
    visit(i, j);
    visit(j, i);
  };
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const i = y * width + x;
      if (x + 1 < width && mask[i] !== mask[i + 1]) both(i, i + 1);
      if (y + 1 < height && mask[i] !== mask[i + width]) both(i, i + width);
    }
}

/**
 * @typedef {object} Run pixels first..end-1 of a row
 * @property {number} row
 * @property {number} first
 * @property {number} end
 * @property {number} region a number that the runs of a region have in common
 * @property {number} size pixels of its region
 * @property {boolean} atBorder whether its region touches the image's edge
 */

/**
 * The regions of some classes, as runs along rows joined by union-find: a region is as quick as its outline
 * is short.
 * @param {Uint8Array} mask
 * @param {number} width
 * @param {number} height
 * @param {(value: number) => boolean} belongs
 * @param {0 | 1} corners 1: pixels that touch by a corner are joined, too
 * @returns {{forEach: (visit: (run: Run) => void) => void}}
 */
export function runsOf(mask, width, height, belongs, corners) {
  const member = Uint8Array.from({ length: 256 }, (_, value) => +belongs(value));
  /** @type {number[]} */ const rows = [];
  /** @type {number[]} */ const firsts = [];
  /** @type {number[]} */ const ends = [];
  /** @type {number[]} */ const parents = [];

  /** @param {number} run */
  const root = (run) => {
    while (parents[run] !== run) {
      parents[run] = parents[parents[run]];
      run = parents[run];
    }
    return run;
  };

  let above = 0;
  for (let row = 0; row < height; row++) {
    const current = rows.length;
    let upper = above;
    for (let x = 0; x < width; x++) {
      if (!member[mask[row * width + x]]) continue;
      const first = x;
      while (x < width && member[mask[row * width + x]]) x++;
      const run = rows.length;
      rows.push(row);
      firsts.push(first);
      ends.push(x);
      parents.push(run);
      while (upper < current && ends[upper] + corners <= first) upper++;
      for (let i = upper; i < current && firsts[i] < x + corners; i++) parents[root(run)] = root(i);
    }
    above = current;
  }

  const sizes = new Uint32Array(rows.length);
  const borders = new Uint8Array(rows.length);
  rows.forEach((row, run) => {
    const atBorder = row === 0 || row === height - 1 || firsts[run] === 0 || ends[run] === width;
    sizes[root(run)] += ends[run] - firsts[run];
    borders[root(run)] |= +atBorder;
  });
  return {
    forEach(visit) {
      rows.forEach((row, run) => {
        const region = root(run);
        visit({
          row,
          first: firsts[run],
          end: ends[run],
          region,
          size: sizes[region],
          atBorder: borders[region] === 1,
        });
      });
    },
  };
}
