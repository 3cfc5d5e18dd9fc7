/** Arithmetic on pixels: contrast, and where masks change. */

/** Share of the values at either end that contrast leaves out: hot pixels and dead ones. */
const CUT = 0.005;

/**
 * Values as grey levels.
 * @param {Uint16Array} values
 * @returns {Uint8Array} 0 to 255, of the same length
 */
export function levels(values) {
  const sorted = Uint16Array.from(values).sort();
  const at = (/** @type {number} */ share) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const low = at(CUT);
  const range = Math.max(1, at(1 - CUT) - low);
  return Uint8Array.from(values, (value) =>
    Math.max(0, Math.min(255, Math.round((255 * (value - low)) / range))),
  );
}

/**
 * Pixels that have another class to the right of them or below.
 * @param {ArrayLike<number>} classes class of each pixel, rows from the top
 * @param {number} width
 * @param {number} reach how far is looked, in pixels: how thick the line is
 * @returns {Uint8Array} 1 where there is an edge
 */
export function edges(classes, width, reach) {
  const height = classes.length / width;
  return Uint8Array.from({ length: classes.length }, (_, place) => {
    const x = place % width;
    const y = (place - x) / width;
    const right = classes[place - x + Math.min(width - 1, x + reach)];
    const below = classes[Math.min(height - 1, y + reach) * width + x];
    return classes[place] !== right || classes[place] !== below ? 1 : 0;
  });
}
