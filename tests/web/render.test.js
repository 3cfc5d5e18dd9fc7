import assert from "node:assert/strict";
import { test } from "node:test";
import { CLASS_COLOURS, classTable, packed, STRIPE, toneTable } from "../../serving/web/editor/colour.js";
import { averaging, Pyramid, voting } from "../../serving/web/editor/pyramid.js";
import { dim, paint } from "../../serving/web/editor/render.js";
import { View } from "../../serving/web/editor/view.js";
import { blobs, random } from "./random.js";

const WIDTH = 200;
const HEIGHT = 150;
const LINES = Uint32Array.from({ length: 256 }, (_, value) => packed(value, 1, 2));
const AROUND = packed(40, 40, 40);

function scene() {
  const next = random(14);
  const pixels = Uint16Array.from({ length: WIDTH * HEIGHT }, () => next() * 65536);
  const mask = blobs(WIDTH, HEIGHT, [0, 0, 1, 2, 255], next);
  const layer = new Pyramid(mask, WIDTH, HEIGHT, voting);
  const look = {
    tone: toneTable(40000, 30000, 1.4),
    table: classTable(CLASS_COLOURS, 0.5),
    stripes: true,
    lines: LINES,
  };
  return { image: new Pyramid(pixels, WIDTH, HEIGHT, averaging), layer, look, next };
}

/**
 * @param {ReturnType<typeof scene>} scene
 * @param {View} view
 * @param {boolean} outlined
 */
function expected({ image, layer, look }, view, outlined) {
  const level = view.level;
  const { width, height } = image.levels[level];
  const sample = (/** @type {number} */ x, /** @type {number} */ y) => {
    const u = Math.floor((view.left + (x + 0.5) / view.zoom) / 2 ** level);
    const v = Math.floor((view.top + (y + 0.5) / view.zoom) / 2 ** level);
    return u >= 0 && v >= 0 && u < width && v < height ? { u, v, i: v * width + u } : null;
  };
  const screen = new Uint32Array(view.screenWidth * view.screenHeight);
  for (let y = 0; y < view.screenHeight; y++)
    for (let x = 0; x < view.screenWidth; x++) {
      const here = sample(x, y);
      let colour = AROUND;
      if (here) {
        const byte = layer.levels[level].data[here.i];
        const row = byte === 255 && ((here.u + here.v) & 4) === 0 ? STRIPE : byte;
        colour = look.table[row * 256 + look.tone[image.levels[level].data[here.i]]];
        const around = [sample(x - 1, y), sample(x + 1, y), sample(x, y - 1), sample(x, y + 1)];
        if (outlined && byte !== 0 && around.some((one) => one && layer.levels[level].data[one.i] !== byte))
          colour = LINES[byte];
      }
      screen[y * view.screenWidth + x] = colour;
    }
  return screen;
}

for (const outlined of [false, true])
  test(`every canvas pixel has the colour of its image pixel${outlined ? ", or of an outline" : ""}`, () => {
    const made = scene();
    const view = new View(WIDTH, HEIGHT);
    view.resize(120, 90);
    for (const zoom of [0.2, 0.3, 0.5, 0.8, 1, 1.7, 4, 11]) {
      view.zoom = zoom;
      view.centre({ x: made.next() * WIDTH, y: made.next() * HEIGHT });
      const screen = new Uint32Array(120 * 90);
      const planes = { image: made.image, layer: made.layer, outlined: outlined ? made.layer : null };
      paint(screen, { left: 0, top: 0, right: 120, bottom: 90 }, view, planes, made.look);
      assert.deepEqual(screen, expected(made, view, outlined), `at ${zoom}`);
      const part = screen.slice();
      paint(part, { left: 13, top: 7, right: 77, bottom: 51 }, view, planes, made.look);
      assert.deepEqual(part, screen, `a part at ${zoom}`);
    }
  });

test("all but the regions is dimmed, each has a frame, and a part is drawn as all of it", () => {
  const made = scene();
  const regions = [
    { left: 10, top: 20, right: 60, bottom: 50 },
    { left: 40, top: 30, right: 90, bottom: 110 }, // overlaps the first
    { left: 150, top: 0, right: 200, bottom: 30 },
  ];
  const planes = { image: made.image, layer: made.layer, outlined: null };
  for (const zoom of [0.4, 1, 3.3]) {
    const view = new View(WIDTH, HEIGHT);
    view.resize(120, 90);
    view.zoom = zoom;
    view.centre({ x: 40, y: 25 });
    const bright = new Uint32Array(120 * 90);
    const all = { left: 0, top: 0, right: 120, bottom: 90 };
    paint(bright, all, view, planes, made.look);
    const screen = bright.slice();
    dim(screen, all, view, regions);
    /** @param {number} x @param {number} y */
    const isOpen = (x, y) => {
      const u = view.left + (x + 0.5) / zoom;
      const v = view.top + (y + 0.5) / zoom;
      return regions.some((one) => u >= one.left && u < one.right && v >= one.top && v < one.bottom);
    };
    const white = packed(255, 255, 255);
    let [open, dimmed, framed] = [0, 0, 0];
    for (let y = 1; y < 89; y++)
      for (let x = 1; x < 119; x++) {
        const [before, after] = [bright[y * 120 + x], screen[y * 120 + x]];
        const around = [isOpen(x - 1, y), isOpen(x + 1, y), isOpen(x, y - 1), isOpen(x, y + 1)];
        if (!isOpen(x, y) && around.some(Boolean)) {
          assert.equal(after, white);
          framed++;
        } else if (after !== white) {
          const part = (/** @type {number} */ shift) =>
            ((after >>> shift) & 255) - ((before >>> shift) & 255) * 0.375;
          if (isOpen(x, y)) assert.equal(after, before);
          else for (const shift of [0, 8, 16]) assert.ok(Math.abs(part(shift)) <= 2);
          assert.equal(after >>> 24, 255);
          if (isOpen(x, y)) open++;
          else dimmed++;
        }
      }
    assert.ok(open > 100 && dimmed > 100 && framed > 20);

    const again = screen.slice();
    const rect = { left: 13, top: 7, right: 77, bottom: 51 };
    paint(again, rect, view, planes, made.look);
    dim(again, rect, view, regions);
    assert.deepEqual(again, screen);
  }
});
