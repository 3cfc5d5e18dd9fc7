import assert from "node:assert/strict";
import { test } from "node:test";
import {
  axisTitle,
  momentAt,
  range,
  significant,
  summary,
  table,
  unitWords,
  valueAt,
} from "../../serving/web/charts/words.js";

const TIMES = { title: "time", unit: "s", values: [0, 0.5, 2], names: ["a", "b", "c"] };
const AREA = {
  title: "Area of ice",
  unit: "nm2",
  values: [12345.6, null, 0.00123456],
  std: [100, null, 0.5],
  low: [12000, null, 0],
  high: [12700, null, 2],
};

test("numbers have four digits, and a dash stands for what is not known", () => {
  assert.deepEqual([12345.6, 0.00123456, 0, -1.23456, null, Number.NaN, undefined].map(significant), [
    "12,350",
    "0.001235",
    "0",
    "-1.235",
    "–",
    "–",
    "–",
  ]);
});

test("units read as people write them", () => {
  assert.deepEqual(["nm2", "px2", "nm", "per_nm", "nm2_per_s", "nm_per_s", ""].map(unitWords), [
    "nm²",
    "px²",
    "nm",
    "1/nm",
    "nm²/s",
    "nm/s",
    "",
  ]);
  assert.equal(axisTitle(AREA), "Area of ice (nm²)");
  assert.equal(axisTitle({ title: "frame", unit: "" }), "frame");
});

test("a value is said with its interval and unit, or that it is not known", () => {
  assert.equal(valueAt(AREA, 0), "12,350 (12,000 to 12,700) nm²");
  assert.equal(valueAt(AREA, 1), "not known");
  assert.equal(valueAt({ title: "UQ", unit: "", values: [0.1] }, 0), "0.1");
});

test("a curve is said in a sentence by its ends", () => {
  assert.equal(
    summary(TIMES, AREA),
    "Area of ice, 3 values: 12,350 (12,000 to 12,700) nm² at 0 s, a; 0.001235 (0 to 2) nm² at 2 s, c.",
  );
  const one = { title: "frame", unit: "", values: [1], names: ["a"] };
  assert.equal(summary(one, { title: "UQ", unit: "", values: [0.1] }), "UQ, 1 value: 0.1 at frame 1, a.");
  assert.equal(momentAt(TIMES, 1), "0.5 s, b");
});

test("the table has every value, and bands only where there are some", () => {
  const [heads, first, second] = table(TIMES, AREA);
  assert.deepEqual(heads, ["Image", "time (s)", "Area of ice (nm²)", "± std", "95 % from", "to"]);
  assert.deepEqual(first, ["a", "0", "12,350", "100", "12,000", "12,700"]);
  assert.deepEqual(second, ["b", "0.5", "–", "–", "–", "–"]);
  assert.deepEqual(table(TIMES, { title: "UQ", unit: "", values: [1, 2, 3] })[1], ["a", "0", "1"]);
});

test("the axis holds every value, from 0 up where none is below", () => {
  const [bottom, top] = range({ title: "", unit: "", values: [2, null, 10], std: [1, null, 2] });
  assert.equal(bottom, 0);
  assert.ok(top > 12 && top < 15);
  const [below, above] = range({ title: "", unit: "", values: [-4, 4] });
  assert.ok(below < -4 && above > 4);
  assert.deepEqual(range({ title: "", unit: "", values: [null] }), [0, 1]);
  const [zero, room] = range({ title: "", unit: "", values: [0, 0] });
  assert.ok(room > zero);
});

test("an interval alone is seen whole, and stands in the table", () => {
  const quantity = { title: "Share", unit: "", values: [0.3, null], low: [0.2, null], high: [0.5, null] };
  assert.ok(range(quantity)[1] > 0.5);
  const moments = { title: "Image number", unit: "", values: [1, 2], names: ["a", "b"] };
  assert.deepEqual(table(moments, quantity), [
    ["Image", "Image number", "Share", "95 % from", "to"],
    ["a", "1", "0.3", "0.2", "0.5"],
    ["b", "2", "–", "–", "–"],
  ]);
});
