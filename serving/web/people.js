import { act, call, onSubmit, reveal } from "./client.js";

/**
 * Show a one-time link, whole, for the admin to hand over.
 * @param {string} name
 * @param {string} path
 */
function hand(name, path) {
  const whose = /** @type {HTMLElement} */ (document.querySelector("#link span"));
  whose.textContent = name;
  reveal("link", new URL(path, location.origin).href);
}

/**
 * Change a row's account as it was when the page was made.
 * @param {HTMLElement} row
 * @param {object} change
 */
async function change(row, change) {
  await call("PATCH", `/people/${row.dataset.person}`, change, { "If-Match": `"${row.dataset.revision}"` });
  location.reload();
}

onSubmit("new-person", async ({ name, role }) => {
  const { link } = await call("POST", "/people", { name, role });
  hand(name ?? "", link);
});

for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-person]"))) {
  const role = /** @type {HTMLSelectElement} */ (row.querySelector("[data-role]"));
  role.addEventListener("change", () => act(role, () => change(row, { role: role.value })));
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (row.querySelectorAll("button"))) {
    button.addEventListener("click", () =>
      act(button, async () => {
        if (button.dataset.active) await change(row, { active: button.dataset.active === "true" });
        else hand(row.dataset.name ?? "", (await call("POST", `/people/${row.dataset.person}/links`)).link);
      }),
    );
  }
}
