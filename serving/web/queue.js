/** Page *Queue*: thumbnails as they come into sight, reopening and settling. */

import { imagePath, prepared } from "./ask.js";
import { act, call } from "./client.js";

/**
 * Show an image's thumbnail once a worker has made it.
 * @param {HTMLImageElement} picture
 */
async function show(picture) {
  const { dataset = "", stem = "" } = picture.dataset;
  const answer = await prepared(`${imagePath(dataset, stem)}/maps/thumbnail`);
  picture.src = URL.createObjectURL(await answer.blob());
}

const pictures = /** @type {NodeListOf<HTMLImageElement>} */ (document.querySelectorAll("img[data-stem]"));
if (pictures.length > 0) {
  const ready = await (await fetch("/readyz")).json();
  if (ready.champion) {
    const watch = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        watch.unobserve(target);
        // Why there is none is in the row's text: nothing is lost but a picture.
        show(/** @type {HTMLImageElement} */ (target)).catch(() => {});
      }
    });
    for (const picture of pictures) watch.observe(picture);
  }
}

for (const dialog of /** @type {NodeListOf<HTMLDialogElement>} */ (document.querySelectorAll("dialog"))) {
  asks(dialog);
}

/**
 * Let a dialog be opened by its buttons, and do what its name says with what is entered.
 * @param {HTMLDialogElement} dialog
 */
function asks(dialog) {
  const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
  const people = dialog.querySelector("select");
  let item = "";
  let revision = "";
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (
    document.querySelectorAll(`[data-asks="${dialog.id}"]`)
  )) {
    button.addEventListener("click", () => {
      const row = /** @type {HTMLElement} */ (button.closest("[data-item]"));
      item = row.dataset.item ?? "";
      revision = row.dataset.revision ?? "";
      const labelers = /** @type {string[]} */ (JSON.parse(button.dataset.labelers ?? "[]"));
      people?.replaceChildren(...labelers.map((name) => new Option(name)));
      dialog.showModal();
    });
  }
  dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const entered = Object.fromEntries(new FormData(form));
    dialog.close();
    act(null, async () => {
      await call("POST", `/queue/items/${item}/${dialog.id}`, entered, { "If-Match": `"${revision}"` });
      location.reload();
    });
  });
}
