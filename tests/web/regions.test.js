import assert from "node:assert/strict";
import { test } from "node:test";
import { EditedMask, writableClasses } from "../../serving/web/editor/edited_mask.js";
import { Regions } from "../../serving/web/editor/regions.js";
import { View } from "../../serving/web/editor/view.js";
import { blobs, random } from "./random.js";

const SIDE = 40;
const FIRST = { left: 4, top: 6, right: 14, bottom: 20 };
const SECOND = { left: 22, top: 10, right: 40, bottom: 16 };
const ALL = {
  rect: { left: 0, top: 0, right: SIDE, bottom: SIDE },
  inside: new Uint8Array(SIDE * SIDE).fill(1),
};
const EVERY = writableClasses(null, false);

test("one region after the other is looked at, and after the last the first", () => {
  const regions = new Regions([FIRST, SECOND], SIDE, SIDE);
  assert.deepEqual([regions.words, regions.current], ["Region 1 of 2", FIRST]);
  regions.next();
  assert.deepEqual([regions.words, regions.current], ["Region 2 of 2", SECOND]);
  regions.next();
  assert.equal(regions.words, "Region 1 of 2");
});

test("a place is open where its pixel is", () => {
  const regions = new Regions([FIRST, SECOND], SIDE, SIDE);
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++)
      assert.equal(regions.has({ x: x + 0.5, y: y + 0.5 }), regions.open[y * SIDE + x] === 1);
  const area = 10 * 14 + 18 * 6;
  assert.equal(
    regions.open.reduce((sum, flag) => sum + flag, 0),
    area,
  );
});

for (const [name, change] of /** @type {[string, (edited: EditedMask) => void][]} */ ([
  ["a brush", (edited) => edited.stroke({ x: 2, y: 12 }, { x: 38, y: 12 }, 9, 1, EVERY)],
  [
    "a brush on some pixels",
    (edited) => edited.stroke({ x: 2, y: 12 }, { x: 38, y: 12 }, 9, 2, EVERY, () => true),
  ],
  ["a selection", (edited) => edited.select(ALL, 255, EVERY)],
]))
  test(`${name} changes nothing outside the regions, and undoing and redoing neither`, () => {
    const before = blobs(SIDE, SIDE, [0, 0, 1, 2], random(3));
    const { open } = new Regions([FIRST, SECOND], SIDE, SIDE);
    const edited = new EditedMask(before, SIDE, SIDE, null, open);
    const locked = () => edited.mask.filter((_, i) => !open[i]);
    change(edited);
    assert.ok(edited.keep());
    assert.notDeepEqual(edited.mask, before);
    assert.deepEqual(
      locked(),
      before.filter((_, i) => !open[i]),
    );
    const after = edited.mask.slice();
    edited.undo();
    assert.deepEqual(edited.mask, before);
    edited.redo();
    assert.deepEqual(edited.mask, after);
  });

test("what is locked makes no step", () => {
  const { open } = new Regions([FIRST], SIDE, SIDE);
  const edited = new EditedMask(new Uint8Array(SIDE * SIDE), SIDE, SIDE, null, open);
  edited.stroke({ x: 30, y: 30 }, { x: 34, y: 30 }, 3, 1, EVERY);
  assert.equal(edited.keep(), false);
});

test("a region is shown whole, in the middle, with something around it", () => {
  const view = new View(SIDE, SIDE);
  view.resize(300, 200);
  view.show(SECOND);
  const { left, top, right, bottom } = view.screenRect(SECOND);
  assert.ok(left > 0 && top > 0 && right < 300 && bottom < 200);
  assert.ok(right - left > 200);
  assert.ok(Math.abs((left + right) / 2 - 150) <= 1 && Math.abs((top + bottom) / 2 - 100) <= 1);
});
