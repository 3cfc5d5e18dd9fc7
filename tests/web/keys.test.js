import assert from "node:assert/strict";
import { test } from "node:test";
import { ACTIONS } from "../../serving/web/editor/actions.js";
import { chord, commandOf, KEYS } from "../../serving/web/editor/keys.js";

/**
 * @param {string} key
 * @param {Partial<KeyboardEvent>} [more]
 */
function press(key, more = {}) {
  const none = { code: "", ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
  return commandOf(chord({ ...none, key, ...more }));
}

test("no key does two things, and each command stands in the table once", () => {
  const keys = KEYS.flatMap((row) => row.keys);
  assert.equal(new Set(keys).size, keys.length);
  const commands = KEYS.map((row) => row.command);
  assert.equal(new Set(commands).size, commands.length);
  assert.deepEqual(commands.toSorted(), Object.keys(ACTIONS).toSorted());
});

test("the keys of the issue do what it says", () => {
  const expected = {
    b: "brush",
    e: "eraser",
    p: "polygon",
    l: "lasso",
    w: "wand",
    t: "cut",
    k: "likely",
    g: "livewire",
    0: "ignore",
    1: "class",
    9: "class",
    h: "hide",
    o: "outline",
    u: "uncertainty",
    n: "nextSpot",
    d: "changes",
    v: "previousMask",
    ",": "previousFrame",
    ".": "nextFrame",
    c: "contrast",
    Enter: "accept",
    s: "skip",
    "?": "help",
    "[": "smaller",
    "]": "larger",
    " ": "hold",
    ArrowLeft: "move",
  };
  for (const [key, command] of Object.entries(expected)) assert.equal(press(key), command, key);
  assert.equal(press("z", { ctrlKey: true }), "undo");
  assert.equal(press("Z", { ctrlKey: true, shiftKey: true }), "redo");
  assert.equal(press("z", { metaKey: true }), "undo");
  assert.equal(press("ArrowUp", { shiftKey: true }), "moveFar");
});

test("signs count however a keyboard makes them, and letters with Ctrl are left to the browser", () => {
  assert.equal(press("?", { shiftKey: true }), "help");
  assert.equal(press("[", { ctrlKey: true, altKey: true }), "smaller"); // AltGr of a German keyboard
  assert.equal(press("&", { code: "Digit1" }), "class"); // a French one
  assert.equal(press("B", { shiftKey: false }), "brush"); // caps lock
  for (const key of ["s", "p", "n", "+", "-"]) assert.equal(press(key, { ctrlKey: true }), undefined, key);
});
