/** The service's binary resources: pixels, masks, maps. */

import { imagePath, prepared, Refused } from "../ask.js";
import { decodePng } from "../editor/png.js";

/**
 * @typedef {object} Plane
 * @property {Uint16Array} pixels row by row
 * @property {number} height
 * @property {number} width
 * @property {number} scale an intensity is offset + scale * pixel
 * @property {number} offset
 * @property {number | null} pixelSizeNm
 */

/**
 * An image's pixels.
 * @param {string} dataset
 * @param {string} stem
 * @returns {Promise<Plane>}
 */
export async function readPixels(dataset, stem) {
  const answer = await prepared(`${imagePath(dataset, stem)}/pixels`);
  const number = (/** @type {string} */ name) => Number(answer.headers.get(`Icefloe-${name}`));
  return {
    pixels: new Uint16Array(await answer.arrayBuffer()),
    height: number("Height"),
    width: number("Width"),
    scale: number("Scale"),
    offset: number("Offset"),
    pixelSizeNm: number("Pixel-Size-Nm") || null,
  };
}

/**
 * A grey 8-bit picture: a mask or a map.
 * @param {string} path
 * @returns {Promise<{values: Uint8Array, headers: Headers} | null>} null where there is none
 */
export async function readPicture(path) {
  try {
    const answer = await prepared(path);
    if (answer.status === 204) return null;
    const picture = await decodePng(new Uint8Array(await answer.arrayBuffer()));
    return { values: picture.mask, headers: answer.headers };
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}
