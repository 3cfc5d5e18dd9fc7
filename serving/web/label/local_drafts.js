/** Drafts in this browser (IndexedDB): they outlive a reload, a crash, and a network that is gone. */

/**
 * @typedef {object} LocalDraft
 * @property {number} item
 * @property {Uint8Array} mask
 * @property {import("../editor/types.js").SavedHistory} history
 * @property {number} seconds of work
 * @property {number} revision of the service's draft that this one follows, 0: none
 * @property {(import("../decision/decision.js").Which | null)[]} [taken] of a decision between two masks
 */

const STORE = "drafts";

/**
 * @param {string} person whose drafts; another person at the same browser has others
 * @returns {Promise<IDBDatabase>}
 */
function open(person) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(`icefloe-${person}`, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "item" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** The drafts of one person in this browser. */
export class LocalDrafts {
  /** @param {string} person */
  constructor(person) {
    this.person = person;
  }

  /**
   * @param {number} item
   * @returns {Promise<LocalDraft | undefined>}
   */
  read(item) {
    return this.#run("readonly", (store) => store.get(item));
  }

  /** @param {LocalDraft} draft */
  save(draft) {
    return this.#run("readwrite", (store) => store.put(draft));
  }

  /** @param {number} item */
  remove(item) {
    return this.#run("readwrite", (store) => store.delete(item));
  }

  /**
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest} action
   * @returns {Promise<any>}
   */
  async #run(mode, action) {
    const database = await open(this.person);
    try {
      return await new Promise((resolve, reject) => {
        const transaction = database.transaction(STORE, mode);
        const request = action(transaction.objectStore(STORE));
        transaction.oncomplete = () => resolve(request.result);
        transaction.onerror = () => reject(transaction.error);
        transaction.onabort = () => reject(transaction.error);
      });
    } finally {
      database.close();
    }
  }
}
