/** What stays between images and days: sizes of tools, ways of showing. */

const PLACE = "icefloe-editor";

export const MAX_DIAMETER = 512;

const DEFAULTS = {
  /** Brush diameter, image pixels. */
  diameter: 24,
  /** Probability that the probability brush needs, 0..1. */
  threshold: 0.5,
  /** Wand's tolerance, as a share of the window. */
  tolerance: 0.1,
  /** Regions smaller than this, in pixels, are specks. */
  smallest: 50,
  /** Whether the threshold lasso takes the brighter pixels. */
  brighter: false,
  /** Whether other classes are protected. */
  protect: false,
  outline: false,
  /** Of the mask and of maps, 0..1. */
  opacity: 0.5,
  gamma: 1,
  /** @type {keyof typeof import("./colour_maps.js").COLOUR_MAPS} */
  map: "viridis",
};

/** @typedef {typeof DEFAULTS} Settings */

/**
 * The settings kept in this browser; where one is missing or of another kind, the default.
 * @returns {Settings}
 */
export function loadSettings() {
  /** @type {Record<string, unknown>} */
  let kept = {};
  try {
    kept = JSON.parse(localStorage.getItem(PLACE) ?? "{}");
  } catch {
    // Something else wrote there: the defaults are as good.
  }
  const same = Object.entries(DEFAULTS).filter(([name, value]) => typeof kept[name] === typeof value);
  return { ...DEFAULTS, ...Object.fromEntries(same.map(([name]) => [name, kept[name]])) };
}

/** @param {Settings} settings */
export function saveSettings(settings) {
  localStorage.setItem(PLACE, JSON.stringify(settings));
}
