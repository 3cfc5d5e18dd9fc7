import assert from "node:assert/strict";
import { test } from "node:test";
import { Turns } from "../../serving/web/editor/turns.js";

/** A worker that is busy until it is told otherwise. */
function worker() {
  /** @type {{busy: Promise<void> | null, done: () => void, fail: () => void}} */
  const one = { busy: null, done: () => {}, fail: () => {} };
  const begin = () => {
    one.busy = new Promise((resolve, reject) => {
      one.done = () => {
        one.busy = null;
        resolve();
      };
      one.fail = () => {
        one.busy = null;
        reject(new Error("it failed"));
      };
    });
  };
  return { one, begin, turns: new Turns(() => one.busy) };
}

const later = () => new Promise((resolve) => setTimeout(resolve, 0));

test("while nothing is under way actions are done at once", () => {
  const { turns } = worker();
  /** @type {number[]} */
  const done = [];
  turns.take(() => done.push(1));
  turns.take(() => done.push(2));
  assert.deepEqual(done, [1, 2]);
});

test("a stroke drawn while the worker is busy follows in its order, and none of it is lost", async () => {
  const { one, begin, turns } = worker();
  /** @type {string[]} */
  const done = [];
  begin();
  for (const part of ["down", "move", "up"]) turns.take(() => done.push(part));
  await later();
  assert.equal(done.length, 0);
  one.done();
  turns.take(() => done.push("after")); // asked before the others had their turn
  await later();
  assert.deepEqual(done, ["down", "move", "up", "after"]);
});

test("an action that makes the worker busy again is waited for by those behind it", async () => {
  const { one, begin, turns } = worker();
  /** @type {string[]} */
  const done = [];
  begin();
  turns.take(() => {
    done.push("wand");
    begin();
  });
  turns.take(() => done.push("brush"));
  one.done();
  await later();
  assert.deepEqual(done, ["wand"]);
  one.done();
  await later();
  assert.deepEqual(done, ["wand", "brush"]);
});

test("what an action asks for itself comes before what waits", async () => {
  const { one, begin, turns } = worker();
  /** @type {string[]} */
  const done = [];
  begin();
  turns.take(() => turns.take(() => done.push("inner")));
  turns.take(() => done.push("next"));
  one.done();
  await later();
  assert.deepEqual(done, ["inner", "next"]);
});

test("a worker that fails lets the others go on, and what is cleared is not done", async () => {
  const { one, begin, turns } = worker();
  /** @type {string[]} */
  const done = [];
  begin();
  turns.take(() => done.push("after the failure"));
  one.fail();
  await later();
  assert.deepEqual(done, ["after the failure"]);
  begin();
  turns.take(() => done.push("never"));
  turns.clear();
  one.done();
  await later();
  assert.deepEqual(done, ["after the failure"]);
});
