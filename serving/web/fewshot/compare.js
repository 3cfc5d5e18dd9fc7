/** Two sessions of one image side by side: their maps, where they differ, and what changed into what. */

/** @import {Classified, SessionEntry, SessionState} from "./types.js" */
/** @import {Style} from "./styles.js" */

import { imagePath } from "../ask.js";
import { act, call } from "../client.js";
import { element } from "../editor/controls.js";
import { View } from "../editor/view.js";
import { draw, grey } from "../viewer/pictures.js";
import { Grid } from "./grid.js";
import { ChipMap, drawFrames, NONE } from "./paint.js";
import { imageInWords, stylesOf } from "./result.js";
import { Styles } from "./styles.js";

const OPACITY = 0.5;

/**
 * @typedef {object} Comparison
 * @property {{first: string, second: string, chips: number}[]} changed
 * @property {number[]} chips that differ
 */

/** @type {SessionEntry[]} */
let offered = [];
const section = /** @type {HTMLElement} */ (document.getElementById("compare"));
const form = /** @type {HTMLFormElement} */ (section.querySelector("form"));

/**
 * Let any two classified sessions be compared; the service says which cannot.
 * @param {SessionEntry[]} sessions
 */
export function offerComparison(sessions) {
  offered = sessions.filter((session) => session.is_classified);
  section.hidden = offered.length < 2;
  for (const [position, name] of ["first", "second"].entries()) {
    const select = /** @type {HTMLSelectElement} */ (form.elements.namedItem(name));
    select.replaceChildren(
      ...offered.map(
        ({ id, name, image, n_chips }) =>
          new Option(`${name} (${imageInWords(image)}, ${n_chips} chips)`, String(id)),
      ),
    );
    select.selectedIndex = Math.min(1 - position, offered.length - 1);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { first, second } = Object.fromEntries(new FormData(form));
  act(form.querySelector("button"), () => compare(String(first), String(second)));
});

/**
 * @param {string} first id
 * @param {string} second
 */
async function compare(first, second) {
  const place = /** @type {HTMLElement} */ (document.getElementById("comparison"));
  place.hidden = true;
  /** @type {Comparison} */
  const found = await call("GET", `/fewshot/compare?first=${first}&second=${second}`);
  const states = /** @type {SessionState[]} */ (
    await Promise.all([first, second].map((id) => call("GET", `/fewshot/sessions/${id}`)))
  );
  const results = /** @type {Classified[]} */ (
    await Promise.all([first, second].map((id) => call("GET", `/fewshot/sessions/${id}/classification`)))
  );
  const [state] = states;
  if (!state) return;
  const picture = await grey(imagePath(state.image.dataset, state.image.stem));
  place.hidden = false;
  const figures = [...place.querySelectorAll("figure")];
  const styles = Styles.of(section);
  const values = results.map(stylesOf);
  results.forEach((result, n) => {
    const name = states[n]?.name ?? "";
    const counts = result.classes.map((one) => `${one.count.mean} ${one.name}`).join(", ");
    show(figures[n], picture, result, values[n] ?? [], [], styles, `${name}: ${counts}`);
  });
  const differing = new Set(found.chips);
  const changed = (values[1] ?? []).map((style, chip) => (differing.has(chip) ? style : NONE));
  const n = found.chips.length;
  const count = `${n} of ${changed.length} chips differ`;
  const words = n === 0 ? "No chip differs." : `${count}; those that do, as the second has them.`;
  if (results[1]) show(figures[2], picture, results[1], changed, found.chips, styles, words);
  /** @type {HTMLElement} */ (document.getElementById("compared")).textContent = `${count}.`;
  const table = /** @type {HTMLTableElement} */ (document.getElementById("changes"));
  table.tBodies[0]?.replaceChildren(
    ...found.changed.map((change) =>
      element(
        "tr",
        {},
        ...[change.first, change.second, String(change.chips)].map((cell) => element("td", {}, cell)),
      ),
    ),
  );
}

/**
 * A map over the image's overview.
 * @param {HTMLElement | undefined} figure
 * @param {ImageData} picture
 * @param {Classified} result
 * @param {Style[]} values of the chips
 * @param {number[]} framed chips
 * @param {Styles} styles
 * @param {string} words
 */
function show(figure, picture, result, values, framed, styles, words) {
  const canvas = figure?.querySelector("canvas");
  const caption = figure?.querySelector("figcaption");
  if (!canvas || !caption) return;
  draw(canvas, [picture]);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const view = new View(result.grid.width, result.grid.height);
  view.resize(canvas.width, canvas.height);
  view.fit();
  const grid = new Grid(result.grid, result.grid);
  new ChipMap(grid, values, styles).draw(context, view, OPACITY, 1);
  drawFrames(
    context,
    view,
    grid,
    framed.map((chip) => ({ chip, colour: "#ffffff", text: "" })),
    1,
  );
  canvas.setAttribute("aria-label", words);
  caption.textContent = words;
}
