/** What the page asks of the service. */

/** @import {GridPlace} from "./grid.js" */
/** @import {SupportSet} from "./sets.js" */
/** @import {Advice, Choices, Classified, Embedding, SessionState} from "./types.js" */

import { ask, prepared, Refused } from "../ask.js";

const AGAIN_MS = 500;
const WAIT = { Prefer: "wait=10" };

/**
 * @param {number} ms
 * @param {AbortSignal} [signal]
 */
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

/**
 * Send JSON, and again until a worker has made what is asked for.
 * @param {string} path below /api/v1
 * @param {unknown} [body]
 * @param {AbortSignal} [signal] ends the waiting
 * @returns {Promise<Response>}
 */
export async function posted(path, body, signal) {
  /** @type {Record<string, string>} */
  const headers = body === undefined ? WAIT : { ...WAIT, "Content-Type": "application/json" };
  const sent = body === undefined ? undefined : JSON.stringify(body);
  for (;;) {
    const answer = await ask("POST", path, { body: sent, headers, signal });
    if (answer.status !== 202) return answer;
    await pause(AGAIN_MS, signal);
  }
}

/** One session: changes go one after another, each with the ETag that the one before came with. */
export class SessionService {
  #path;
  #etag = "";
  /** @type {Promise<unknown>} */
  #last = Promise.resolve();

  /** @param {string} id */
  constructor(id) {
    this.#path = `/fewshot/sessions/${encodeURIComponent(id)}`;
  }

  /** @returns {Promise<SessionState>} */
  read() {
    return this.#inTurn(() => ask("GET", this.#path));
  }

  /**
   * How far the chips' vectors are; what else another window has changed is not taken notice of.
   * @returns {Promise<Embedding>}
   */
  async embedding() {
    return (await (await ask("GET", this.#path)).json()).embedding;
  }

  /**
   * @param {GridPlace} grid
   * @param {boolean} release whether chips that are chosen may be released
   */
  setGrid(grid, release) {
    return this.#put("grid", { ...grid, release });
  }

  /** @param {readonly SupportSet[]} sets */
  setSets(sets) {
    return this.#put("sets", { sets });
  }

  /** @param {Choices} choices */
  setChoices(choices) {
    return this.#put("choices", choices);
  }

  /** @param {string} name */
  setName(name) {
    return this.#put("name", { name });
  }

  /** @returns {Promise<Advice>} */
  async advice() {
    return (await prepared(`${this.#path}/advice`)).json();
  }

  /**
   * Classify the sets as they are kept.
   * @param {AbortSignal} signal ends the waiting
   * @returns {Promise<Classified>}
   */
  async classify(signal) {
    return (await posted(`${this.#path}/classification`, undefined, signal)).json();
  }

  /**
   * @param {string} name of a file
   * @returns {string} path below /api/v1
   */
  fileOf(name) {
    return `${this.#path}/exports/${name}`;
  }

  /**
   * @param {string} part
   * @param {unknown} body
   * @returns {Promise<SessionState>}
   */
  #put(part, body) {
    return this.#inTurn(() =>
      ask("PUT", `${this.#path}/${part}`, {
        body: JSON.stringify(body),
        headers: { "Content-Type": "application/json", "If-Match": this.#etag },
      }),
    );
  }

  /** @param {() => Promise<Response>} asks */
  #inTurn(asks) {
    const answered = this.#last.then(async () => {
      const answer = await asks();
      this.#etag = answer.headers.get("ETag") ?? this.#etag;
      return answer.json();
    });
    this.#last = answered.catch(() => {}); // whoever asked is told
    return answered;
  }
}

/**
 * Whether a change was refused because another window was faster.
 * @param {unknown} error
 */
export function isStale(error) {
  return error instanceof Refused && error.status === 412;
}
