/** The service's binary resources: pixels, masks, maps; and requests that need their answer's headers. */

import { decodePng } from "../editor/png.js";

/** The network is gone, or the service does not answer: the same request may work later. */
export class Unreachable extends Error {
  constructor() {
    super("The service cannot be reached. Work goes on here, and is sent when it is back.");
  }
}

/** The service has refused. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {string} detail what happened and what to do
   * @param {string | null} etag
   */
  constructor(status, detail, etag) {
    super(detail);
    this.status = status;
    this.etag = etag;
  }
}

const BUSY = [429, 502, 503, 504];

/**
 * Ask the API.
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {{body?: BodyInit, headers?: Record<string, string>}} [options]
 * @returns {Promise<Response>} with a status below 400
 */
export async function ask(method, path, { body, headers } = {}) {
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, { method, headers, body });
  } catch {
    throw new Unreachable();
  }
  if (answer.ok || answer.status === 304) return answer;
  if (BUSY.includes(answer.status)) throw new Unreachable();
  const content = await answer.json().catch(() => ({}));
  const detail = content.detail ?? `The service answered ${answer.status}.`;
  throw new Refused(answer.status, detail, answer.headers.get("ETag"));
}

/**
 * Ask for what a worker may have to prepare first, until it is there.
 * @param {string} path
 * @returns {Promise<Response>}
 */
async function prepared(path) {
  for (;;) {
    const answer = await ask("GET", path, { headers: { Prefer: "wait=20" } });
    if (answer.status !== 202) return answer;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/**
 * Path of an image.
 * @param {string} dataset
 * @param {string} stem
 */
export function imagePath(dataset, stem) {
  return `/images/${encodeURIComponent(dataset)}/${encodeURIComponent(stem)}`;
}

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
