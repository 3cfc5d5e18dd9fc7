/** Pictures of an image, of a version's mask and of its maps, on a canvas. */

const WAIT = { Prefer: "wait=30" };
const LONGEST = 1024;

/**
 * Fetch what a worker may have to make first.
 * @param {string} path below /api/v1
 * @returns {Promise<Response>}
 */
async function made(path) {
  for (;;) {
    const answer = await fetch(`/api/v1${path}`, { headers: WAIT });
    if (answer.status === 200) return answer;
    if (answer.status !== 202) throw new Error((await answer.json()).detail);
  }
}

/**
 * The image in grey, its contrast stretched to all but half a percent of the values at either end.
 * @param {string} image path of the image below /api/v1
 * @returns {Promise<ImageData>}
 */
export async function grey(image) {
  const answer = await made(`${image}/pixels?max=${LONGEST}`);
  const height = Number(answer.headers.get("Icefloe-Height"));
  const width = Number(answer.headers.get("Icefloe-Width"));
  const values = new Uint16Array(await answer.arrayBuffer());
  const sorted = Uint16Array.from(values).sort();
  const at = (/** @type {number} */ share) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  const low = at(0.005);
  const range = Math.max(1, at(0.995) - low);
  const picture = new ImageData(width, height);
  const pixels = new Uint32Array(picture.data.buffer);
  values.forEach((value, index) => {
    const level = Math.max(0, Math.min(255, Math.round((255 * (value - low)) / range)));
    pixels[index] = 0xff000000 | (level << 16) | (level << 8) | level;
  });
  return picture;
}

/**
 * A version's mask or map at its own size.
 * @param {string} image path of the image below /api/v1
 * @param {string} name `mask`, `std` or `probability`
 * @param {string} version
 * @returns {Promise<ImageData>}
 */
export async function map(image, name, version) {
  const answer = await made(`${image}/maps/${name}?version=${encodeURIComponent(version)}`);
  const bitmap = await createImageBitmap(await answer.blob(), { colorSpaceConversion: "none" });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

/**
 * The pixels of a mask that have a neighbour of another class, in orange, all others clear.
 * @param {ImageData} mask class indices in red
 * @param {number} reach how far neighbours are looked for, px
 * @returns {ImageData}
 */
export function outline(mask, reach) {
  const { width, height, data } = mask;
  const line = new ImageData(width, height);
  const pixels = new Uint32Array(line.data.buffer);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const here = data[4 * (y * width + x)];
      const right = data[4 * (y * width + Math.min(width - 1, x + reach))];
      const below = data[4 * (Math.min(height - 1, y + reach) * width + x)];
      if (here !== right || here !== below) pixels[y * width + x] = 0xff009fe6; // ABGR of Okabe-Ito's orange
    }
  }
  return line;
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
