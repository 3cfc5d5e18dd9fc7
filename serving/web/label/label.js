/** Page *Label*: one image after another, corrected in the editor and handed in. */

import "../editor/editor.js";
import { call, say } from "../client.js";
import { LocalDrafts } from "./local_drafts.js";
import { imagePath, Refused, readPicture, readPixels, Unreachable } from "./service.js";
import { Work } from "./work.js";

const HERE_MS = 1000;
const THERE_MS = 10_000;
const RENEW_MS = 5 * 60_000;
const IDLE_MS = 20 * 60_000;

/** @template {HTMLElement} T */
const byId = (/** @type {string} */ id) => /** @type {T} */ (document.getElementById(id));
const editor = /** @type {import("../editor/editor.js").MaskEditor} */ (byId("editor"));
const dialog = /** @type {HTMLDialogElement} */ (byId("skip"));
const drafts = new LocalDrafts(document.body.dataset.me ?? "");

/** @type {Work | null} */
let work = null;
let earlierSeconds = 0;
let changedHere = false;
let changedThere = false;
let lastActive = Date.now();
let busy = false;
/** Frames that what is seen is away from the image, in its series. */
let away = 0;

const seconds = () => earlierSeconds + editor.activeSeconds;

/** Show how far the labelling is. */
async function showProgress() {
  byId("progress").textContent = (await call("GET", "/queue")).sentence;
}

/**
 * Go on with an image that is leased already, or lease the next.
 * @param {number | null} [wanted] the item that was chosen in the queue
 */
async function next(wanted = null) {
  hush();
  const running = await call("GET", "/queue/leases");
  const chosen = running.find((/** @type {import("./work.js").ItemLease} */ one) => one.item.id === wanted);
  let lease = chosen ?? (wanted === null ? running[0] : null);
  if (!lease && wanted !== null) {
    lease = await call("POST", "/queue/leases", { item_id: wanted });
    if (!lease) say("That image does not wait any more, so here is the next.");
  }
  lease ??= running[0] ?? (await call("POST", "/queue/leases", {}));
  await showProgress();
  byId("none").hidden = Boolean(lease);
  if (!lease) {
    work = null;
    editor.hidden = true;
    byId("why").textContent = "No image waits to be labelled.";
    return;
  }
  await begin(new Work(lease, drafts));
}

/** @param {Work} leased */
async function begin(leased) {
  const { item } = leased;
  const [plane, beginning] = await Promise.all([readPixels(item.dataset, item.stem), leased.begin()]);
  earlierSeconds = beginning.seconds;
  work = leased;
  away = 0;
  editor.hidden = false;
  editor.open({
    ...plane,
    ...beginning,
    classes: item.classes,
    probability: null,
    uncertainty: null,
    previousMask: null,
  });
  changedHere = changedThere = false;
  byId("why").textContent = `${item.dataset}/${item.stem}: ${item.reason}`;
  addMaps(item).catch(tell);
  addPrevious(item).catch(tell);
}

/**
 * What the ensemble thinks of the image, once a worker has it; work goes on without.
 * @param {import("./work.js").Item} item
 */
async function addMaps(item) {
  const ready = await (await fetch("/readyz")).json();
  if (!ready.champion) return;
  const path = `${imagePath(item.dataset, item.stem)}/maps`;
  const [probability, uncertainty] = await Promise.all([
    readPicture(`${path}/probability`),
    readPicture(`${path}/std`),
  ]);
  if (work?.item.id !== item.id || !probability || !uncertainty) return;
  editor.addMaps({ probability: probability.values, uncertainty: uncertainty.values });
}

/**
 * The mask of the series' previous labelled frame, where it has the image's size.
 * @param {import("./work.js").Item} item
 */
async function addPrevious(item) {
  const series = await call("GET", `/datasets/${encodeURIComponent(item.dataset)}/images`);
  const here = series.findIndex((/** @type {{stem: string}} */ image) => image.stem === item.stem);
  const before = series.slice(0, Math.max(here, 0));
  const labelled = before.findLast((/** @type {{is_labelled: boolean}} */ image) => image.is_labelled);
  if (!labelled) return;
  const mask = await readPicture(`${imagePath(item.dataset, labelled.stem)}/label`);
  if (work?.item.id !== item.id || mask?.values.length !== item.height * item.width) return;
  editor.addMaps({ previousMask: mask.values });
}

/**
 * Show the frame before or behind the one that is seen; back at the image, it can be painted again.
 * @param {number} step
 */
async function showNeighbour(step) {
  if (!work) return;
  const { item } = work;
  const series = await call("GET", `/datasets/${encodeURIComponent(item.dataset)}/images`);
  const here = series.findIndex((/** @type {{stem: string}} */ image) => image.stem === item.stem);
  const shown = series[here + away + step];
  if (!shown) {
    say(`The series has no frame ${step < 0 ? "before" : "behind"} this one.`);
    return;
  }
  away += step;
  if (away === 0) {
    editor.glance(null);
    say(`This is ${item.stem} again, the image to label.`);
    return;
  }
  const plane = await readPixels(item.dataset, shown.stem);
  if (plane.height !== item.height || plane.width !== item.width) {
    say(`${shown.stem} has another size, so it cannot be laid under this mask.`);
    return;
  }
  editor.glance(plane.pixels);
  say(`This is ${shown.stem}, a frame to compare with.`);
}

/** Hand the mask in and go on with the next image. */
async function accept() {
  if (!work || busy) return;
  busy = true;
  try {
    const [png] = await Promise.all([editor.png(), keepHere()]);
    await work.submit(/** @type {Uint8Array<ArrayBuffer>} */ (png), seconds(), say);
    await next();
  } catch (error) {
    tell(error);
    // Late: somebody else has the image. What was handed in is kept beside, and there is nothing to go on with.
    if (error instanceof Refused && error.status === 409) await drafts.remove(work.item.id);
  } finally {
    busy = false;
  }
}

/** Keep the draft in this browser. */
async function keepHere() {
  if (!work) return;
  changedHere = false;
  await work.keepHere(editor.mask, editor.saveHistory(), seconds());
}

/** Keep the draft in the service. */
async function keepThere() {
  if (!work || busy) return;
  changedThere = false;
  try {
    await work.keepThere(/** @type {Uint8Array<ArrayBuffer>} */ (await editor.png()), seconds());
    byId("saved").textContent = `Draft saved at ${new Date().toLocaleTimeString()}`;
  } catch (error) {
    changedThere = true;
    if (error instanceof Unreachable) byId("saved").textContent = error.message;
    else tell(error);
  }
}

/** @param {unknown} error */
function tell(error) {
  say(error instanceof Error ? error.message : String(error));
}

function hush() {
  byId("message").hidden = true;
}

editor.addEventListener("change", () => {
  changedHere = changedThere = true;
  lastActive = Date.now();
});
editor.addEventListener("accept", () => accept());
editor.addEventListener("skip", () => dialog.showModal());
editor.addEventListener("message", (event) => say(/** @type {CustomEvent} */ (event).detail));
editor.addEventListener("neighbour", (event) => {
  showNeighbour(/** @type {CustomEvent} */ (event).detail).catch(tell);
});
for (const kind of ["pointerdown", "keydown"]) {
  addEventListener(kind, () => {
    lastActive = Date.now();
  });
}
byId("again").addEventListener("click", () => {
  next().catch(tell);
});
byId("cancel").addEventListener("click", () => dialog.close());
/** @type {HTMLFormElement} */ (dialog.querySelector("form")).addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  const reason = String(new FormData(form).get("reason") ?? "");
  dialog.close();
  form.reset();
  try {
    await work?.skip(reason);
    await next();
  } catch (error) {
    tell(error);
  }
});

setInterval(() => {
  if (changedHere && !busy) keepHere().catch(tell);
}, HERE_MS);
setInterval(() => {
  if (changedThere) keepThere();
}, THERE_MS);
setInterval(async () => {
  if (!work || busy) return;
  try {
    if (Date.now() - lastActive < IDLE_MS) {
      await work.renew();
      return;
    }
    const idle = work;
    if (changedThere) await keepThere();
    await idle.release();
    work = null;
    editor.hidden = true;
    byId("none").hidden = false;
    byId("why").textContent = "The image was given back, as nobody worked on it. Your draft is kept.";
  } catch (error) {
    if (!(error instanceof Unreachable)) tell(error);
  }
}, RENEW_MS);

const item = new URLSearchParams(location.search).get("item");
next(item === null ? null : Number(item)).catch(tell);
