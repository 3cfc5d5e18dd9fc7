/** Mouse, pen and fingers as what they mean: drawing, panning, zooming. */

/** @import {Point} from "./types.js" */

const PRIMARY = 1;
const ERASER = 32;

/**
 * @typedef {object} Pointer
 * @property {number} id
 * @property {string} type mouse, pen or touch
 * @property {number} buttons that are down, as in PointerEvent
 * @property {boolean} alt
 * @property {Point[]} points where it was since its last event, the newest last; canvas pixels
 *
 * @typedef {object} Hands
 * @property {(point: Point, erase: boolean) => void} down a tool is put down
 * @property {(points: Point[]) => void} move the tool that is down moves
 * @property {() => void} up the tool is lifted
 * @property {() => void} cancel the tool's doing is not wanted
 * @property {(point: Point) => void} hover a pointer moves above the image
 * @property {(dx: number, dy: number) => void} pan
 * @property {(factor: number, point: Point) => void} zoom
 */

export class Pointers {
  #hands;
  #penSeen = false;
  /** @type {Pointer | null} */
  #drawing = null;
  /** @type {Pointer | null} */
  #panning = null;
  /** @type {Map<number, Point>} */
  #fingers = new Map();

  /** @param {Hands} hands */
  constructor(hands) {
    this.#hands = hands;
  }

  /** @param {Pointer} pointer */
  down(pointer) {
    const point = last(pointer);
    if (pointer.type === "touch") this.#fingerDown(pointer, point);
    else if (pointer.type === "pen" && !this.#penSeen) {
      this.#penSeen = true;
      if (this.#drawing) this.#stop(); // the hand's edge was there before the pen
      this.#toolDown(pointer, point);
    } else if (!this.#drawing) this.#toolDown(pointer, point);
  }

  /** @param {Pointer} pointer */
  move(pointer) {
    const point = last(pointer);
    if (this.#drawing?.id === pointer.id) this.#hands.move(pointer.points);
    else if (this.#panning?.id === pointer.id) {
      const from = last(this.#panning);
      this.#panning = pointer;
      this.#hands.pan(point.x - from.x, point.y - from.y);
    } else if (this.#fingers.has(pointer.id)) {
      if (this.#drawing) this.#fingers.set(pointer.id, point);
      else this.#fingerMove(pointer.id, point);
    } else if (pointer.type !== "touch") this.#hands.hover(point);
  }

  /** @param {Pointer} pointer */
  up(pointer) {
    this.#fingers.delete(pointer.id);
    if (this.#panning?.id === pointer.id) this.#panning = null;
    if (this.#drawing?.id !== pointer.id) return;
    this.#drawing = null;
    this.#hands.up();
  }

  /** @param {Pointer} pointer */
  cancel(pointer) {
    this.#fingers.delete(pointer.id);
    if (this.#panning?.id === pointer.id) this.#panning = null;
    if (this.#drawing?.id === pointer.id) this.#stop();
  }

  /**
   * @param {Pointer} pointer
   * @param {Point} point
   */
  #toolDown(pointer, point) {
    if ((pointer.buttons & (PRIMARY | ERASER)) === 0) {
      this.#panning = pointer;
      return;
    }
    this.#drawing = pointer;
    this.#hands.down(point, pointer.alt || (pointer.buttons & ERASER) !== 0);
  }

  /**
   * @param {Pointer} pointer
   * @param {Point} point
   */
  #fingerDown(pointer, point) {
    if (this.#drawing && this.#drawing.type !== "touch") return;
    this.#fingers.set(pointer.id, point);
    if (this.#drawing)
      this.#stop(); // a second finger: both were meant to move the image
    else if (!this.#penSeen && this.#fingers.size === 1) {
      this.#drawing = pointer;
      this.#hands.down(point, pointer.alt);
    }
  }

  /**
   * @param {number} id
   * @param {Point} point
   */
  #fingerMove(id, point) {
    const before = [...this.#fingers.values()];
    this.#fingers.set(id, point);
    const after = [...this.#fingers.values()];
    const [from, to] = [before, after].map(middle);
    this.#hands.pan(to.x - from.x, to.y - from.y);
    if (after.length > 1) this.#hands.zoom(apart(after) / Math.max(1, apart(before)), to);
  }

  #stop() {
    this.#drawing = null;
    this.#hands.cancel();
  }
}

/** @param {Pointer} pointer */
function last({ points }) {
  return points[points.length - 1];
}

/** @param {Point[]} points of which the first two count */
function middle([a, b = a]) {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

/** @param {Point[]} points */
function apart([a, b]) {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
