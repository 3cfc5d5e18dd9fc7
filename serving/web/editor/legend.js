/** What colours mean, in names. */

/** @import {Layer} from "./screen.js" */
/** @import {Settings} from "./settings.js" */

import { CHANGE_COLOURS, CLASS_COLOURS, mapColour } from "./colour.js";
import { element } from "./controls.js";

/** @typedef {[number[] | null, string][]} Legend colours (null: stripes) and their meaning */

/**
 * What the colours of a layer mean.
 * @param {Layer} layer
 * @param {string[]} classes names by class index
 * @param {Settings["map"]} map
 * @returns {Legend}
 */
export function legend(layer, classes, map) {
  if (layer === "hidden") return [];
  if (layer === "changes")
    return CHANGE_COLOURS.map((colour, i) => [colour, ["added", "taken away", "another class"][i]]);
  if (layer === "uncertainty" || layer === "probability")
    return [0, 64, 128, 191, 255].map((value) => [mapColour(map, value), (value / 255).toFixed(2)]);
  /** @type {Legend} */
  const named = classes.slice(1).map((name, i) => [CLASS_COLOURS[i % CLASS_COLOURS.length], name]);
  return [...named, [null, "ignore"]];
}

/**
 * A small square of a colour; striped for what is to be ignored.
 * @param {number[] | null} colour
 * @returns {HTMLElement}
 */
export function swatch(colour) {
  const square = element("span", { class: colour ? "swatch" : "swatch striped" });
  if (colour) square.style.background = `rgb(${colour.join(" ")})`;
  return square;
}
