import assert from "node:assert/strict";
import { test } from "node:test";
import {
  added,
  owners,
  released,
  removed,
  renamed,
  SetsHistory,
  toggled,
  whyNotNamed,
} from "../../serving/web/fewshot/sets.js";
import { random } from "./random.js";

/** @param {number} n */
function named(n) {
  /** @type {import("../../serving/web/fewshot/sets.js").SupportSet[]} */
  let sets = [];
  for (let number = 1; number <= n; number++) sets = added(sets, `set ${number}`);
  return sets;
}

test("the twelfth set is the twelfth, not the second", () => {
  const sets = toggled(toggled(named(12), 11, [7]), 1, [8]);
  assert.deepEqual(sets[11], { name: "set 12", chips: [7], style: 11 });
  assert.deepEqual(sets[1]?.chips, [8]);
});

test("a chip leaves the set that it was in, and the same again releases it", () => {
  let sets = toggled(named(2), 0, [4, 2]);
  assert.deepEqual(sets[0]?.chips, [2, 4]);
  sets = toggled(sets, 1, [4, 9]);
  assert.deepEqual(
    sets.map((one) => one.chips),
    [[2], [4, 9]],
  );
  assert.deepEqual(toggled(sets, 1, [9, 4])[1]?.chips, []);
  assert.deepEqual(
    released(sets, [2, 9, 77]).map((one) => one.chips),
    [[], [4]],
  );
});

test("whatever is done, no chip is in two sets or twice in one", () => {
  const next = random(5);
  let sets = named(4);
  for (let n = 0; n < 300; n++) {
    const chips = Array.from({ length: 1 + Math.floor(next() * 5) }, () => Math.floor(next() * 30));
    sets = toggled(sets, Math.floor(next() * 4), chips);
    const all = sets.flatMap((one) => one.chips);
    assert.equal(new Set(all).size, all.length);
    assert.equal(owners(sets).size, all.length);
  }
});

test("a set that goes frees its chips and its style, and others keep theirs", () => {
  const sets = added(removed(toggled(named(3), 1, [5]), 1), "new");
  assert.deepEqual(
    sets.map(({ name, style }) => [name, style]),
    [
      ["set 1", 0],
      ["set 3", 2],
      ["new", 1],
    ],
  );
  assert.equal(owners(sets).size, 0);
});

test("names that cannot be given are refused with the reason", () => {
  const sets = added(added([], "Ice"), "water");
  assert.match(whyNotNamed(sets, "  ") ?? "", /without a name/);
  assert.match(whyNotNamed(sets, "ICE ") ?? "", /called Ice already/);
  assert.match(whyNotNamed(sets, "Unsure") ?? "", /another name/);
  assert.match(whyNotNamed(sets, "x".repeat(61)) ?? "", /60 characters/);
  assert.match(whyNotNamed(named(64), "one more") ?? "", /64 sets/);
  assert.equal(whyNotNamed(sets, "ice", 0), null);
  assert.deepEqual(renamed(sets, 0, " ice ")[0]?.name, "ice");
});

test("undo and redo walk through what was done; a change after an undo forgets what was undone", () => {
  const history = new SetsHistory([]);
  history.undo();
  for (const name of ["a", "b", "c"]) history.change(added(history.sets, name));
  history.undo();
  history.undo();
  assert.deepEqual(
    history.sets.map((one) => one.name),
    ["a"],
  );
  history.redo();
  assert.equal(history.sets.length, 2);
  history.change(added(history.sets, "d"));
  assert.equal(history.canRedo, false);
  assert.deepEqual(
    history.sets.map((one) => one.name),
    ["a", "b", "d"],
  );
});
