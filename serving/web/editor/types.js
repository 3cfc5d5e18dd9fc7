/**
 * Shapes that the editor's modules hand each other; lengths are in image pixels unless another unit is said.
 *
 * @typedef {{x: number, y: number}} Point
 *
 * @typedef {object} Rect whole pixels, right and bottom not included
 * @property {number} left
 * @property {number} top
 * @property {number} right
 * @property {number} bottom
 *
 * @typedef {object} Selection some pixels of an image
 * @property {Rect} rect around them
 * @property {Uint8Array} inside one byte a pixel of `rect`, row by row: 1 where the pixel is meant
 *
 * @typedef {object} SavedStep
 * @property {Rect} rect
 * @property {Uint8Array} runs see history.js
 *
 * @typedef {object} SavedHistory survives structured clone, thus IndexedDB
 * @property {SavedStep[]} steps
 * @property {number} position how many of them are done; those behind it were undone
 *
 * @typedef {object} OpenImage what `editor.open` takes; every plane is row by row and of one size
 * @property {Uint16Array} pixels
 * @property {number} height
 * @property {number} width
 * @property {number} scale value shown = pixel x scale + offset
 * @property {number} offset
 * @property {Uint8Array} mask class index of each pixel, 255 = ignore
 * @property {string[]} classes names by class index; the first is what lies behind everything else
 * @property {Uint8Array | null} probability of the foreground, 0..255
 * @property {Uint8Array | null} uncertainty 0..255
 * @property {Uint8Array | null} previousMask mask of the series' previous labelled frame
 * @property {number | null} pixelSizeNm side of a pixel in nm
 * @property {SavedHistory | null} history from `saveHistory`, made with this mask
 * @property {Uint8Array} [original] the mask before any change, if `mask` is a draft
 * @property {Rect[]} [regions] what is to be labelled, the rest is locked; none: all of it
 */
export {};
