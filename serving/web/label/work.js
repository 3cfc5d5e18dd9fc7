/** The work on one leased image: where its mask begins, its drafts, handing it in. */

import { ask, Refused, Unreachable } from "../ask.js";
import { readPicture } from "./service.js";

const PNG = "image/png";
const RETRY_MS = 5000;

/**
 * @typedef {object} Item see QueueItem in the API
 * @property {number} id
 * @property {string} dataset
 * @property {string} stem
 * @property {string} round
 * @property {number} height
 * @property {number} width
 * @property {string[]} classes
 * @property {number} rank
 * @property {string} reason
 * @property {boolean} has_presegmentation
 * @property {boolean} without_presegmentation
 * @property {{top: number, left: number, height: number, width: number}[]} regions to be labelled; none: all of it
 * @property {"label" | "decide"} task
 *
 * @typedef {object} ItemLease
 * @property {string} token
 * @property {Item} item
 * @property {number} expires
 *
 * @typedef {object} Beginning
 * @property {Uint8Array} mask to go on with
 * @property {Uint8Array} original as it was before the labeler changed anything
 * @property {import("../editor/types.js").SavedHistory | null} history
 * @property {number} seconds of work so far
 */

/** One lease, and what is done with it. */
export class Work {
  /** @type {number} of the service's draft, 0: none */
  #revision = 0;

  /**
   * @param {ItemLease} lease
   * @param {import("./local_drafts.js").LocalDrafts} drafts
   * @param {string} editorVersion that labels note
   */
  constructor(lease, drafts, editorVersion) {
    this.client = `editor ${editorVersion}`;
    this.lease = lease;
    this.item = lease.item;
    this.drafts = drafts;
  }

  get #path() {
    return `/queue/items/${this.item.id}`;
  }

  /**
   * Where the work on the mask begins or goes on: the later of the drafts here and in the service, else the
   * pre-segmentation, else an empty mask.
   * @returns {Promise<Beginning>}
   */
  async begin() {
    const empty = new Uint8Array(this.item.height * this.item.width);
    const presegmentation = this.item.has_presegmentation
      ? await readPicture(`${this.#path}/presegmentation`)
      : null;
    const original = presegmentation?.values ?? empty;
    const [here, there] = await Promise.all([
      this.drafts.read(this.item.id),
      readPicture(`${this.#path}/draft`),
    ]);
    this.#revision = there ? Number((there.headers.get("ETag") ?? "").replaceAll('"', "")) : 0;
    if (here && here.revision >= this.#revision && here.mask.length === empty.length) {
      return { mask: here.mask, original, history: here.history, seconds: here.seconds };
    }
    if (there) {
      const seconds = Number(there.headers.get("Icefloe-Seconds"));
      return { mask: there.values, original, history: null, seconds };
    }
    return { mask: original.slice(), original, history: null, seconds: 0 };
  }

  /** What two people drew, and what was decided of it here before. */
  async beginDecision() {
    const [a, b, here] = await Promise.all([
      readPicture(`${this.#path}/pair/a`),
      readPicture(`${this.#path}/pair/b`),
      this.drafts.read(this.item.id),
    ]);
    if (!a || !b) throw new Error("The two masks are gone. Load the page again.");
    return { a: a.values, b: b.values, taken: here?.taken ?? [], seconds: here?.seconds ?? 0 };
  }

  /**
   * Keep in this browser what is decided.
   * @param {(import("../decision/decision.js").Which | null)[]} taken
   * @param {number} seconds
   */
  async keepDecision(taken, seconds) {
    const none = { mask: new Uint8Array(), history: { steps: [], position: 0 }, revision: 0 };
    await this.drafts.save({ item: this.item.id, ...none, seconds, taken });
  }

  /**
   * Keep a draft in this browser.
   * @param {Uint8Array} mask
   * @param {import("../editor/types.js").SavedHistory} history
   * @param {number} seconds
   */
  async keepHere(mask, history, seconds) {
    await this.drafts.save({ item: this.item.id, mask, history, seconds, revision: this.#revision });
  }

  /**
   * Keep a draft in the service.
   * @param {Uint8Array<ArrayBuffer>} png
   * @param {number} seconds
   */
  async keepThere(png, seconds) {
    /** @type {Record<string, string>} */
    const follows = this.#revision ? { "If-Match": `"${this.#revision}"` } : { "If-None-Match": "*" };
    try {
      const answer = await ask("PUT", `${this.#path}/draft`, {
        body: png,
        headers: { ...this.#headers(seconds), ...follows },
      });
      this.#revision = Number((answer.headers.get("ETag") ?? "").replaceAll('"', ""));
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 412) throw error;
      // Whoever works last in this window or another wins; what was here before is in neither's way.
      this.#revision = Number((error.etag ?? "").replaceAll('"', ""));
      throw new Error("Another window works on this image, too. Close one of them.");
    }
  }

  /**
   * Hand the mask in, again and again while the network is gone.
   * @param {Uint8Array<ArrayBuffer>} png
   * @param {number} seconds
   * @param {(text: string) => void} say told while it waits
   */
  async submit(png, seconds, say) {
    for (;;) {
      try {
        await ask("PUT", `${this.#path}/label`, { body: png, headers: this.#headers(seconds) });
        break;
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        say("The service cannot be reached. The mask is kept here and is sent when it is back.");
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
    await this.drafts.remove(this.item.id);
  }

  /** @param {string} reason why the image cannot be labelled */
  async skip(reason) {
    await ask("POST", `${this.#path}/skip`, {
      body: JSON.stringify({ reason }),
      headers: { "Content-Type": "application/json", "Icefloe-Lease": this.lease.token },
    });
    await this.drafts.remove(this.item.id);
  }

  /** Let the lease run on from now. */
  async renew() {
    await ask("PUT", "/queue/leases/current", { headers: { "Icefloe-Lease": this.lease.token } });
  }

  /** Give the image back; its drafts stay for whoever leased it. */
  async release() {
    await ask("DELETE", "/queue/leases/current", { headers: { "Icefloe-Lease": this.lease.token } });
  }

  /** @param {number} seconds */
  #headers(seconds) {
    return {
      "Content-Type": PNG,
      "Icefloe-Lease": this.lease.token,
      "Icefloe-Seconds": seconds.toFixed(1),
      "Icefloe-Client": this.client,
    };
  }
}
