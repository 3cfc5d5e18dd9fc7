/** What a histogram of 16-bit values tells. */

/**
 * @param {Uint16Array} values
 * @param {Uint8Array} [inside] only the values at whose place this is not 0
 * @returns {Uint32Array} 65536 counts
 */
export function histogram(values, inside) {
  const counts = new Uint32Array(65536);
  if (inside) for (let i = 0; i < values.length; i++) counts[values[i]] += inside[i] ? 1 : 0;
  else for (let i = 0; i < values.length; i++) counts[values[i]]++;
  return counts;
}

/**
 * The least value that at least a share of all values does not exceed.
 * @param {Uint32Array} counts
 * @param {number} share 0..1
 * @returns {number}
 */
export function percentile(counts, share) {
  const wanted = share * counts.reduce((sum, count) => sum + count, 0);
  let sum = 0;
  for (let value = 0; value < counts.length; value++) {
    sum += counts[value];
    if (sum > 0 && sum >= wanted) return value;
  }
  return counts.length - 1;
}

/**
 * Window and level from the 1st to the 99th percentile.
 * @param {Uint32Array} counts
 */
export function clearContrast(counts) {
  const [low, high] = [0.01, 0.99].map((share) => percentile(counts, share));
  return { window: Math.max(1, high - low), level: Math.round((low + high) / 2) };
}

/**
 * The value that best parts a histogram in two (Otsu 1979): the greatest variance between the classes.
 * @param {Uint32Array} counts
 * @returns {number} the brighter class is above it
 */
export function otsu(counts) {
  let all = 0;
  let sum = 0;
  counts.forEach((count, value) => {
    all += count;
    sum += count * value;
  });
  let best = 0;
  let most = -1;
  let below = 0;
  let sumBelow = 0;
  for (let value = 0; value < counts.length; value++) {
    below += counts[value];
    sumBelow += counts[value] * value;
    if (below === 0 || below === all) continue;
    const apart = sumBelow / below - (sum - sumBelow) / (all - below);
    const between = below * (all - below) * apart * apart;
    if (between > most) [most, best] = [between, value];
  }
  return best;
}
