/** Page *Queue*: thumbnails as they come into sight, and reopening. */

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

const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("reopen"));
const form = /** @type {HTMLFormElement} */ (dialog.querySelector("form"));
let item = "";
let revision = "";
for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (
  document.querySelectorAll("[data-reopen]")
)) {
  button.addEventListener("click", () => {
    const row = /** @type {HTMLElement} */ (button.closest("[data-item]"));
    item = row.dataset.item ?? "";
    revision = row.dataset.revision ?? "";
    dialog.showModal();
  });
}
dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close());
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const reason = String(new FormData(form).get("reason") ?? "");
  dialog.close();
  act(null, async () => {
    await call("POST", `/queue/items/${item}/reopen`, { reason }, { "If-Match": `"${revision}"` });
    location.reload();
  });
});
