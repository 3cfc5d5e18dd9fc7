/** How long somebody really worked, and in how many actions. */

/** After this long without pointer or key, in ms, nobody is at work. */
export const IDLE_MS = 20_000;
/** Wheel turns closer together than this, in ms, are one action. */
const BURST_MS = 500;

export class Activity {
  /** Actions since the image was opened. */
  actions = 0;
  #milliseconds = 0;
  /** @type {number | null} */
  #last = null;
  #lastWheel = -Infinity;

  /**
   * Somebody moved a pointer or pressed a key.
   * @param {number} now ms
   */
  touch(now) {
    this.pause(now);
    this.#last = now;
  }

  /**
   * Somebody did something: pressed a button or key, put a tool down.
   * @param {number} now ms
   */
  act(now) {
    this.touch(now);
    this.actions += 1;
  }

  /**
   * Count until now, and from here on only after the next touch: the page is hidden.
   * @param {number} now ms
   */
  pause(now) {
    this.#milliseconds += this.#running(now);
    this.#last = null;
  }

  /**
   * Active time so far.
   * @param {number} now ms
   * @returns {number} seconds
   */
  seconds(now) {
    return (this.#milliseconds + this.#running(now)) / 1000;
  }

  /**
   * The wheel turned.
   * @param {number} now ms
   */
  wheel(now) {
    this.touch(now);
    if (now - this.#lastWheel > BURST_MS) this.actions += 1;
    this.#lastWheel = now;
  }

  /** @param {number} now */
  #running(now) {
    return this.#last === null ? 0 : Math.min(now - this.#last, IDLE_MS);
  }
}
