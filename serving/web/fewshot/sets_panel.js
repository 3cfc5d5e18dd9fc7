/** The list of support sets: choose, add, rename, remove. */

/** @import {SetsHistory, SupportSet} from "./sets.js" */
/** @import {Styles} from "./styles.js" */

import { element } from "../editor/controls.js";

/** @template {HTMLElement} T */
const byId = (/** @type {string} */ id) => /** @type {T} */ (document.getElementById(id));

/**
 * @typedef {object} SetActions
 * @property {(position: number) => void} choose
 * @property {(name: string) => string | null} add answers why not
 * @property {(position: number) => void} rename
 * @property {(position: number) => void} remove
 * @property {() => void} undo
 * @property {() => void} redo
 * @property {() => void} next show the chips that are worth a label, or hide them
 */

export class SetsPanel {
  #list = byId("sets");
  #styles;
  #actions;

  /**
   * @param {Styles} styles
   * @param {SetActions} actions
   * @param {(why: string) => void} say
   */
  constructor(styles, actions, say) {
    this.#styles = styles;
    this.#actions = actions;
    for (const name of /** @type {const} */ (["undo", "redo", "next"]))
      byId(name).addEventListener("click", () => actions[name]());
    const form = /** @type {HTMLFormElement} */ (byId("add-set"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("name"));
      const why = actions.add(field.value);
      if (why) say(why);
      else field.value = "";
    });
  }

  /** Where a name is typed. */
  focus() {
    byId("add-set").querySelector("input")?.focus();
  }

  /**
   * @param {SetsHistory} history
   * @param {number} current position of the chosen set
   * @param {number} nNext chips that are worth a label
   * @param {boolean} showsNext
   */
  show({ sets, canUndo, canRedo }, current, nNext, showsNext) {
    const held = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.key;
    this.#list.replaceChildren(
      ...sets.map((one, position) => this.#row(one, position, position === current)),
    );
    if (held)
      /** @type {HTMLElement | null} */ (this.#list.querySelector(`[data-key="${held}"]`))?.focus({
        preventScroll: true,
      });
    /** @type {HTMLButtonElement} */ (byId("undo")).disabled = !canUndo;
    /** @type {HTMLButtonElement} */ (byId("redo")).disabled = !canRedo;
    const next = /** @type {HTMLButtonElement} */ (byId("next"));
    next.disabled = nNext === 0;
    next.ariaPressed = String(showsNext && nNext > 0);
  }

  /**
   * @param {SupportSet} set
   * @param {number} position
   * @param {boolean} isChosen
   */
  #row({ name, chips, style }, position, isChosen) {
    const n = chips.length;
    const choose = element(
      "button",
      {
        type: "button",
        class: "plain set",
        "aria-pressed": String(isChosen),
        "data-key": `choose ${position}`,
      },
      this.#styles.swatch(style),
      element("span", { class: "name" }, `${position + 1}. ${name}`),
      element("span", { class: "count" }, `${n} ${n === 1 ? "chip" : "chips"}`),
    );
    choose.addEventListener("click", () => this.#actions.choose(position));
    const rename = element(
      "button",
      { type: "button", class: "plain", "aria-label": `Rename ${name}`, "data-key": `rename ${position}` },
      "✎",
    );
    rename.addEventListener("click", () => this.#actions.rename(position));
    const remove = element(
      "button",
      { type: "button", class: "plain", "aria-label": `Remove ${name}`, "data-key": `remove ${position}` },
      "✕",
    );
    remove.addEventListener("click", () => this.#actions.remove(position));
    return element("li", {}, choose, rename, remove);
  }
}
