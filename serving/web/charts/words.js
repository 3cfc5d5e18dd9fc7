/** Numbers, units and curves in words. */

/**
 * A quantity over time.
 * @typedef {object} Quantity
 * @property {string} title
 * @property {string} unit as files name it, such as `nm2`; empty for a plain number
 * @property {(number | null)[]} values null where it is not known
 * @property {(number | null)[]} [std] standard deviation over members
 * @property {(number | null)[]} [low] lower ends of the 95 % interval
 * @property {(number | null)[]} [high]
 *
 * @typedef {object} Moments
 * @property {string} title of the axis
 * @property {string} unit
 * @property {number[]} values in increasing order
 * @property {string[]} names of the images
 */

const FOUR = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });

/**
 * A number with four significant digits; a dash if it is not known.
 * @param {number | null | undefined} value
 */
export function significant(value) {
  return value === null || value === undefined || !Number.isFinite(value) ? "–" : FOUR.format(value);
}

/**
 * A unit for display: `nm2_per_s` is nm²/s, `per_nm` 1/nm.
 * @param {string} unit
 */
export function unitWords(unit) {
  const [over = "", under] = unit.replace("_per_", "/").replace(/^per_/, "1/").split("/");
  const above = over.replace("2", "²");
  return under === undefined ? above : `${above}/${under}`;
}

/**
 * A title with its unit in brackets.
 * @param {{title: string, unit: string}} quantity
 */
export function axisTitle({ title, unit }) {
  return unit ? `${title} (${unitWords(unit)})` : title;
}

/**
 * The value at a moment, with its interval and unit.
 * @param {Quantity} quantity
 * @param {number} place
 */
export function valueAt(quantity, place) {
  const unit = quantity.unit ? ` ${unitWords(quantity.unit)}` : "";
  const value = significant(quantity.values[place]);
  if (value === "–") return "not known";
  const [low, high] = [quantity.low?.[place] ?? null, quantity.high?.[place] ?? null];
  const interval = low === null || high === null ? "" : ` (${significant(low)} to ${significant(high)})`;
  return `${value}${interval}${unit}`;
}

/**
 * A moment: when, and which image.
 * @param {Moments} moments
 * @param {number} place
 */
export function momentAt(moments, place) {
  const when = significant(moments.values[place]);
  return moments.unit
    ? `${when} ${moments.unit}, ${moments.names[place]}`
    : `${moments.title} ${when}, ${moments.names[place]}`;
}

/**
 * A curve in one sentence, for those who don't see it.
 * @param {Moments} moments
 * @param {Quantity} quantity
 */
export function summary(moments, quantity) {
  const last = moments.values.length - 1;
  const ends = [...new Set([0, last])].map(
    (place) => `${valueAt(quantity, place)} at ${momentAt(moments, place)}`,
  );
  const count = moments.values.length === 1 ? "1 value" : `${moments.values.length} values`;
  return `${quantity.title}, ${count}: ${ends.join("; ")}.`;
}

/**
 * The values as a table: heads and rows.
 * @param {Moments} moments
 * @param {Quantity} quantity
 * @returns {string[][]}
 */
export function table(moments, quantity) {
  const { std, low, high } = quantity;
  const parts = /** @type {[string, typeof std][]} */ ([
    ["± std", std],
    ["95 % from", low],
    ["to", high],
  ]).filter(([_, part]) => part);
  const heads = ["Image", axisTitle(moments), axisTitle(quantity), ...parts.map(([head]) => head)];
  const rows = moments.values.map((when, place) => [
    moments.names[place] ?? "",
    significant(when),
    significant(quantity.values[place]),
    ...parts.map(([_, part]) => significant(part?.[place])),
  ]);
  return [heads, ...rows];
}

/**
 * Where the axis ends: an interval that is much wider than ± std is cut off, so that the curve is seen.
 * @param {Quantity} quantity
 * @returns {[number, number]}
 */
export function range({ values, std, low, high }) {
  const ends = values.flatMap((value, place) => {
    if (value === null) return [];
    const spread = std?.[place] ?? 0;
    if (std) return [value - spread, value + spread];
    return [low?.[place] ?? value, high?.[place] ?? value];
  });
  if (ends.length === 0) return [0, 1];
  const [least, most] = [Math.min(0, ...ends), Math.max(...ends)];
  const room = 0.15 * (most - least) || 1;
  return [least < 0 && values.some((value) => (value ?? 0) < 0) ? least - room : 0, most + room];
}
