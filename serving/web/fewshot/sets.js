/** Support sets: named chips, each in one set at most; every change gives new ones, so all can be undone. */

/**
 * @typedef {object} SupportSet
 * @property {string} name
 * @property {number[]} chips ascending
 * @property {number} style number of its colour and pattern; it stays when other sets come and go
 */

const LONGEST_NAME = 60;
const MOST_SETS = 64;
/** What a chip is called that belongs to no set clearly. */
export const UNSURE = "unsure";

/** @param {string} name */
const folded = (name) => name.normalize("NFC").trim().toLowerCase();

/**
 * Why a name cannot be given; the service checks it, too, when the change is kept.
 * @param {readonly SupportSet[]} sets
 * @param {string} name
 * @param {number} [own] position of the set that is renamed
 * @returns {string | null} null if it can
 */
export function whyNotNamed(sets, name, own = -1) {
  if (!name.trim()) return "A set without a name. Give it one.";
  if ([...name.trim()].length > LONGEST_NAME)
    return `A name of more than ${LONGEST_NAME} characters. Shorten it.`;
  if (folded(name) === UNSURE)
    return `${UNSURE} is what chips are called that belong to no set clearly. Choose another name.`;
  const other = sets.find((one, position) => position !== own && folded(one.name) === folded(name));
  if (other) return `A set is called ${other.name} already. Choose another name.`;
  if (own < 0 && sets.length >= MOST_SETS) return `There are ${MOST_SETS} sets already. Remove one first.`;
  return null;
}

/**
 * With one more set, in the first free style.
 * @param {readonly SupportSet[]} sets
 * @param {string} name
 * @returns {SupportSet[]}
 */
export function added(sets, name) {
  const taken = new Set(sets.map((one) => one.style));
  let style = 0;
  while (taken.has(style)) style++;
  return [...sets, { name: name.trim(), chips: [], style }];
}

/**
 * @param {readonly SupportSet[]} sets
 * @param {number} position
 * @param {string} name
 * @returns {SupportSet[]}
 */
export function renamed(sets, position, name) {
  return sets.map((one, each) => (each === position ? { ...one, name: name.trim() } : one));
}

/**
 * Without a set; its chips are free.
 * @param {readonly SupportSet[]} sets
 * @param {number} position
 * @returns {SupportSet[]}
 */
export function removed(sets, position) {
  return sets.filter((_, each) => each !== position);
}

/**
 * With chips in no set.
 * @param {readonly SupportSet[]} sets
 * @param {Iterable<number>} chips
 * @returns {SupportSet[]}
 */
export function released(sets, chips) {
  const out = new Set(chips);
  return sets.map((one) => ({ ...one, chips: one.chips.filter((chip) => !out.has(chip)) }));
}

/**
 * With chips in a set, which leave those that they were in; if all are in it already, they are released.
 * @param {readonly SupportSet[]} sets
 * @param {number} position
 * @param {readonly number[]} chips
 * @returns {SupportSet[]}
 */
export function toggled(sets, position, chips) {
  const own = new Set(sets[position]?.chips);
  const free = released(sets, chips);
  if (chips.every((chip) => own.has(chip))) return free;
  return free.map((one, each) =>
    each === position ? { ...one, chips: [...new Set([...one.chips, ...chips])].sort((a, b) => a - b) } : one,
  );
}

/**
 * Position of the set that each chip is in.
 * @param {readonly SupportSet[]} sets
 * @returns {Map<number, number>}
 */
export function owners(sets) {
  return new Map(sets.flatMap((one, position) => one.chips.map((chip) => [chip, position])));
}

/** @param {readonly SupportSet[]} sets */
export function hasChips(sets) {
  return sets.some((one) => one.chips.length > 0);
}

const MOST_STEPS = 200;

/** Sets as they are, were, and will be again if somebody takes an undo back. */
export class SetsHistory {
  /** @type {(readonly SupportSet[])[]} */
  #steps;
  #at = 0;

  /** @param {readonly SupportSet[]} sets */
  constructor(sets) {
    this.#steps = [sets];
  }

  /** @returns {readonly SupportSet[]} */
  get sets() {
    return this.#steps[this.#at] ?? [];
  }

  get canUndo() {
    return this.#at > 0;
  }

  get canRedo() {
    return this.#at < this.#steps.length - 1;
  }

  /** @param {readonly SupportSet[]} sets */
  change(sets) {
    this.#steps = [...this.#steps.slice(0, this.#at + 1), sets].slice(-MOST_STEPS);
    this.#at = this.#steps.length - 1;
  }

  undo() {
    if (this.canUndo) this.#at--;
  }

  redo() {
    if (this.canRedo) this.#at++;
  }
}
