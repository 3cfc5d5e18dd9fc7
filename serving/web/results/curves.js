/** What is known over time: the measured curves, or the masks' areas until they are there. */

/** @import {Moments, Quantity} from "../charts/words.js" */

import { Curve } from "../charts/curve.js";

/**
 * @typedef {object} ImageResult see ImageResult in the API
 * @property {string} stem
 * @property {number} index
 * @property {number[]} fractions
 * @property {number[]} areas_px
 * @property {number[] | null} areas_nm2
 * @property {Record<string, number | null>} scores
 *
 * @typedef {object} Series see Series in the API
 * @property {string[]} stems
 * @property {number[]} times_s
 * @property {Record<string, {unit: string, values: (number | null)[], std: (number | null)[],
 *   low: (number | null)[], high: (number | null)[]}>} curves
 * @property {string[]} sentences
 * @property {string[]} notes
 */

const UNCERTAINTY = { title: "Image uncertainty", unit: "" };

/**
 * Curves of area, front and uncertainty against time.
 * @param {Series} series
 * @param {ImageResult[]} images all of them
 * @param {string} material what is measured, such as `ice`
 * @returns {[Moments, Quantity[]]}
 */
export function measuredCurves(series, images, material) {
  const moments = { title: "Time", unit: "s", values: series.times_s, names: series.stems };
  const titles = { area: `Area of ${material}`, mean_front: "Mean front" };
  const curves = Object.entries(titles).flatMap(([name, title]) => {
    const curve = series.curves[name];
    return curve ? [{ title, ...curve }] : [];
  });
  return [moments, [...curves, uncertainty(images)]];
}

/**
 * Curves of the masks that there are, by frame.
 * @param {ImageResult[]} images
 * @param {string} material
 * @returns {[Moments, Quantity[]]}
 */
export function maskCurves(images, material) {
  const moments = {
    title: "Frame",
    unit: "",
    values: images.map((image) => image.index + 1),
    names: images.map((image) => image.stem),
  };
  const unit = images[0]?.areas_nm2 ? "nm2" : "px2";
  const values = images.map((image) => (image.areas_nm2 ?? image.areas_px)[1] ?? null);
  return [moments, [{ title: `Area of ${material}`, unit, values }, uncertainty(images)]];
}

/** @param {ImageResult[]} images */
function uncertainty(images) {
  return { ...UNCERTAINTY, values: images.map((image) => image.scores.uq_mean ?? null) };
}

/**
 * Put curves into the page instead of those there.
 * @param {Moments} moments
 * @param {Quantity[]} quantities
 * @param {(place: number) => void} pick
 * @returns {Curve[]}
 */
export function showCurves(moments, quantities, pick) {
  const curves = quantities.map((quantity) => new Curve(moments, quantity, pick));
  document.getElementById("curves")?.replaceChildren(...curves.map((curve) => curve.figure));
  return curves;
}
