/** Controls of how the image is seen, and of how chips are classified. */

/** @import {ChipView} from "./chip_view.js" */
/** @import {Choices} from "./types.js" */

import { choice, element, slider } from "../editor/controls.js";

/**
 * Window, level, gamma and zoom.
 * @param {HTMLElement} place
 * @param {ChipView} view
 */
export function offerLook(place, view) {
  const range = { min: 1, max: 65535, step: 1 };
  const sliders = {
    window: slider("Window", range, String, (window) => set({ window })),
    level: slider("Level", { ...range, min: 0 }, String, (level) => set({ level })),
    gamma: slider(
      "Gamma",
      { min: 0.2, max: 4, step: 0.05 },
      (value) => value.toFixed(2),
      (gamma) => set({ gamma }),
    ),
  };
  const show = () => {
    const contrast = view.contrast;
    for (const name of /** @type {const} */ (["window", "level", "gamma"])) sliders[name].set(contrast[name]);
  };
  const set = (/** @type {Partial<{window: number, level: number, gamma: number}>} */ values) => {
    view.setContrast(values);
    show();
  };
  /** @type {[string, () => void][]} */
  const actions = [
    ["Automatic contrast", () => view.autoContrast()],
    ["Zoom in", () => view.zoomBy(2 ** 0.5)],
    ["Zoom out", () => view.zoomBy(2 ** -0.5)],
    ["Whole image", () => view.whole()],
  ];
  const buttons = actions.map(([words, action]) => {
    const button = element("button", { type: "button", class: "plain" }, words);
    button.addEventListener("click", () => {
      action();
      show();
    });
    return button;
  });
  place.append(...Object.values(sliders).map(({ row }) => row), element("p", { class: "bar" }, ...buttons));
  show();
}

/**
 * How chips become vectors, and when a chip is unsure.
 * @param {HTMLElement} place
 * @param {Record<string, string[]>} encoders weights of each
 * @param {(choices: Choices) => void} use
 * @returns {(choices: Choices) => void} shows those that are kept
 */
export function offerChoices(place, encoders, use) {
  /** @type {Choices} */
  let now = { encoder: "", weights: "", way: "dense", surroundings: false, max_risk: 0.2 };
  const names = (/** @type {string[]} */ list) => Object.fromEntries(list.map((name) => [name, name]));
  const weights = element("select");
  const offerWeights = () =>
    weights.replaceChildren(
      ...(encoders[now.encoder] ?? []).map(
        (name) => new Option(name === "none" ? "none (untrained)" : name, name),
      ),
    );
  const encoder = choice("Encoder", names(Object.keys(encoders)), (value) => {
    now = { ...now, encoder: value, weights: encoders[value]?.[0] ?? "none" };
    offerWeights();
  });
  weights.addEventListener("change", () => {
    now = { ...now, weights: weights.value };
  });
  const way = choice(
    "Chips become vectors",
    { dense: "in one pass over the image", chips: "one by one" },
    (value) => {
      now = { ...now, way: value };
    },
  );
  const surroundings = element("input", { type: "checkbox" });
  surroundings.addEventListener("change", () => {
    now = { ...now, surroundings: surroundings.checked };
  });
  const risk = slider(
    "Unsure above a risk of",
    { min: 0, max: 1, step: 0.01 },
    (value) => value.toFixed(2),
    (value) => {
      now = { ...now, max_risk: value };
      risk.set(value);
    },
  );
  const button = element("button", { type: "button", class: "plain" }, "Use these");
  button.addEventListener("click", () => use(now));
  place.append(
    encoder.row,
    element("label", { class: "choice" }, "Weights", weights),
    way.row,
    element("label", { class: "check" }, surroundings, "With what surrounds the chip"),
    risk.row,
    element("p", { class: "bar" }, button),
  );
  return (choices) => {
    now = choices;
    offerWeights();
    encoder.set(choices.encoder);
    weights.value = choices.weights;
    way.set(choices.way);
    surroundings.checked = choices.surroundings;
    risk.set(choices.max_risk);
  };
}
