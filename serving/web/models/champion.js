/** Promoting and rolling back: what it replaces is shown, and a reason asked for. */
import { call, say } from "../client.js";

/** @template {HTMLElement} E @param {string} id */
const named = (id) => /** @type {E} */ (document.getElementById(id));

/**
 * What the dialog is about.
 * @typedef {{title: string, replaces: string, button: string, objection: string, path: string}} Change
 */

const state = named("state");
const champion = state.dataset.champion;

/** @param {HTMLButtonElement} button @returns {Change} */
function promotion(button) {
  const version = button.dataset.promote ?? "";
  return {
    title: `Promote ${version}?`,
    replaces: champion
      ? `${version} replaces ${champion}, which can be brought back.`
      : `${version} becomes the first champion.`,
    button: `Promote ${version}`,
    objection: button.dataset.objection ?? "",
    path: `/models/${encodeURIComponent(version)}/promote`,
  };
}

/** @param {HTMLButtonElement} button @returns {Change} */
function rollback(button) {
  const version = button.dataset.previous ?? "";
  return {
    title: `Roll back to ${version}?`,
    replaces: `${version} becomes champion again, and ${champion} is out of use.`,
    button: `Roll back to ${version}`,
    objection: "",
    path: "/models/rollback",
  };
}

/** @param {Change} change */
function ask(change) {
  const dialog = /** @type {HTMLDialogElement} */ (named("change"));
  const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
  const send = /** @type {HTMLButtonElement} */ (form.querySelector(".bar button"));
  form.reset();
  named("change-title").textContent = change.title;
  named("replaces").textContent = change.replaces;
  named("objection").textContent = change.objection;
  named("objection").hidden = named("forcing").hidden = !change.objection;
  named("refusal").hidden = true;
  send.textContent = change.button;
  form.onsubmit = async (event) => {
    event.preventDefault();
    send.disabled = true;
    try {
      await apply(change, new FormData(form));
    } catch (error) {
      named("refusal").textContent = /** @type {Error} */ (error).message;
      named("refusal").hidden = false;
    } finally {
      send.disabled = false;
    }
  };
  dialog.showModal();
}

/** @param {Change} change @param {FormData} given */
async function apply(change, given) {
  const reason = String(given.get("reason"));
  const body = change.path.endsWith("/promote") ? { reason, force: given.has("force") } : { reason };
  const answer = await call("POST", change.path, body, {
    "If-Match": state.dataset.etag ?? "",
    Prefer: "wait=30",
  });
  if (answer.sentence) {
    location.reload();
    return;
  }
  /** @type {HTMLDialogElement} */ (named("change")).close();
  say("It waits for a worker. Look at Overview for how far it is.");
}

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (
  document.querySelectorAll("[data-promote]")
)) {
  button.addEventListener("click", () => ask(promotion(button)));
}
const back = /** @type {HTMLButtonElement | null} */ (document.getElementById("roll-back"));
back?.addEventListener("click", () => ask(rollback(back)));
document
  .getElementById("leave")
  ?.addEventListener("click", () => /** @type {HTMLDialogElement} */ (named("change")).close());
