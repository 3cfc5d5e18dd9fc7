/** Pictures of an image, of a version's mask and of its maps, on a canvas. */

import { prepared } from "../ask.js";
import { mapColour, packed } from "../editor/colour.js";
import { edges, levels } from "./pixels.js";

const LONGEST = 1024;
/** Okabe-Ito's, as alpha, blue, green, red. */
const ORANGE = 0xff009fe6;

/**
 * The image in grey.
 * @param {string} image path of the image below /api/v1
 * @param {AbortSignal} [signal]
 * @returns {Promise<ImageData>}
 */
export async function grey(image, signal) {
  const answer = await prepared(`${image}/pixels?max=${LONGEST}`, signal);
  const height = Number(answer.headers.get("Icefloe-Height"));
  const width = Number(answer.headers.get("Icefloe-Width"));
  const picture = new ImageData(width, height);
  const pixels = new Uint32Array(picture.data.buffer);
  levels(new Uint16Array(await answer.arrayBuffer())).forEach((level, place) => {
    pixels[place] = 0xff000000 | (level << 16) | (level << 8) | level;
  });
  return picture;
}

/**
 * A version's mask or map, its longest side at most that of the image shown.
 * @param {string} image path of the image below /api/v1
 * @param {string} name `mask`, `std` or `probability`
 * @param {string} version
 * @param {AbortSignal} [signal]
 * @returns {Promise<ImageData>}
 */
export async function map(image, name, version, signal) {
  const answer = await prepared(`${image}/maps/${name}?version=${encodeURIComponent(version)}`, signal);
  const bitmap = await createImageBitmap(await answer.blob(), { colorSpaceConversion: "none" });
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(scale * bitmap.width));
  const height = Math.max(1, Math.round(scale * bitmap.height));
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
    new OffscreenCanvas(width, height).getContext("2d")
  );
  context.imageSmoothingEnabled = false; // between two classes there is none
  context.drawImage(bitmap, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

/**
 * The edges of a mask in orange, all else clear.
 * @param {ImageData} mask class indices in red
 * @param {number} reach thickness of the line, in pixels
 * @returns {ImageData}
 */
export function outline(mask, reach) {
  const line = new ImageData(mask.width, mask.height);
  const pixels = new Uint32Array(line.data.buffer);
  const classes = mask.data.filter((_, place) => place % 4 === 0);
  edges(classes, mask.width, reach).forEach((edge, place) => {
    if (edge) pixels[place] = ORANGE;
  });
  return line;
}

/**
 * A map in colour.
 * @param {ImageData} picture values in red
 * @param {Uint32Array} colours of values 0 to 255
 * @returns {ImageData}
 */
export function coloured(picture, colours) {
  const shown = new ImageData(picture.width, picture.height);
  const pixels = new Uint32Array(shown.data.buffer);
  for (let place = 0; place < pixels.length; place++) pixels[place] = colours[picture.data[4 * place]] ?? 0;
  return shown;
}

/**
 * Colours of the values 0 to 255.
 * @param {Parameters<typeof mapColour>[0]} name
 * @returns {Uint32Array}
 */
export function coloursOf(name) {
  return Uint32Array.from({ length: 256 }, (_, value) => {
    const [red = 0, green = 0, blue = 0] = mapColour(name, value);
    return packed(red, green, blue);
  });
}

/**
 * Draw pictures over each other, at the size of the first.
 * @param {HTMLCanvasElement} canvas
 * @param {ImageData[]} layers
 */
export function draw(canvas, layers) {
  const [ground] = layers;
  if (!ground) return;
  canvas.width = ground.width;
  canvas.height = ground.height;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  for (const layer of layers) {
    const beside = new OffscreenCanvas(layer.width, layer.height);
    /** @type {OffscreenCanvasRenderingContext2D} */ (beside.getContext("2d")).putImageData(layer, 0, 0);
    context.drawImage(beside, 0, 0, canvas.width, canvas.height);
  }
}
