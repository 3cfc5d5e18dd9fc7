/** Requests whose answers are more than JSON: bytes, headers, or what a worker has to prepare first. */

/** The network is gone, or the service has no time: the same request may work later. */
export class Unreachable extends Error {
  /** @param {string} [detail] what the service says, if it does */
  constructor(detail) {
    super(detail ?? "The service cannot be reached. See whether it runs, then try again.");
  }
}

/** The service has refused. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {string} detail what happened and what to do
   * @param {string | null} etag
   */
  constructor(status, detail, etag) {
    super(detail);
    this.status = status;
    this.etag = etag;
  }
}

const BUSY = [429, 502, 503, 504];
const AGAIN_MS = 1000;

/**
 * Ask the API.
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {{body?: BodyInit, headers?: Record<string, string>, signal?: AbortSignal}} [options]
 * @returns {Promise<Response>} with a status below 400
 */
export async function ask(method, path, { body, headers, signal } = {}) {
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, { method, headers, body, signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable();
  }
  if (answer.ok || answer.status === 304) return answer;
  const content = await answer.json().catch(() => ({}));
  if (BUSY.includes(answer.status)) throw new Unreachable(content.detail);
  const detail = content.detail ?? `The service answered ${answer.status}.`;
  throw new Refused(answer.status, detail, answer.headers.get("ETag"));
}

/**
 * Ask for what a worker may have to prepare first (202), until it is there.
 * @param {string} path below /api/v1
 * @param {AbortSignal} [signal] ends the waiting
 * @returns {Promise<Response>}
 */
export async function prepared(path, signal) {
  for (;;) {
    const answer = await ask("GET", path, { headers: { Prefer: "wait=20" }, signal });
    if (answer.status !== 202) return answer;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/**
 * Path of an image below /api/v1.
 * @param {string} dataset
 * @param {string} stem
 */
export function imagePath(dataset, stem) {
  return `/images/${encodeURIComponent(dataset)}/${encodeURIComponent(stem)}`;
}
