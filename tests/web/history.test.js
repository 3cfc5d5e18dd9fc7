import assert from "node:assert/strict";
import { test } from "node:test";
import { EditedMask, writableClasses } from "../../serving/web/editor/edited_mask.js";
import { MAX_BYTES, MAX_STEPS } from "../../serving/web/editor/history.js";
import { polygonSelection } from "../../serving/web/editor/raster.js";
import { blobs, random } from "./random.js";

const ALL = writableClasses(null, false);

/**
 * @param {EditedMask} edited
 * @param {() => number} next
 */
function strokeSomewhere(edited, next) {
  const somewhere = () => ({ x: next() * edited.width, y: next() * edited.height });
  edited.stroke(somewhere(), somewhere(), Math.ceil(next() * 30) / 2, Math.floor(next() * 4), ALL);
  return edited.keep();
}

test("undoing everything gives the first mask, redoing everything the last, also after a reload", () => {
  const next = random(4);
  const first = blobs(130, 90, [0, 1, 2, 255], next);
  const edited = new EditedMask(first, 130, 90);
  let steps = 0;
  while (steps < MAX_STEPS) steps += Number(strokeSomewhere(edited, next));
  const last = edited.mask.slice();
  const reloaded = new EditedMask(last, 130, 90, structuredClone(edited.history.save()));
  for (let n = 0; n < MAX_STEPS; n++) assert(reloaded.undo());
  assert.equal(reloaded.undo(), null);
  assert.deepEqual(reloaded.mask, first);
  for (let n = 0; n < MAX_STEPS; n++) assert(reloaded.redo());
  assert.equal(reloaded.redo(), null);
  assert.deepEqual(reloaded.mask, last);
});

test("of more than a hundred steps the oldest is given up", () => {
  const next = random(5);
  const edited = new EditedMask(new Uint8Array(50 * 50), 50, 50);
  for (let n = 0; n < 30; n++) strokeSomewhere(edited, next);
  const then = edited.mask.slice();
  let steps = 0;
  while (steps < MAX_STEPS) steps += Number(strokeSomewhere(edited, next));
  while (edited.undo());
  assert.deepEqual(edited.mask, then);
});

test("a stroke after an undo forgets what was undone", () => {
  const edited = new EditedMask(new Uint8Array(100), 10, 10);
  edited.stroke({ x: 2, y: 2 }, { x: 2, y: 2 }, 1.5, 1, ALL);
  edited.keep();
  edited.undo();
  edited.stroke({ x: 7, y: 7 }, { x: 7, y: 7 }, 1.5, 2, ALL);
  edited.keep();
  assert.equal(edited.history.canRedo, false);
  edited.undo();
  assert.deepEqual(edited.mask, new Uint8Array(100));
});

test("a stroke that changes nothing is no step, and one put back leaves no trace", () => {
  const edited = new EditedMask(new Uint8Array(100).fill(1), 10, 10);
  edited.stroke({ x: 5, y: 5 }, { x: 8, y: 8 }, 2, 1, ALL);
  assert.equal(edited.keep(), false);
  edited.stroke({ x: 5, y: 5 }, { x: 8, y: 8 }, 2, 0, ALL);
  edited.restore();
  assert.deepEqual(edited.mask, new Uint8Array(100).fill(1));
  assert.equal(edited.keep(), false);
});

test("a hundred large strokes on 4096 x 4096 stay within the bytes allowed", () => {
  const next = random(6);
  const side = 4096;
  const edited = new EditedMask(blobs(side, side, [0, 0, 1], next), side, side);
  for (let n = 0; n < MAX_STEPS; n++) {
    const from = { x: next() * side, y: next() * side };
    edited.stroke(from, { x: side - from.x, y: side - from.y }, 20 + (n % 200), n % 3, ALL);
    edited.keep();
  }
  assert.equal(edited.history.position, MAX_STEPS);
  assert(edited.history.bytes <= MAX_BYTES, `${edited.history.bytes}`);
});

test("steps that are larger than all bytes allowed give up the oldest", () => {
  const side = 4096;
  const whole = { left: 0, top: 0, right: side, bottom: side };
  const inside = new Uint8Array(side * side);
  for (let i = 0; i < inside.length; i++) inside[i] = (i + (i >> 12)) % 2; // a chessboard: no runs at all
  const edited = new EditedMask(new Uint8Array(side * side), side, side);
  for (const n of [1, 2, 3]) {
    edited.select({ rect: whole, inside }, n, ALL);
    assert(edited.keep());
    assert(edited.history.bytes <= MAX_BYTES);
  }
  assert.equal(edited.history.position, 2);
});

test("protected classes keep their pixels", () => {
  const edited = new EditedMask(Uint8Array.from([0, 1, 2, 255]), 4, 1);
  const all = polygonSelection(4, 1, [
    { x: 0, y: 0 },
    { x: 4, y: 0 },
    { x: 4, y: 1 },
    { x: 0, y: 1 },
  ]);
  edited.select(all, 1, writableClasses(1, false));
  assert.deepEqual([...edited.mask], [1, 1, 2, 255]);
  edited.select(all, 0, writableClasses(1, true));
  assert.deepEqual([...edited.mask], [0, 0, 2, 255]);
});
