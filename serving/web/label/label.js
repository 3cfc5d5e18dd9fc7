/** Page *Label*: one image after another, corrected in the editor and handed in. */

import { imagePath, Refused, Unreachable } from "../ask.js";
import "../decision/view.js";
import "../editor/editor.js";
import { call, say } from "../client.js";
import { grey } from "../viewer/pictures.js";
import { LocalDrafts } from "./local_drafts.js";
import { readPixels } from "./service.js";
import { Surroundings } from "./surroundings.js";
import { Work } from "./work.js";

/** Longer side in px of an image whose overview is shown first. */
const LARGE = 2048;
const FRAME_MS = 16;
const HERE_MS = 1000;
const THERE_MS = 10_000;
const RENEW_MS = 5 * 60_000;
const IDLE_MS = 20 * 60_000;
const AWAY = "The service cannot be reached. Work goes on here, and is sent when it is back.";

/** @template {HTMLElement} T */
const byId = (/** @type {string} */ id) => /** @type {T} */ (document.getElementById(id));
const editor = /** @type {import("../editor/editor.js").MaskEditor} */ (byId("editor"));
const decision = /** @type {import("../decision/view.js").MaskDecision} */ (byId("decision"));
const dialog = /** @type {HTMLDialogElement} */ (byId("skip"));
const drafts = new LocalDrafts(document.body.dataset.me ?? "");

/** @type {Work | null} */
let work = null;
/** @type {Surroundings | null} */
let surroundings = null;
let earlierSeconds = 0;
let changedHere = false;
let changedThere = false;
let lastActive = Date.now();
let busy = false;

const isDecision = () => work?.item.task === "decide";
const seconds = () => earlierSeconds + (isDecision() ? decision : editor).activeSeconds;
const png = async () =>
  /** @type {Uint8Array<ArrayBuffer>} */ (await (isDecision() ? decision : editor).png());

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
  showProgress().catch(tell);
  byId("none").hidden = Boolean(lease);
  if (!lease) {
    putAway();
    byId("why").textContent = "No image waits for you to label it.";
    return;
  }
  await begin(new Work(lease, drafts, editor.dataset.editor ?? ""));
}

/** No image is at work. */
function putAway() {
  work = null;
  surroundings?.leave();
  editor.hidden = decision.hidden = true;
}

/** @param {Work} leased */
async function begin(leased) {
  const { item } = leased;
  surroundings?.leave();
  if (item.task === "decide") await beginDecision(leased);
  else await beginMask(leased);
  changedHere = changedThere = false;
  const unseen = item.without_presegmentation ? " You see it without the ensemble's mask." : "";
  const asked = item.task === "decide" ? "two people's masks differ; decide between them." : item.reason;
  byId("why").textContent = `${item.dataset}/${item.stem}: ${asked}${unseen}${inParts(item.regions.length)}`;
}

/**
 * What is to be labelled, where that is not all of the image.
 * @param {number} count of regions
 */
function inParts(count) {
  if (count === 0) return "";
  return count === 1 ? " Only one region of it is labelled." : ` Only ${count} regions of it are labelled.`;
}

/** @param {Work} leased */
async function beginMask(leased) {
  const { item } = leased;
  const arrived = new AbortController();
  const isLarge = Math.max(item.height, item.width) > LARGE;
  const pixels = async () => {
    // First: beside all of it, the overview would take as long.
    if (isLarge) await announce(item, arrived.signal);
    return await readPixels(item.dataset, item.stem);
  };
  const [plane, beginning] = await Promise.all([pixels(), leased.begin()]).finally(() => {
    arrived.abort();
    editor.announce(null);
  });
  earlierSeconds = beginning.seconds;
  work = leased;
  editor.hidden = false;
  decision.hidden = true;
  editor.open({
    ...plane,
    ...beginning,
    classes: item.classes,
    probability: null,
    uncertainty: null,
    previousMask: null,
    regions: item.regions.map(({ top, left, height, width }) => ({
      left,
      top,
      right: left + width,
      bottom: top + height,
    })),
  });
  surroundings = new Surroundings(editor, item);
  surroundings.addMaps().catch(tell);
  surroundings.addPrevious().catch(tell);
}

/**
 * Show an image's overview until all of it is here.
 * @param {import("./work.js").Item} item
 * @param {AbortSignal} arrived
 */
async function announce(item, arrived) {
  try {
    const picture = await grey(imagePath(item.dataset, item.stem), arrived);
    if (arrived.aborted) return;
    editor.hidden = false;
    decision.hidden = true;
    editor.announce(picture);
    await new Promise((drawn) => setTimeout(drawn, 2 * FRAME_MS)); // no frame comes to a hidden page
  } catch {
    // The image itself is on its way, or says what is wrong.
  }
}

/** @param {Work} leased */
async function beginDecision(leased) {
  const { item } = leased;
  const [plane, pair] = await Promise.all([readPixels(item.dataset, item.stem), leased.beginDecision()]);
  earlierSeconds = pair.seconds;
  work = leased;
  decision.hidden = false;
  editor.hidden = true;
  decision.open({ ...plane, ...pair, classes: item.classes });
}

/** Hand the mask in and go on with the next image. */
async function accept() {
  if (!work || busy) return;
  busy = true;
  try {
    const [mask] = await Promise.all([png(), keepHere()]);
    await work.submit(mask, seconds(), say);
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
  if (isDecision()) await work.keepDecision(decision.taken, seconds());
  else await work.keepHere(editor.mask, editor.saveHistory(), seconds());
}

/** Keep the draft in the service. */
async function keepThere() {
  if (!work || busy || isDecision()) return; // what is decided takes few keys, and is kept here
  changedThere = false;
  try {
    await work.keepThere(await png(), seconds());
    byId("saved").textContent = `Draft saved at ${new Date().toLocaleTimeString()}`;
  } catch (error) {
    changedThere = true;
    if (error instanceof Unreachable) byId("saved").textContent = AWAY;
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

for (const one of [editor, decision]) {
  one.addEventListener("change", () => {
    changedHere = changedThere = true;
    lastActive = Date.now();
  });
  one.addEventListener("accept", () => accept());
  one.addEventListener("skip", () => dialog.showModal());
  one.addEventListener("message", (event) => say(/** @type {CustomEvent} */ (event).detail));
}
editor.addEventListener("neighbour", (event) => {
  surroundings?.showNeighbour(/** @type {CustomEvent} */ (event).detail).catch(tell);
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
    putAway();
    byId("none").hidden = false;
    byId("why").textContent = "The image was given back, as nobody worked on it. Your draft is kept.";
  } catch (error) {
    if (!(error instanceof Unreachable)) tell(error);
  }
}, RENEW_MS);

const item = new URLSearchParams(location.search).get("item");
next(item === null ? null : Number(item)).catch(tell);
