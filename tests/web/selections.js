/** @import {Selection} from "../../serving/web/editor/types.js" */

/**
 * A selection as flags of all pixels.
 * @param {Selection} selection
 * @param {number} width
 * @param {number} height
 */
export function whole({ rect, inside }, width, height) {
  const flags = new Uint8Array(width * height);
  let j = 0;
  for (let y = rect.top; y < rect.bottom; y++)
    for (let x = rect.left; x < rect.right; x++) flags[y * width + x] = inside[j++];
  return flags;
}
