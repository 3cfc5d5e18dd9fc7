/** Actions one after the other: none overtakes the worker, and none is lost while it is busy. */

export class Turns {
  #busy;
  /** @type {(() => void)[]} */
  #waiting = [];
  #acting = false;
  #draining = false;

  /** @param {() => Promise<void> | null} busy when what is under way is done; null: nothing is */
  constructor(busy) {
    this.#busy = busy;
  }

  /**
   * Act now, or after what was asked before. What an action asks for itself is part of it.
   * @param {() => void} action
   */
  take(action) {
    if (this.#acting || (this.#waiting.length === 0 && !this.#busy())) this.#act(action);
    else {
      this.#waiting.push(action);
      if (!this.#draining) this.#drain();
    }
  }

  /** Forget what waits. */
  clear() {
    this.#waiting = [];
  }

  async #drain() {
    this.#draining = true;
    while (this.#waiting.length > 0) {
      // Who made it busy tells people of a failure.
      await this.#busy()?.catch(() => {});
      const action = this.#busy() ? undefined : this.#waiting.shift();
      if (action) this.#act(action);
    }
    this.#draining = false;
  }

  /** @param {() => void} action */
  #act(action) {
    const within = this.#acting;
    this.#acting = true;
    try {
      action();
    } finally {
      this.#acting = within;
    }
  }
}
