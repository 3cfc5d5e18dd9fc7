/** Page *Results*: a series as a version segments it, followed while it is segmented. */

/** @import {Curve} from "../charts/curve.js" */
/** @import {ImageResult, Series} from "./curves.js" */
/** @import {MapName} from "./frames.js" */

import { ask, imagePath, prepared, Refused } from "../ask.js";
import { significant, unitWords } from "../charts/words.js";
import { act, call, say } from "../client.js";
import { element } from "../editor/controls.js";
import { maskCurves, measuredCurves, showCurves } from "./curves.js";
import { offer } from "./files.js";
import { Frames } from "./frames.js";

/**
 * @typedef {object} Job
 * @property {number} id
 * @property {string} state
 * @property {string} what
 * @property {number} done
 * @property {number | null} total
 * @property {string | null} problem
 *
 * @typedef {object} Results see Results in the API
 * @property {string[]} classes
 * @property {string[]} stems
 * @property {ImageResult[]} images
 * @property {number} n_measured
 * @property {Job | null} job
 * @property {{outcome: string, sentence: string, predicted: string, version: string} | null} gate
 */

const LOOK_MS = 2000;
/** Frames that the slider only passes are not fetched. */
const REST_MS = 80;

/** @template {HTMLElement} T */
const byId = (/** @type {string} */ id) => /** @type {T} */ (document.getElementById(id));

class Page {
  /** @type {Results} */
  #results;
  /** @type {Series | null} */
  #series = null;
  /** @type {Curve[]} */
  #curves = [];
  /** @type {string[]} stems of the moments on the curves */
  #moments = [];
  #following = 0;
  #resting = 0;

  /**
   * @param {HTMLElement} section
   * @param {Results} results
   */
  constructor(section, results) {
    this.dataset = section.dataset.dataset ?? "";
    this.version = section.dataset.version ?? "";
    this.#results = results;
    this.frames = new Frames(this.dataset, this.version, results.classes.length);
    this.slider = /** @type {HTMLInputElement} */ (byId("frame"));
    this.shown = /** @type {HTMLSelectElement} */ (byId("shown"));
    this.button = /** @type {HTMLButtonElement | null} */ (byId("segment"));
    this.slider.addEventListener("input", () => this.showFrame());
    this.shown.addEventListener("change", () => this.showFrame());
    for (const step of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-step]"))) {
      step.addEventListener("click", () => this.go(this.#place + Number(step.dataset.step)));
    }
    this.button?.addEventListener("click", () => act(this.button, () => this.segment()));
    this.#offerFiles();
  }

  get #path() {
    return `/results/${encodeURIComponent(this.dataset)}`;
  }

  get #query() {
    return `version=${encodeURIComponent(this.version)}`;
  }

  get #place() {
    return Number(this.slider.value);
  }

  get #stem() {
    return this.#results.stems[this.#place] ?? "";
  }

  #image() {
    return this.#results.images.find((image) => image.stem === this.#stem);
  }

  /** Everything as it is now. */
  async show() {
    this.#showGate();
    this.#showProgress();
    await this.#showCurves();
    this.showFrame();
    const { job } = this.#results;
    if (job && (job.state === "waiting" || job.state === "running")) this.#follow(job);
  }

  async segment() {
    const wanted = { dataset: this.dataset, version: this.version, measure: true };
    await call("POST", "/segmentations", wanted, { Prefer: "wait=0" });
    await this.#look();
  }

  async #look() {
    this.#results = await call("GET", `${this.#path}?${this.#query}`);
    await this.show();
  }

  /** @param {Job} job */
  #follow(job) {
    if (this.#following === job.id) return;
    this.#following = job.id;
    const events = new EventSource(`/api/v1/jobs/${job.id}/events`);
    let looked = Date.now();
    events.addEventListener("message", (event) => {
      const now = /** @type {Job} */ (JSON.parse(event.data));
      const isOver = now.state !== "waiting" && now.state !== "running";
      this.#results.job = now;
      this.#showProgress();
      if (isOver) events.close();
      if (isOver || (now.done > 0 && Date.now() - looked > LOOK_MS)) {
        looked = Date.now();
        this.#look().catch((error) => say(error.message));
      }
    });
  }

  #showGate() {
    const { gate } = this.#results;
    for (const mark of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#gate .mark"))) {
      mark.hidden = mark.dataset.outcome !== gate?.outcome;
    }
    const said = /** @type {HTMLElement} */ (document.querySelector("#gate .said"));
    if (gate) {
      const other = gate.version === this.version ? "" : ` (asked of ${gate.version})`;
      said.textContent = [`${gate.sentence}${other}`, gate.predicted].filter(Boolean).join(" ");
    } else if (this.dataset.startsWith("upload-")) {
      said.textContent =
        "The drift gate has not judged it: it judges the workspace's datasets. Check the masks.";
    } else {
      said.textContent = "The drift gate has not judged it yet: see Overview. Until then check the masks.";
    }
  }

  #showProgress() {
    const { job, stems, images, n_measured } = this.#results;
    const isLive = job?.state === "waiting" || job?.state === "running";
    const isDone = n_measured === stems.length;
    const bar = /** @type {HTMLProgressElement} */ (byId("bar"));
    bar.hidden = !isLive;
    if (job?.total) {
      bar.max = job.total;
      bar.value = job.done;
    } else {
      bar.removeAttribute("value");
    }
    if (this.button) this.button.hidden = isLive || isDone;
    const count = `${images.length} of ${stems.length} segmented, ${n_measured} measured.`;
    const states = {
      waiting: "Waits for a worker.",
      running: job?.total ? `Segmenting: ${job.done} of ${job.total}.` : "Begins.",
      failed: `${count} It ended: ${job?.problem}`,
      cancelled: `${count} It was cancelled.`,
    };
    const now = job ? states[/** @type {keyof typeof states} */ (job.state)] : undefined;
    byId("progress").textContent = isDone ? `All ${stems.length} frames are segmented.` : (now ?? count);
  }

  async #showCurves() {
    const { images, stems, n_measured, classes } = this.#results;
    const material = classes[1] ?? "foreground";
    byId("files").hidden = images.length === 0;
    byId("why").textContent = images.length === 0 ? "Nothing is segmented yet." : "";
    if (images.length === 0) return;
    if (this.#series === null && n_measured === stems.length) {
      byId("why").textContent = "The measurements are being gathered.";
      try {
        this.#series = await (await prepared(`${this.#path}/series?${this.#query}`)).json();
        byId("why").textContent = "";
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        byId("why").textContent = `No fronts and no intervals: ${error.message}`;
      }
    } else if (this.#series !== null) return; // nothing changes any more
    const series = this.#series;
    for (const file of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-needs]"))) {
      file.hidden = series === null;
    }
    const [moments, quantities] = series
      ? measuredCurves(series, images, material)
      : maskCurves(images, material);
    this.#moments = moments.names;
    this.#curves = showCurves(moments, quantities, (place) =>
      this.go(stems.indexOf(this.#moments[place] ?? "")),
    );
    byId("legend").hidden = series === null;
    list("sentences", series?.sentences ?? []);
    list("notes", series?.notes ?? []);
  }

  /** @param {number} place */
  go(place) {
    this.slider.value = String(place);
    this.showFrame();
  }

  showFrame() {
    const { stems } = this.#results;
    const image = this.#image();
    const moment = this.#moments.indexOf(this.#stem);
    if (moment >= 0) for (const curve of this.#curves) curve.mark(moment);
    const time = this.#series?.times_s[this.#place];
    const when = time === undefined ? "" : `, ${significant(time)} s`;
    const which = `${this.#place + 1} of ${stems.length}${when}: ${this.#stem}`;
    byId("which").textContent = which;
    this.slider.setAttribute("aria-valuetext", which);
    byId("numbers").textContent = image ? this.#inNumbers(image) : "Not segmented yet.";
    clearTimeout(this.#resting);
    const isAtHand = this.frames.has(this.#stem, /** @type {MapName} */ (this.shown.value));
    this.#resting = window.setTimeout(() => this.#draw(), isAtHand ? 0 : REST_MS);
  }

  /** Draw the frame, and fetch its neighbours. */
  #draw() {
    const { stems } = this.#results;
    const shown = /** @type {MapName} */ (this.shown.value);
    this.frames
      .show(this.#stem, this.#image() !== undefined, shown)
      .then(() => {
        for (const near of [stems[this.#place + 1], stems[this.#place - 1]]) {
          const isDone = this.#results.images.some(({ stem }) => stem === near);
          if (near && isDone) this.frames.fetch(near, shown).catch(() => {}); // it is asked for again when shown
        }
      })
      .catch((error) => {
        if (error.name !== "AbortError") say(error.message); // else another frame is looked at
      });
  }

  /** @param {ImageResult} image */
  #inNumbers(image) {
    const unit = unitWords(image.areas_nm2 ? "nm2" : "px2");
    const areas = (image.areas_nm2 ?? image.areas_px).slice(1).map((area, n) => {
      const share = significant(100 * (image.fractions[n + 1] ?? 0));
      return `${this.#results.classes[n + 1]} ${significant(area)} ${unit} (${share} % of the image)`;
    });
    return [`Mask: ${areas.join(", ")}`, `uncertainty ${significant(image.scores.uq_mean)}`].join("; ");
  }

  #offerFiles() {
    const link = (/** @type {string} */ id, /** @type {string} */ path) => {
      /** @type {HTMLAnchorElement} */ (byId(id)).href = `/api/v1${this.#path}/${path}?${this.#query}`;
    };
    link("measurements", "series/table");
    link("masks", "table");
    const figure = /** @type {HTMLSelectElement} */ (byId("figure"));
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (
      document.querySelectorAll("[data-figure]")
    )) {
      const format = button.dataset.figure;
      offer(
        button,
        () => `${this.#path}/figures/${figure.value}?format=${format}&${this.#query}`,
        () => `${this.dataset}-${this.version}-${figure.value}.${format}`,
      );
    }
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (
      document.querySelectorAll("[data-map]")
    )) {
      const name = button.dataset.map ?? "";
      const [ending, query] =
        name === "maps" ? ["npz", ""] : name === "mask" ? ["png", ""] : ["tif", "format=tiff&"];
      offer(
        button,
        () => `${imagePath(this.dataset, this.#stem)}/maps/${name}?${query}${this.#query}`,
        () => `${this.#stem}-${this.version}-${name}.${ending}`,
      );
    }
  }
}

/**
 * Lines of a list, which is hidden with its heading while there are none.
 * @param {string} id
 * @param {string[]} lines
 */
function list(id, lines) {
  const place = byId(id);
  place.replaceChildren(...lines.map((line) => element("li", {}, line)));
  /** @type {HTMLElement} */ (place.parentElement).hidden = lines.length === 0;
}

/** @param {HTMLElement} section */
async function begin(section) {
  const { dataset = "", version = "" } = section.dataset;
  const path = `/results/${encodeURIComponent(dataset)}?version=${encodeURIComponent(version)}`;
  await new Page(section, await call("GET", path)).show();
}

/** @param {File} file */
async function send(file) {
  say(`${file.name} is being sent.`);
  const answer = await ask("POST", `/uploads?name=${encodeURIComponent(file.name)}`, {
    body: file,
    headers: { "Content-Type": "application/octet-stream" },
  });
  const { name } = await answer.json();
  location.assign(`/results?dataset=${encodeURIComponent(name)}`);
}

const form = /** @type {HTMLFormElement | null} */ (byId("send"));
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const file = /** @type {File} */ (new FormData(form).get("file"));
  act(form.querySelector("button"), () => send(file));
});
const section = byId("results");
if (section) begin(section).catch((error) => say(error.message));
