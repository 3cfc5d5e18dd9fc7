/** Page *Few-shot*, one session: grid, supports, result. */

/** @import {ChipView} from "./chip_view.js" */
/** @import {SupportSet} from "./sets.js" */
/** @import {Choices, Classified, SessionState} from "./types.js" */

import "./chip_view.js";
import { act, say } from "../client.js";
import { element, slider } from "../editor/controls.js";
import { chord } from "../editor/keys.js";
import { readPixels } from "../label/service.js";
import { offer } from "../results/files.js";
import { Grid } from "./grid.js";
import { GridPanel } from "./grid_panel.js";
import { offerChoices, offerLook } from "./look.js";
import { checkInWords, chipInWords, confusionRows, countRows, stylesOf } from "./result.js";
import { offerSeries } from "./series.js";
import { isStale, SessionService } from "./service.js";
import {
  added,
  hasChips,
  owners,
  released,
  removed,
  renamed,
  SetsHistory,
  toggled,
  whyNotNamed,
} from "./sets.js";
import { SetsPanel } from "./sets_panel.js";
import { Styles } from "./styles.js";

/** After a change that is followed by none for so long, all is classified anew. */
const REST_MS = 40;
const OPACITY = 0.45;
/** Where undo is something else, or the image's own affair. */
const KEYS_OF_THEIR_OWN = "input:not([type=range], [type=checkbox]), select, textarea, dialog, chip-view";

/** @template {HTMLElement} T */
const byId = (/** @type {string} */ id) => /** @type {T} */ (document.getElementById(id));

class Work {
  #service;
  #view = /** @type {ChipView} */ (byId("view"));
  #styles;
  /** @type {SessionState} */
  #state;
  /** @type {GridPanel} */
  #gridPanel;
  #setsPanel;
  #showChoices;
  #history = new SetsHistory([]);
  /** Position of the set that chips go to. */
  #current = 0;
  /** @type {Grid | null} that is kept */
  #grid = null;
  #placing = false;
  /** Whether somebody has placed the grid, which is then not moved to what is suggested. */
  #isPlaced = false;
  /** @type {Classified | null} */
  #result = null;
  #showsNext = false;
  #resting = 0;
  #isKeeping = false;
  /** Whether the sets have changed since those that are being kept. */
  #isOutdated = false;
  #asking = new AbortController();
  /** @type {EventSource | null} of the embedding */
  #events = null;
  /** Supports of each chip, for words. */
  #owners = owners([]);

  /**
   * @param {HTMLElement} section
   * @param {SessionService} service
   * @param {SessionState} state
   */
  constructor(section, service, state) {
    this.#service = service;
    this.#state = state;
    this.#styles = Styles.of(section);
    this.#gridPanel = new GridPanel(state.image, {
      place: (grid) => this.#place(grid),
      use: (grid) => act(/** @type {HTMLButtonElement} */ (byId("use-grid")), () => this.#use(grid)),
      begin: () => this.#beginPlacing(),
      keep: () => this.#endPlacing(),
    });
    this.#setsPanel = new SetsPanel(
      this.#styles,
      {
        choose: (position) => this.#choose(position),
        add: (name) => this.#add(name),
        rename: (position) => this.#rename(position),
        remove: (position) => this.#remove(position),
        undo: () => this.#undo(),
        redo: () => this.#redo(),
        next: () => this.#toggleNext(),
      },
      say,
    );
    this.#showChoices = offerChoices(
      byId("choices"),
      JSON.parse(section.dataset.encoders ?? "{}"),
      (choices) => act(null, () => this.#setChoices(choices)),
    );
    this.#listen();
    this.#offerResult();
  }

  async begin() {
    const { dataset, stem } = this.#state.image;
    this.#view.open(await readPixels(dataset, stem), this.#styles);
    offerLook(byId("see"), this.#view);
    this.#adopt(this.#state);
    const advice = await this.#service.advice();
    this.#gridPanel.advise(advice);
    const isUntouched = this.#placing && this.#grid === null && !this.#isPlaced;
    if (isUntouched) this.#place(this.#gridPanel.grid.resized(advice.edge));
  }

  #listen() {
    this.#view.addEventListener("pick", (event) => {
      const { chips, set } = /** @type {CustomEvent<{chips: number[], set: number | null}>} */ (event).detail;
      this.#pick(chips, set);
    });
    this.#view.addEventListener("place", (event) => {
      this.#isPlaced = true;
      this.#gridPanel.show(/** @type {CustomEvent<Grid>} */ (event).detail);
    });
    this.#view.addEventListener("command", (event) => {
      const command = /** @type {CustomEvent<"undo" | "redo" | "next">} */ (event).detail;
      if (this.#placing) return;
      if (command === "undo") this.#undo();
      else if (command === "redo") this.#redo();
      else this.#toggleNext();
    });
    document.addEventListener("keydown", (event) => {
      const target = /** @type {Element} */ (event.target);
      const name = chord(event);
      if (target.closest(KEYS_OF_THEIR_OWN) || this.#placing) return;
      if (name === "Ctrl+Z") this.#undo();
      else if (name === "Ctrl+Y" || name === "Ctrl+Shift+Z") this.#redo();
      else return;
      event.preventDefault();
    });
    byId("grid-panel").addEventListener("input", () => {
      this.#isPlaced = true;
    });
    byId("rename-session").addEventListener("click", async () => {
      const name = await askName(this.#state.name, (given) => (given.trim() ? null : "Give it a name."));
      if (name) act(null, async () => this.#adopt(await this.#service.setName(name.trim())));
    });
  }

  #offerResult() {
    const opacity = slider(
      "Opacity",
      { min: 0, max: 1, step: 0.01 },
      (value) => `${Math.round(100 * value)} %`,
      (value) => {
        opacity.set(value);
        this.#view.show({ opacity: value });
      },
    );
    opacity.set(OPACITY);
    byId("opacity").append(opacity.row);
    byId("show-map").addEventListener("change", () => this.#showMap());
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (
      document.querySelectorAll("[data-export]")
    )) {
      const name = button.dataset.export ?? "";
      offer(
        button,
        () => this.#service.fileOf(name),
        () => `${this.#state.image.stem}-${name}`,
      );
    }
    offerSeries(this.#state.id, this.#state.image.dataset);
  }

  /**
   * Show a session as the service has it.
   * @param {SessionState} state
   */
  #adopt(state) {
    this.#state = state;
    const { image, grid, sets, choices } = state;
    byId("session-name").textContent = state.name;
    byId("about").textContent = [
      `${image.dataset.startsWith("upload-") ? "sent by you" : image.dataset}: ${image.stem}, ${image.width} x ${image.height} px`,
      ...image.notes,
    ].join(". ");
    this.#grid = grid && new Grid(image, grid);
    // Another name or other choices take no undo away.
    if (JSON.stringify(sets) !== JSON.stringify(this.#history.sets)) this.#history = new SetsHistory(sets);
    this.#showChoices(choices);
    if (this.#grid) this.#endPlacing();
    else this.#beginPlacing();
    this.#followEmbedding();
    this.#refresh();
    if (this.#grid) act(null, () => this.#classify());
  }

  #beginPlacing() {
    this.#placing = true;
    this.#place(this.#grid ?? this.#gridPanel.grid);
    this.#gridPanel.setPlacing(true, this.#grid);
    byId("sets-panel").hidden = true;
    this.#view.show({ placing: true });
  }

  #endPlacing() {
    this.#placing = false;
    this.#gridPanel.setPlacing(false, this.#grid);
    byId("sets-panel").hidden = false;
    if (this.#grid) this.#gridPanel.show(this.#grid);
    this.#view.show({ placing: false, grid: this.#grid });
  }

  /** @param {Grid} grid */
  #place(grid) {
    this.#gridPanel.show(grid);
    this.#view.show({ grid });
  }

  /** @param {Grid} grid */
  async #use(grid) {
    const isSame = this.#grid !== null && JSON.stringify(grid.place) === JSON.stringify(this.#grid.place);
    if (isSame && this.#state.embedding.state !== "failed") {
      this.#endPlacing();
      return;
    }
    const release = !isSame && hasChips(this.#history.sets);
    if (release && !(await askGrid())) return;
    this.#stopAsking();
    await this.#kept(async () => {
      this.#result = null;
      this.#adopt(await this.#service.setGrid(grid.place, release));
      this.#setsPanel.focus();
    });
  }

  /** @param {Choices} choices */
  async #setChoices(choices) {
    this.#stopAsking();
    await this.#kept(async () => this.#adopt(await this.#service.setChoices(choices)));
  }

  /**
   * Change the session; if another window was faster, show it as it is there.
   * @param {() => Promise<void>} change
   */
  async #kept(change) {
    try {
      await change();
    } catch (error) {
      if (!isStale(error)) throw error;
      this.#adopt(await this.#service.read());
      say("The session was changed in another window; here it is as it is there. Make your change again.");
    }
  }

  #followEmbedding() {
    const { embedding } = this.#state;
    this.#events?.close();
    this.#events = null;
    this.#gridPanel.showEmbedding(embedding);
    const isLive = embedding.state === "waiting" || embedding.state === "running";
    if (!isLive || embedding.job === null) return;
    const events = new EventSource(`/api/v1/jobs/${embedding.job}/events`);
    this.#events = events;
    events.addEventListener("message", (event) => {
      const job = JSON.parse(event.data);
      const isOver = job.state !== "waiting" && job.state !== "running";
      if (isOver) {
        events.close();
        act(null, async () => {
          this.#state = { ...this.#state, embedding: await this.#service.embedding() };
          this.#gridPanel.showEmbedding(this.#state.embedding);
        });
      } else {
        const { state, done, total, what } = job;
        this.#gridPanel.showEmbedding({ state, job: job.id, done, total: total ?? 0, detail: what });
      }
    });
  }

  /**
   * Chips into a set or out of it.
   * @param {number[]} chips
   * @param {number | null} set position; null: the chosen one; -1: out of any
   */
  #pick(chips, set) {
    const { sets } = this.#history;
    const position = set ?? this.#current;
    if (position === -1) {
      if (chips.some((chip) => this.#owners.has(chip))) this.#change(released(sets, chips));
    } else if (sets[position]) {
      if (set !== null) this.#current = position;
      this.#change(toggled(sets, position, chips));
    } else if (sets.length === 0) {
      say("There is no set yet. Name one, then choose its chips.");
      this.#setsPanel.focus();
    } else say(`There is no set ${position + 1}.`);
  }

  /** @param {number} position */
  #choose(position) {
    this.#current = position;
    this.#refresh();
  }

  /**
   * @param {string} name
   * @returns {string | null} why not
   */
  #add(name) {
    const { sets } = this.#history;
    const why = whyNotNamed(sets, name);
    if (why) return why;
    this.#current = sets.length;
    this.#change(added(sets, name));
    return null;
  }

  /** @param {number} position */
  async #rename(position) {
    const { sets } = this.#history;
    const name = await askName(sets[position]?.name ?? "", (given) => whyNotNamed(sets, given, position));
    if (name) this.#change(renamed(this.#history.sets, position, name));
  }

  /** @param {number} position */
  #remove(position) {
    const { sets } = this.#history;
    const { name = "", chips = [] } = sets[position] ?? {};
    if (this.#current > position || this.#current === sets.length - 1)
      this.#current = Math.max(0, this.#current - 1);
    this.#change(removed(sets, position));
    say(
      `${name} is removed${chips.length > 0 ? `, its ${chips.length} chips are free` : ""}. Undo brings it back.`,
    );
  }

  #undo() {
    this.#history.undo();
    this.#changed();
  }

  #redo() {
    this.#history.redo();
    this.#changed();
  }

  /** @param {readonly SupportSet[]} sets */
  #change(sets) {
    this.#history.change(sets);
    this.#changed();
  }

  #changed() {
    this.#refresh();
    this.#stopAsking();
    byId("classify-state").textContent = "Changed.";
    act(null, () => this.#keep());
  }

  /** Keep the sets as they are now; changes that come meanwhile are kept together. Then classify. */
  async #keep() {
    if (this.#isKeeping) {
      this.#isOutdated = true;
      return;
    }
    this.#isKeeping = true;
    try {
      do {
        this.#isOutdated = false;
        await this.#kept(() => this.#keepSets(this.#history.sets));
      } while (this.#isOutdated);
    } finally {
      this.#isKeeping = false;
    }
    clearTimeout(this.#resting);
    this.#resting = window.setTimeout(() => act(null, () => this.#classify()), REST_MS);
  }

  /** @param {readonly SupportSet[]} sets */
  async #keepSets(sets) {
    try {
      await this.#service.setSets(sets);
    } catch (error) {
      // What the service refuses is not shown as if it were kept.
      if (isRefusal(error) && sets === this.#history.sets) this.#history.undo();
      this.#refresh();
      throw error;
    }
  }

  #stopAsking() {
    clearTimeout(this.#resting);
    this.#asking.abort();
  }

  /** Classify what is kept; of several that are asked for only the last is shown. */
  async #classify() {
    this.#asking.abort();
    const used = this.#history.sets.filter((one) => one.chips.length > 0).length;
    byId("result").hidden = false;
    if (used < 2) {
      this.#showResult(null);
      byId("classify-state").textContent =
        "Give two sets at least one chip each: then every chip is classified, and again after each change.";
      return;
    }
    const asking = new AbortController();
    this.#asking = asking;
    byId("classify-state").textContent =
      this.#state.embedding.state === "done"
        ? "Classifying."
        : "Classified as soon as the chips are embedded.";
    byId("classified").setAttribute("aria-busy", "true");
    try {
      const result = await this.#service.classify(asking.signal);
      if (asking.signal.aborted) return;
      byId("classify-state").textContent = "";
      this.#showResult(result);
    } catch (error) {
      if (asking.signal.aborted) return;
      byId("classify-state").textContent = "";
      throw error;
    } finally {
      if (this.#asking === asking) byId("classified").removeAttribute("aria-busy");
    }
  }

  /** @param {Classified | null} result */
  #showResult(result) {
    this.#result = result;
    byId("classified").hidden = result === null;
    if (result) {
      const [told = ""] = result.sentence.split("\n");
      byId("sentence").textContent = told;
      byId("notes").replaceChildren(...result.notes.map((note) => element("li", { class: "warning" }, note)));
      /** @type {HTMLTableElement} */ (byId("counts")).tBodies[0]?.replaceChildren(
        ...countRows(result, this.#styles),
      );
      /** @type {HTMLElement} */ (byId("check").querySelector("p")).textContent = checkInWords(result);
      byId("confusion").replaceChildren(...confusionRows(result));
    }
    this.#showMap();
    this.#refresh();
  }

  #showMap() {
    const isShown = /** @type {HTMLInputElement} */ (byId("show-map")).checked;
    this.#view.show({ map: this.#result && isShown ? stylesOf(this.#result) : null });
  }

  #toggleNext() {
    const next = this.#result?.label_next ?? [];
    this.#showsNext = !this.#showsNext && next.length > 0;
    this.#refresh();
    if (!this.#showsNext || next[0] === undefined) return;
    this.#view.scrollIntoView({ block: "nearest" });
    this.#view.goTo(next[0]);
  }

  /** The list of sets and the view show what is. */
  #refresh() {
    const { sets } = this.#history;
    this.#owners = owners(sets);
    this.#current = Math.min(this.#current, Math.max(0, sets.length - 1));
    const next = this.#result?.label_next ?? [];
    this.#setsPanel.show(this.#history, this.#current, next.length, this.#showsNext);
    this.#view.show({
      sets,
      next: this.#showsNext ? next.filter((chip) => !this.#owners.has(chip)) : [],
      describe: (chip) => this.#describe(chip),
    });
  }

  /** @param {number} chip */
  #describe(chip) {
    const grid = this.#grid;
    if (!grid) return "";
    const owner = this.#owners.get(chip);
    const support =
      owner === undefined ? "" : `, support of ${owner + 1}. ${this.#history.sets[owner]?.name}`;
    const told = this.#result ? `: ${chipInWords(this.#result, chip)}` : "";
    return `Chip ${chip} (row ${grid.rowOf(chip)}, column ${grid.columnOf(chip)})${support}${told}`;
  }
}

/** @param {unknown} error */
function isRefusal(error) {
  return /** @type {{status?: number}} */ (error).status === 422;
}

/**
 * Ask whether chips may be released.
 * @returns {Promise<boolean>}
 */
function askGrid() {
  const dialog = /** @type {HTMLDialogElement} */ (byId("ask-grid"));
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/**
 * Ask for another name.
 * @param {string} name
 * @param {(name: string) => string | null} whyNot
 * @returns {Promise<string | null>}
 */
function askName(name, whyNot) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("ask-name"));
  const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
  const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("name"));
  const problem = byId("ask-name-problem");
  const asked = new AbortController();
  field.value = name;
  problem.hidden = true;
  dialog.returnValue = "";
  form.addEventListener(
    "submit",
    (event) => {
      const why = whyNot(field.value);
      if (!why) return;
      event.preventDefault();
      problem.textContent = why;
      problem.hidden = false;
    },
    { signal: asked.signal },
  );
  dialog
    .querySelector("[data-close]")
    ?.addEventListener("click", () => dialog.close(), { signal: asked.signal });
  dialog.showModal();
  field.select();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        asked.abort();
        resolve(dialog.returnValue === "yes" ? field.value : null);
      },
      { once: true },
    );
  });
}

const section = byId("work");
const service = new SessionService(section.dataset.session ?? "");
act(null, async () => new Work(section, service, await service.read()).begin());
