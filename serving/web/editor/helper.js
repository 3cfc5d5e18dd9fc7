/** The page's end of the worker. */

/** @import {FloodRequest, ImageRequest, LivewireRequest, Request, ShapeRequest} from "./jobs.js" */
/** @import {Point, Selection} from "./types.js" */

const WORKER = trusted(new URL("./worker.js", import.meta.url).href);

export class Helper {
  #worker = new Worker(/** @type {string} */ (WORKER), { type: "module" });
  /** @type {Map<number, {resolve: (answer: any) => void, reject: (error: Error) => void}>} */
  #waiting = new Map();
  #asked = 0;
  #gone = false;

  constructor() {
    this.#worker.addEventListener("message", ({ data: { id, answer, failure } }) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (failure) waiting?.reject(failed(failure));
      else waiting?.resolve(answer);
    });
    this.#worker.addEventListener("error", (event) => {
      this.#gone = true;
      for (const { reject } of this.#waiting.values()) reject(failed(event.message));
      this.#waiting.clear();
    });
  }

  /** @param {Omit<ImageRequest, "job">} request */
  open(request) {
    return this.#ask({ job: "open", ...request });
  }

  /**
   * @param {Omit<FloodRequest, "job">} request
   * @returns {Promise<Selection>}
   */
  flood(request) {
    return this.#ask({ job: "flood", ...request });
  }

  /**
   * @param {Omit<LivewireRequest, "job">} request
   * @returns {Promise<Point[]>}
   */
  livewire(request) {
    return this.#ask({ job: "livewire", ...request });
  }

  /**
   * @param {Omit<ShapeRequest, "job">} request
   * @returns {Promise<Selection>}
   */
  shape(request) {
    return this.#ask({ job: "shape", ...request });
  }

  /**
   * @param {Request} request
   * @returns {Promise<any>}
   */
  #ask(request) {
    if (this.#gone) return Promise.reject(failed("its worker did not start"));
    const id = this.#asked++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, request });
    });
  }
}

/** @param {string} cause */
function failed(cause) {
  return new Error(`The tool failed (${cause}). Reload the page, or use the brush.`);
}

/**
 * The newest of requests that come faster than answers: those in between are left out.
 * @template T
 */
export class Newest {
  #act;
  /** @type {{request: T} | null} */
  #next = null;
  /** @type {Promise<void>} */
  #running = Promise.resolve();
  #busy = false;

  /** @param {(request: T) => Promise<void>} act */
  constructor(act) {
    this.#act = act;
  }

  /** @param {T} request */
  ask(request) {
    this.#next = { request };
    if (!this.#busy) this.#running = this.#work();
  }

  /** When the last request is done. */
  done() {
    return this.#running;
  }

  async #work() {
    this.#busy = true;
    try {
      while (this.#next) {
        const { request } = this.#next;
        this.#next = null;
        await this.#act(request);
      }
    } finally {
      this.#busy = false;
    }
  }
}

/**
 * The one script address that this page ever starts from code, as the content policy wants it: by a policy
 * named icefloe. Browsers that know no Trusted Types take the address itself.
 * @param {string} address
 * @returns {unknown}
 */
function trusted(address) {
  const { trustedTypes } = /** @type {{trustedTypes?: {createPolicy: Function}}} */ (globalThis);
  if (!trustedTypes) return address;
  return trustedTypes.createPolicy("icefloe", { createScriptURL: () => address }).createScriptURL("");
}
