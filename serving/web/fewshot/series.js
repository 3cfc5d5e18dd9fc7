/** One support set over a series of images: fractions with their bands, unsure share, warnings. */

/** @import {ClassCount} from "./types.js" */
/** @import {Moments, Quantity} from "../charts/words.js" */

import { ask } from "../ask.js";
import { Curve } from "../charts/curve.js";
import { act, onSubmit } from "../client.js";
import { element } from "../editor/controls.js";
import { offer } from "../results/files.js";
import { pause } from "./service.js";
import { UNSURE } from "./sets.js";

/**
 * @typedef {object} SeriesImage
 * @property {string} name
 * @property {number} n_chips
 * @property {ClassCount[]} classes
 * @property {number} far
 *
 * @typedef {object} SeriesState
 * @property {{id: number, state: string, what: string, done: number, total: number | null, problem: string | null}} job
 * @property {SeriesImage[]} images
 * @property {string[]} notes
 * @property {number[]} times_s empty where they are not known
 */

const AGAIN_MS = 1000;

/** @template {HTMLElement} T */
const byId = (/** @type {string} */ id) => /** @type {T} */ (document.getElementById(id));

/**
 * Moments and curves of the images that are classified.
 * @param {SeriesImage[]} images
 * @param {number[]} times in s; none: images are counted
 * @returns {[Moments, Quantity[]]}
 */
export function seriesCurves(images, times) {
  const moments = {
    ...(times.length > 0
      ? { title: "Time", unit: "s", values: times }
      : { title: "Image number", unit: "", values: images.map((_, place) => place + 1) }),
    names: images.map((image) => image.name),
  };
  const classes = images[0]?.classes ?? [];
  const shares = classes.map((one, position) => {
    const fractions = images.map((image) => image.classes[position]?.fraction ?? null);
    return {
      title: one.style === null ? "Share of unsure chips" : `Share of ${one.name}`,
      unit: "",
      values: fractions.map((fraction) => fraction?.mean ?? null),
      low: fractions.map((fraction) => fraction?.low ?? null),
      high: fractions.map((fraction) => fraction?.high ?? null),
    };
  });
  const far = {
    title: "Far from all prototypes",
    unit: "",
    values: images.map((image) => image.far),
  };
  return [moments, [...shares, far]];
}

/** @param {SeriesState} series */
function inWords({ job, images }) {
  if (job.state === "waiting") return "Waits for a worker.";
  if (job.state === "failed") return `${images.length} classified. It ended: ${job.problem}`;
  if (job.state === "cancelled") return `${images.length} classified. It was cancelled.`;
  if (job.state === "running") return job.total ? `${job.what}: ${job.done} of ${job.total}.` : "Begins.";
  const last = images.at(-1);
  const told = last?.classes
    .filter((one) => one.name !== UNSURE)
    .map((one) => `${one.name} ${(100 * one.fraction.mean).toFixed(0)} %`)
    .join(", ");
  return `All ${images.length} images are classified. The last one: ${told}.`;
}

let job = 0;

/**
 * Follow a series until it is over.
 * @param {number} id of its job
 */
async function follow(id) {
  job = id;
  let drawn = -1;
  while (job === id) {
    /** @type {SeriesState} */
    const series = await (await ask("GET", `/fewshot/series/${id}`)).json();
    const isLive = series.job.state === "waiting" || series.job.state === "running";
    byId("series-state").textContent = inWords(series);
    const bar = /** @type {HTMLProgressElement} */ (byId("series-bar"));
    bar.hidden = !isLive;
    if (series.job.total) {
      bar.max = series.job.total;
      bar.value = series.job.done;
    } else bar.removeAttribute("value");
    if (series.images.length !== drawn && (!isLive || series.images.length > 0)) {
      drawn = series.images.length;
      show(series);
    }
    byId("series-files").hidden = isLive || series.images.length === 0;
    if (!isLive) return;
    await pause(AGAIN_MS);
  }
}

/** @param {SeriesState} series */
function show({ images, notes, times_s }) {
  byId("series-notes").replaceChildren(...notes.map((note) => element("li", {}, note)));
  if (images.length === 0) return;
  const [moments, quantities] = seriesCurves(images, times_s);
  /** @type {Curve[]} */
  const curves = quantities.map(
    (quantity) =>
      new Curve(moments, quantity, (place) => {
        for (const curve of curves) curve.mark(place);
      }),
  );
  byId("series-curves").replaceChildren(...curves.map((curve) => curve.figure));
}

/**
 * Let a session's sets be used for a dataset.
 * @param {number} session its number
 * @param {string} own the dataset of its image
 */
export function offerSeries(session, own) {
  const choice = /** @type {HTMLSelectElement} */ (byId("series").querySelector("select"));
  if ([...choice.options].some((option) => option.value === own)) choice.value = own;
  onSubmit("series", async ({ dataset }) => {
    const answer = await ask("POST", "/fewshot/series", {
      body: JSON.stringify({ session, dataset }),
      headers: { "Content-Type": "application/json" },
    });
    const asked = await answer.json();
    byId("series-result").hidden = false;
    byId("series-curves").replaceChildren();
    byId("series-notes").replaceChildren();
    act(null, () => follow(asked.job?.id ?? asked.id));
  });
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (
    document.querySelectorAll("[data-series]")
  )) {
    const name = button.dataset.series ?? "";
    offer(
      button,
      () => `/fewshot/series/${job}/${name}`,
      () => (name === "table" ? "fractions.csv" : name.replace("figure", "fractions")),
    );
  }
}
