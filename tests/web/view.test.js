import assert from "node:assert/strict";
import { test } from "node:test";
import { scaleBar, View } from "../../serving/web/editor/view.js";
import { random } from "./random.js";

function shown() {
  const view = new View(4096, 3000);
  view.resize(1000, 700);
  view.fit();
  return view;
}

test("an image that fits is in the middle, whole", () => {
  const view = shown();
  assert.deepEqual(view.toImage({ x: 500, y: 350 }), { x: 2048, y: 1500 });
  const { left, top, right, bottom } = view.screenRect({ left: 0, top: 0, right: 4096, bottom: 3000 });
  assert(left >= -1 && top >= -1 && right <= 1001 && bottom <= 701);
});

test("an image seen whole leaves the margin asked for on each side", () => {
  for (const [width, height] of [
    [1000, 700],
    [300, 900],
  ]) {
    const view = new View(4096, 3000, 0.02);
    view.resize(width, height);
    view.fit();
    const corner = view.toScreen({ x: 0, y: 0 });
    const room = Math.min(corner.x / width, corner.y / height);
    assert(Math.abs(room - 0.02) < 1e-9);
  }
});

test("zooming leaves the image where it is under the cursor", () => {
  const next = random(8);
  const view = shown();
  for (let n = 0; n < 50; n++) {
    const cursor = { x: 300 + next() * 400, y: 200 + next() * 300 };
    const before = view.toImage(cursor);
    view.zoomTo(view.zoom * (0.7 + next()), cursor);
    const after = view.toImage(cursor);
    assert(Math.hypot(after.x - before.x, after.y - before.y) < 1e-6 || view.zoom <= view.fitZoom);
  }
});

test("panning moves the image with the pointer and never out of sight", () => {
  const view = shown();
  view.zoomTo(1, { x: 500, y: 350 });
  const { x, y } = view.toImage({ x: 100, y: 100 });
  view.pan(30, -20);
  assert.deepEqual(view.toScreen({ x, y }), { x: 130, y: 80 });
  view.pan(1e6, 1e6);
  const middle = view.toImage({ x: 500, y: 350 });
  assert(middle.x >= 0 && middle.y >= 0 && middle.x <= 4096 && middle.y <= 3000);
});

test("from half size down a level is drawn that is shown between half and full size", () => {
  const view = shown();
  for (const [zoom, level] of [
    [4, 0],
    [0.51, 0],
    [0.5, 1],
    [0.26, 1],
    [0.25, 2],
    [0.2, 2],
    [0.12, 3],
  ]) {
    view.zoom = zoom;
    assert.equal(view.level, level, `at ${zoom}`);
  }
});

test("a cursor at the edge draws the view along, no farther than needed", () => {
  const view = shown();
  view.zoomTo(2, { x: 500, y: 350 });
  const right = view.toImage({ x: 1000, y: 350 });
  assert.equal(view.reveal({ x: right.x - 1, y: right.y }), false);
  assert.equal(view.reveal({ x: right.x + 3, y: right.y }), true);
  assert.equal(Math.round(view.toScreen({ x: right.x + 3, y: right.y }).x), 1000);
});

test("a scale bar is a round length in the unit that reads best", () => {
  assert.deepEqual(scaleBar(1, null, 150), { length: 100, text: "100 px" });
  assert.deepEqual(scaleBar(2, 0.5, 150), { length: 80, text: "20 nm" });
  assert.deepEqual(scaleBar(0.25, 10, 160), { length: 125, text: "5 µm" });
  assert.equal(scaleBar(8, 0.01, 160).text, "0.2 nm");
});
