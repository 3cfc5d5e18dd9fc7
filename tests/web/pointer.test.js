import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Pointers } from "../../serving/web/editor/pointer.js";

/** @type {string[]} */
let done = [];
/** @type {Pointers} */
let pointers;

beforeEach(() => {
  done = [];
  pointers = new Pointers({
    down: (point, erase) => done.push(`down ${point.x},${point.y}${erase ? " erase" : ""}`),
    move: (points) => done.push(`move ${points.map(({ x, y }) => `${x},${y}`).join(" ")}`),
    up: () => done.push("up"),
    cancel: () => done.push("cancel"),
    hover: (point) => done.push(`hover ${point.x},${point.y}`),
    pan: (dx, dy) => done.push(`pan ${dx},${dy}`),
    zoom: (factor, point) => done.push(`zoom ${factor} at ${point.x},${point.y}`),
  });
});

/**
 * @param {string} type
 * @param {number} x
 * @param {number} y
 * @param {{id?: number, buttons?: number, alt?: boolean}} [more]
 */
function at(type, x, y, { id = 1, buttons = 1, alt = false } = {}) {
  return { id, type, buttons, alt, points: [{ x, y }] };
}

test("a mouse paints with its first button, erases with Alt, pans with others, hovers with none", () => {
  pointers.move(at("mouse", 1, 1, { buttons: 0 }));
  pointers.down(at("mouse", 1, 1));
  pointers.move({
    ...at("mouse", 0, 0),
    points: [
      { x: 2, y: 1 },
      { x: 3, y: 1 },
    ],
  });
  pointers.up(at("mouse", 3, 1));
  pointers.down(at("mouse", 5, 5, { alt: true }));
  pointers.up(at("mouse", 5, 5));
  pointers.down(at("mouse", 5, 5, { buttons: 4 }));
  pointers.move(at("mouse", 8, 4, { buttons: 4 }));
  pointers.up(at("mouse", 8, 4));
  assert.deepEqual(done, ["hover 1,1", "down 1,1", "move 2,1 3,1", "up", "down 5,5 erase", "up", "pan 3,-1"]);
});

test("a pen paints and its eraser erases", () => {
  pointers.down(at("pen", 1, 1));
  pointers.up(at("pen", 1, 1));
  pointers.down(at("pen", 2, 2, { buttons: 32 }));
  pointers.up(at("pen", 2, 2));
  assert.deepEqual(done, ["down 1,1", "up", "down 2,2 erase", "up"]);
});

test("a finger paints until a pen was seen, then it pans", () => {
  pointers.down(at("touch", 1, 1));
  pointers.up(at("touch", 1, 1));
  pointers.down(at("pen", 5, 5));
  pointers.up(at("pen", 5, 5));
  pointers.down(at("touch", 1, 1, { id: 2 }));
  pointers.move(at("touch", 4, 1, { id: 2 }));
  pointers.up(at("touch", 4, 1, { id: 2 }));
  assert.deepEqual(done, ["down 1,1", "up", "down 5,5", "up", "pan 3,0"]);
});

test("a hand that lies on the screen before or while the pen paints does nothing", () => {
  pointers.down(at("touch", 9, 9, { id: 7 }));
  pointers.down(at("pen", 5, 5));
  pointers.move(at("touch", 9, 8, { id: 7 }));
  pointers.down(at("touch", 0, 0, { id: 8 }));
  pointers.move(at("touch", 1, 0, { id: 8 }));
  pointers.move(at("pen", 6, 5));
  pointers.up(at("pen", 6, 5));
  assert.deepEqual(done, ["down 9,9", "cancel", "down 5,5", "move 6,5", "up"]);
});

test("two fingers give up the stroke that the first began, then pan and zoom", () => {
  pointers.down(at("touch", 0, 0, { id: 1 }));
  pointers.down(at("touch", 10, 0, { id: 2 }));
  pointers.move(at("touch", 20, 0, { id: 2 }));
  pointers.up(at("touch", 20, 0, { id: 2 }));
  pointers.move(at("touch", 0, 5, { id: 1 }));
  pointers.up(at("touch", 0, 5, { id: 1 }));
  assert.deepEqual(done, ["down 0,0", "cancel", "pan 5,0", "zoom 2 at 10,0", "pan 0,5"]);
});

test("a stroke that the system takes away is given up", () => {
  pointers.down(at("mouse", 1, 1));
  pointers.cancel(at("mouse", 1, 1));
  pointers.move(at("mouse", 2, 2));
  assert.deepEqual(done, ["down 1,1", "cancel", "hover 2,2"]);
});
