/** Page *Few-shot*: choose an image, go on with a session, compare two. */

/** @import {SessionEntry} from "./types.js" */

import { ask } from "../ask.js";
import { act, call, onSubmit, say } from "../client.js";
import { element } from "../editor/controls.js";
import { offerComparison } from "./compare.js";
import { imageInWords } from "./result.js";

const choose = /** @type {HTMLFormElement} */ (document.getElementById("choose"));

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function field(form, name) {
  return /** @type {HTMLSelectElement & HTMLInputElement} */ (form.elements.namedItem(name));
}

/** Offer the images of the dataset that is chosen. */
async function listImages() {
  const dataset = field(choose, "dataset").value;
  const { images } = await call("GET", `/fewshot/images?dataset=${encodeURIComponent(dataset)}`);
  field(choose, "stem").replaceChildren(
    ...images.map((/** @type {{stem: string, height: number | null, width: number | null}} */ image) => {
      const size = image.width ? `, ${image.width} x ${image.height}` : "";
      return new Option(`${image.stem}${size}`, image.stem);
    }),
  );
}

/** @param {unknown} wanted */
async function begin(wanted) {
  const { id } = await call("POST", "/fewshot/sessions", wanted);
  location.assign(`/fewshot?session=${id}`);
}

/**
 * The file of a form's field.
 * @param {HTMLFormElement} form
 */
function fileOf(form) {
  return /** @type {File} */ (new FormData(form).get("file"));
}

async function listSessions() {
  const { sessions } = /** @type {{sessions: SessionEntry[]}} */ (await call("GET", "/fewshot/sessions"));
  const table = /** @type {HTMLTableElement} */ (document.getElementById("sessions"));
  table.hidden = sessions.length === 0;
  /** @type {HTMLElement} */ (document.getElementById("no-sessions")).hidden = sessions.length > 0;
  table.tBodies[0]?.replaceChildren(...sessions.map(row));
  offerComparison(sessions);
}

/** @param {SessionEntry} session */
function row(session) {
  const remove = element(
    "button",
    { type: "button" },
    "Remove",
    element("span", { class: "hidden" }, ` ${session.name}`),
  );
  remove.addEventListener("click", () => {
    if (remove.dataset.sure) act(remove, () => forget(session.id));
    else {
      remove.dataset.sure = "yes";
      remove.firstChild?.replaceWith("Remove for good");
    }
  });
  const link = element("a", { href: `/fewshot?session=${session.id}` }, session.name);
  const cells = [
    imageInWords(session.image),
    session.n_chips ? String(session.n_chips) : "–",
    `${session.n_sets}${session.is_classified ? ", classified" : ""}`,
    new Date(1000 * session.changed).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" }),
  ];
  return element(
    "tr",
    {},
    element("td", {}, link),
    ...cells.map((cell) => element("td", {}, cell)),
    element("td", {}, remove),
  );
}

/** @param {number} id */
async function forget(id) {
  const path = `/fewshot/sessions/${id}`;
  const etag = (await ask("GET", path)).headers.get("ETag") ?? "";
  await ask("DELETE", path, { headers: { "If-Match": etag } });
  await listSessions();
  say("The session is removed; its image is not.");
}

field(choose, "dataset").addEventListener("change", () => act(field(choose, "dataset"), listImages));
if (field(choose, "dataset").value) act(field(choose, "dataset"), listImages);
act(null, listSessions);
onSubmit("choose", ({ dataset, stem }) => begin({ dataset, stem }));

const send = /** @type {HTMLFormElement} */ (document.getElementById("send"));
onSubmit("send", async ({ frame }) => {
  const file = fileOf(send);
  say(`${file.name} is being sent.`);
  const query = `name=${encodeURIComponent(file.name)}${frame ? `&frame=${frame}` : ""}`;
  const answer = await ask("POST", `/fewshot/images?${query}`, {
    body: file,
    headers: { "Content-Type": "application/octet-stream" },
  });
  const { dataset, stem } = await answer.json();
  await begin({ dataset, stem });
});

const recall = /** @type {HTMLFormElement} */ (document.getElementById("recall"));
onSubmit("recall", async () => {
  const file = fileOf(recall);
  let session;
  try {
    session = JSON.parse(await file.text());
  } catch {
    throw new Error(`${file.name} is no session. Choose the session.json that was saved.`);
  }
  const [dataset, stem] = [field(choose, "dataset").value, field(choose, "stem").value];
  await begin({ session, dataset, stem });
});
