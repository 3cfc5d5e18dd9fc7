/** The list of all keys. */

import { element } from "./controls.js";
import { KEYS, keysInWords } from "./keys.js";

/** @returns {HTMLDialogElement} */
export function keysDialog() {
  const close = element("button", { type: "button" }, "Close");
  const lists = element("div", { class: "lists" });
  const groups = new Map(KEYS.map((row) => [row.group, KEYS.filter(({ group }) => group === row.group)]));
  for (const [name, rows] of groups)
    lists.append(
      element(
        "section",
        {},
        element("h2", {}, name),
        element(
          "dl",
          {},
          ...rows.flatMap((row) => [
            element("dt", {}, element("kbd", {}, keysInWords(row))),
            element("dd", {}, row.help ? `${row.label}: ${row.help}` : row.label),
          ]),
        ),
      ),
    );
  const dialog = element("dialog", { class: "keys", "aria-label": "Keys" }, close, lists);
  close.addEventListener("click", () => dialog.close());
  return dialog;
}
