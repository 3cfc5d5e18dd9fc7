import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { EditedMask, writableClasses } from "../../serving/web/editor/edited_mask.js";
import { Jobs } from "../../serving/web/editor/jobs.js";
import { polygonSelection } from "../../serving/web/editor/raster.js";
import { toolsOn } from "../../serving/web/editor/tools.js";
import { random } from "./random.js";
import { whole } from "./selections.js";

/** @import {Point} from "../../serving/web/editor/types.js" */

const SIDE = 100;
const DISC = { x: 50, y: 50 };

/** @type {ReturnType<typeof bench>} */
let made;

beforeEach(() => {
  made = bench();
});

/** A dark disc on a bright ground, and the worker's work done at once. */
function bench() {
  const next = random(15);
  const far = Float64Array.from({ length: SIDE * SIDE }, (_, i) =>
    Math.hypot((i % SIDE) + 0.5 - DISC.x, Math.floor(i / SIDE) + 0.5 - DISC.y),
  );
  const pixels = Uint16Array.from(far, (distance) => (distance < 20 ? 10000 : 40000) + next() * 1000);
  const probability = Uint8Array.from(far, (distance) => (distance < 20 ? 230 : 20));
  const edited = new EditedMask(new Uint8Array(SIDE * SIDE), SIDE, SIDE);
  const jobs = new Jobs();
  jobs.run({ job: "open", pixels, width: SIDE, height: SIDE });
  /** @type {string[]} */
  const said = [];
  /** @type {Point[][]} */
  const sketches = [];
  const tools = toolsOn({
    edited,
    pixels,
    probability,
    settings: /** @type {any} */ ({ diameter: 9, threshold: 0.5, tolerance: 0.1, brighter: false }),
    helper: /** @type {any} */ ({
      flood: async (/** @type {any} */ request) => jobs.run({ job: "flood", ...request }),
      livewire: async (/** @type {any} */ request) => jobs.run({ job: "livewire", ...request }),
    }),
    window: 40000,
    zoom: 1,
    value: (erase) => (erase ? 0 : 1),
    writable: () => writableClasses(null, false),
    changed: () => {},
    sketch: (points) => sketches.push([...points]),
    commit: () => edited.keep(),
    say: (text) => said.push(text),
  });
  return { tools, edited, far, said, sketches };
}

/** @param {number[][]} corners */
function filled(corners) {
  const selection = polygonSelection(
    SIDE,
    SIDE,
    corners.map(([x, y]) => ({ x, y })),
  );
  assert(selection);
  return whole(selection, SIDE, SIDE);
}

/** @param {Uint8Array} a @param {Uint8Array} b */
function differing(a, b) {
  return a.reduce((sum, value, i) => sum + +(value !== b[i]), 0);
}

test("a brush stroke is one step, with Alt it erases, and given up it leaves nothing", () => {
  const { brush, eraser } = made.tools;
  brush.down({ x: 20, y: 20 }, false);
  brush.move([
    { x: 40, y: 20 },
    { x: 60, y: 30 },
  ]);
  brush.up();
  assert.equal(made.edited.history.position, 1);
  const painted = made.edited.mask.slice();
  assert(painted.some(Boolean));
  brush.down({ x: 20, y: 20 }, true);
  brush.cancel();
  assert.deepEqual(made.edited.mask, painted);
  eraser.down({ x: 20, y: 20 });
  eraser.move([
    { x: 40, y: 20 },
    { x: 60, y: 30 },
  ]);
  eraser.up();
  assert(!made.edited.mask.some(Boolean));
  assert.equal(made.edited.history.position, 2);
});

test("the probability brush paints only what is probable", () => {
  const { likely } = made.tools;
  likely.down({ x: 10, y: 50 }, false);
  likely.move([{ x: 90, y: 50 }]);
  likely.up();
  assert(made.edited.mask.some(Boolean));
  made.edited.mask.forEach((value, i) => {
    assert(!value || made.far[i] < 20);
  });
});

test("a polygon is closed by Enter, by a click on its first corner or by a double click", () => {
  const corners = [
    [10, 10],
    [60, 15],
    [30, 70],
  ];
  const { polygon } = made.tools;
  for (const close of [
    () => polygon.finish(),
    () => polygon.down({ x: 11, y: 12 }, false),
    () => polygon.down({ x: 31, y: 70 }, false),
  ]) {
    for (const [x, y] of corners) polygon.down({ x, y }, false);
    assert(polygon.begun);
    close();
    assert(!polygon.begun);
    assert.deepEqual(made.edited.mask, filled(corners));
    made.edited.undo();
  }
});

test("the last corner of a polygon can be taken back, and all of it given up", () => {
  const { polygon } = made.tools;
  for (const [x, y] of [
    [10, 10],
    [60, 15],
    [30, 70],
    [90, 90],
  ])
    polygon.down({ x, y }, false);
  polygon.back();
  polygon.finish();
  assert.deepEqual(
    made.edited.mask,
    filled([
      [10, 10],
      [60, 15],
      [30, 70],
    ]),
  );
  polygon.down({ x: 1, y: 1 }, false);
  polygon.cancel();
  assert(!polygon.begun);
  assert.equal(made.edited.history.position, 1);
});

test("a threshold lasso takes the darker pixels in it, by Otsu's threshold", () => {
  const { cut } = made.tools;
  cut.down({ x: 20, y: 20 }, false);
  cut.move([
    { x: 80, y: 20 },
    { x: 80, y: 80 },
    { x: 20, y: 80 },
  ]);
  cut.up();
  assert.deepEqual(
    made.edited.mask,
    Uint8Array.from(made.far, (distance) => +(distance < 20)),
  );
});

test("the threshold of the last lasso can be moved as long as nothing else was done", () => {
  const { cut, brush } = made.tools;
  cut.recut(20000);
  assert.match(made.said.at(-1) ?? "", /Draw a lasso first/);
  cut.down({ x: 20, y: 20 }, false);
  cut.move([
    { x: 80, y: 20 },
    { x: 80, y: 80 },
    { x: 20, y: 80 },
  ]);
  cut.up();
  const disc = made.edited.mask.slice();
  cut.recut(65535);
  assert.equal(made.edited.mask.filter(Boolean).length, 60 * 60);
  cut.recut(0);
  assert.equal(made.edited.history.position, 0);
  cut.recut(25000);
  assert.deepEqual(made.edited.mask, disc);
  assert.equal(made.edited.history.position, 1);
  brush.down({ x: 5, y: 5 }, false);
  brush.up();
  const then = made.edited.mask.slice();
  cut.recut(65535);
  assert.deepEqual(made.edited.mask, then);
});

test("a click of the wand takes what is joined to it and alike, as one step", async () => {
  const { wand } = made.tools;
  wand.down({ x: 52, y: 48 }, false);
  wand.up();
  await wand.settled;
  assert.deepEqual(
    made.edited.mask,
    Uint8Array.from(made.far, (distance) => +(distance < 20)),
  );
  assert.equal(made.edited.history.position, 1);
});

test("dragging the wand changes the tolerance, and only the last one counts", async () => {
  const { wand } = made.tools;
  wand.down({ x: 52, y: 48 }, false);
  for (const x of [100, 200, 552]) wand.move([{ x, y: 48 }]);
  wand.up();
  await wand.settled;
  assert(made.edited.mask.every((value) => value === 1));
  assert.equal(made.edited.history.position, 1);
  assert.match(made.said.at(-1) ?? "", /Tolerance 100 %/);
});

test("a live-wire around a disc encloses the disc", async () => {
  const { livewire } = made.tools;
  for (const [x, y] of [
    [50, 30],
    [70, 50],
    [50, 70],
    [30, 50],
  ])
    livewire.down({ x, y }, false);
  livewire.down({ x: 51, y: 31 }, false);
  await livewire.settled;
  const disc = Uint8Array.from(made.far, (distance) => +(distance < 20));
  assert(differing(made.edited.mask, disc) < 150, `${differing(made.edited.mask, disc)}`);
  assert.equal(made.edited.history.position, 1);
});
