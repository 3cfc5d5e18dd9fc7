import assert from "node:assert/strict";
import { test } from "node:test";
import { around, Decision } from "../../serving/web/decision/decision.js";
import { random } from "./random.js";

const WIDTH = 8;

/** @param {string[]} rows digits are classes, x is 255, dots are 0 */
function mask(...rows) {
  return Uint8Array.from(rows.join(""), (sign) => (sign === "x" ? 255 : sign === "." ? 0 : Number(sign)));
}

const A = mask("11......", "11......", "......11", "........");
const B = mask("1.......", "11......", "......22", "x.......");

test("each connected place where the two differ is a region, from top to bottom", () => {
  const { regions, left } = new Decision(A, B, WIDTH, 4);
  assert.deepEqual(
    regions.map(({ rect }) => rect),
    [
      { left: 1, top: 0, right: 2, bottom: 1 },
      { left: 6, top: 2, right: 8, bottom: 3 },
      { left: 0, top: 3, right: 1, bottom: 4 },
    ],
  );
  assert.equal(left, 3);
});

test("pixels that touch by a corner are one region", () => {
  const { regions } = new Decision(mask("1.......", ".1......"), mask("........", "........"), WIDTH, 2);
  assert.equal(regions.length, 1);
});

test("each region takes one's version, and the mask is of both", () => {
  const decision = new Decision(A, B, WIDTH, 4);
  decision.take("b");
  assert.equal(decision.at, 1);
  decision.take("a");
  decision.take("b");
  assert.equal(decision.left, 0);
  const expected = mask("1.......", "11......", "......11", "x.......");
  assert.deepEqual(decision.a, expected);
  assert.deepEqual(decision.b, expected);
  assert.deepEqual(decision.taken, ["b", "a", "b"]);
});

test("the last decision is taken back, and another may be changed", () => {
  const decision = new Decision(A, B, WIDTH, 4);
  decision.take("b");
  decision.take("b");
  assert.deepEqual(decision.back(), { left: 6, top: 2, right: 8, bottom: 3 });
  assert.deepEqual([decision.at, decision.left], [1, 2]);
  decision.move(-1);
  assert.equal(decision.current.taken, "b");
  decision.take("a");
  assert.deepEqual(decision.taken, ["a", null, null]);
  assert.deepEqual(decision.a, A);
  assert.deepEqual(decision.b.subarray(0, 8), A.subarray(0, 8));
  decision.back();
  assert.deepEqual(decision.b, B);
  assert.equal(decision.back(), null);
});

test("looking on goes round, and to what is not decided", () => {
  const decision = new Decision(A, B, WIDTH, 4);
  decision.move(-1);
  assert.equal(decision.at, 2);
  decision.move(1);
  assert.equal(decision.at, 0);
  decision.move(1);
  decision.take("a");
  decision.take("a");
  assert.equal(decision.at, 0); // the only one left
  decision.move(1);
  decision.lookAtOpen();
  assert.equal(decision.at, 0);
});

test("what was decided before goes on, unless the regions are others", () => {
  const decision = new Decision(A, B, WIDTH, 4, ["b", null, "a"]);
  assert.deepEqual([decision.left, decision.at], [1, 1]);
  assert.equal(new Decision(A, B, WIDTH, 4, ["b"]).left, 3);
});

test("two masks that are the same leave nothing to decide", () => {
  const decision = new Decision(A, A, WIDTH, 4);
  assert.equal(decision.left, 0);
  assert.equal(decision.current, undefined);
});

test("whatever is decided, each pixel is as one of the two has it, and whole regions are one's", () => {
  const next = random(7);
  for (let round = 0; round < 20; round++) {
    const [a, b] = [0, 1].map(() => Uint8Array.from({ length: WIDTH * 9 }, () => Math.floor(next() * 3)));
    const decision = new Decision(a, b, WIDTH, 9);
    while (decision.left > 0) decision.take(next() < 0.5 ? "a" : "b");
    assert.deepEqual(decision.a, decision.b);
    for (const { runs, taken } of decision.regions)
      for (const { first, end } of runs)
        assert.deepEqual(decision.a.subarray(first, end), (taken === "a" ? a : b).subarray(first, end));
    decision.a.forEach((value, i) => {
      assert.ok(value === a[i] || value === b[i]);
    });
  }
});

test("a region is shown with as much again around it", () => {
  assert.deepEqual(around({ left: 10, top: 10, right: 50, bottom: 30 }), {
    left: -30,
    top: -30,
    right: 90,
    bottom: 70,
  });
});
