/** Chance that comes out the same every time, so that a failing test fails again. */

/**
 * Numbers in [0, 1) of a linear congruential generator (Numerical Recipes' constants).
 * @param {number} seed
 * @returns {() => number}
 */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * A mask of blobs: smoother than noise, so that it has regions, holes and specks.
 * @param {number} width
 * @param {number} height
 * @param {number[]} classes that it has
 * @param {() => number} next
 * @returns {Uint8Array}
 */
export function blobs(width, height, classes, next) {
  const mask = new Uint8Array(width * height).fill(classes[0]);
  for (let n = 0; n < (width * height) / 20; n++) {
    const x = Math.floor(next() * width);
    const y = Math.floor(next() * height);
    const value = classes[Math.floor(next() * classes.length)];
    const side = 1 + Math.floor(next() * 5);
    for (let j = y; j < Math.min(height, y + side); j++)
      mask.fill(value, j * width + x, j * width + Math.min(width, x + side));
  }
  return mask;
}
