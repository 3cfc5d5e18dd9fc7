/** The result in words, tables and bars. */

/** @import {Classified, ClassCount, Interval} from "./types.js" */
/** @import {Style, Styles} from "./styles.js" */

import { element } from "../editor/controls.js";
import { UNSURE } from "./sets.js";

/** Longest bar, CSS pixels. */
const BAR = 150;
const LEAST_SHOWN = 0.005;

/**
 * Style of each chip's class; null where it is unsure.
 * @param {Classified} result
 * @returns {Style[]}
 */
export function stylesOf({ classes, nearest, unsure }) {
  const styles = nearest.map((position) => classes[position]?.style ?? null);
  for (const chip of unsure) styles[chip] = null;
  return styles;
}

/**
 * An image's name as people know it.
 * @param {string} image dataset/stem
 */
export function imageInWords(image) {
  return image.replace(/^upload-[0-9a-f]+\//, "sent by you: ");
}

/** @param {number} share */
export function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

/**
 * A chip's class and probabilities, and whether it resembles no set.
 * @param {Classified} result
 * @param {number} chip
 */
export function chipInWords({ classes, nearest, unsure, probabilities, far_chips }, chip) {
  const likely = (probabilities[chip] ?? [])
    .map((share, position) => ({ share, name: classes[position]?.name ?? "" }))
    .sort((a, b) => b.share - a.share)
    .filter(({ share }, place) => place === 0 || share >= LEAST_SHOWN)
    .map(({ share, name }) => `${name} ${share.toFixed(2)}`)
    .join(", ");
  const name = unsure.includes(chip) ? UNSURE : classes[nearest[chip] ?? -1]?.name;
  const far = far_chips.includes(chip) ? "; far from every set" : "";
  return `${name}; ${likely}${far}`;
}

/**
 * @param {Interval} interval
 * @param {(value: number) => string} inWords
 */
function bounds({ low, high }, inWords) {
  return `${inWords(low)} to ${inWords(high)}`;
}

/**
 * A row a class: its bar with the interval of the count, and the numbers.
 * @param {Classified} result
 * @param {Styles} styles
 * @returns {HTMLElement[]}
 */
export function countRows({ classes }, styles) {
  const most = Math.max(1, ...classes.map((one) => one.count.high));
  return classes.map((one) => {
    const numbers = [
      String(one.count.mean),
      bounds(one.count, (value) => value.toFixed(0)),
      percent(one.fraction.mean),
      bounds(one.fraction, percent),
    ];
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, styles.swatch(one.style), " ", one.name),
      element("td", { "aria-hidden": "true" }, bar(one, most, styles)),
      ...numbers.map((number) => element("td", {}, number)),
    );
  });
}

/**
 * @param {ClassCount} one
 * @param {number} most what the longest bar stands for
 * @param {Styles} styles
 */
function bar({ count, style }, most, styles) {
  const long = (/** @type {number} */ value) => Math.round((BAR * value) / most);
  const whisker = element("span", { class: "whisker" });
  whisker.style.left = `${long(count.low)}px`;
  whisker.style.width = `${Math.max(1, long(count.high) - long(count.low))}px`;
  const place = element("div", { class: "count-bar" }, styles.swatch(style, long(count.mean), 22), whisker);
  place.style.width = `${BAR}px`;
  return place;
}

/**
 * Rows of the table of what falls to what.
 * @param {Classified} result
 * @returns {HTMLElement[]}
 */
export function confusionRows({ classes, check }) {
  const names = classes.slice(0, -1).map((one) => one.name);
  const head = element(
    "tr",
    {},
    element("th", { scope: "col" }, "supports of"),
    ...names.map((name) => element("th", { scope: "col" }, `fall to ${name}`)),
  );
  const rows = check.confusion.map((row, position) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, names[position] ?? ""),
      ...row.map((count, column) =>
        element("td", column === position ? { class: "own" } : {}, String(count)),
      ),
    ),
  );
  return [element("thead", {}, head), element("tbody", {}, ...rows)];
}

/**
 * How well supports fall to their own sets, in words.
 * @param {Classified} result
 */
export function checkInWords({ check: { right, ece, plain_ece, singles } }) {
  if (right.total === 0)
    return "No set has two supports, so none can be left out, and nothing can be checked.";
  const told = `Left out, ${right.hits} of ${right.total} supports fall to their own set.`;
  const error =
    ece === null || plain_ece === null
      ? ""
      : ` Calibration error ${ece.toFixed(2)}, without temperature ${plain_ece.toFixed(2)}; the temperature was fitted to the same supports.`;
  const alone =
    singles.length > 0 ? ` Not left out, as it is the only one: the support of ${singles.join(", ")}.` : "";
  return `${told}${error}${alone}`;
}
