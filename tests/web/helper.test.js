import assert from "node:assert/strict";
import { test } from "node:test";
import { Newest } from "../../serving/web/editor/helper.js";

test("of requests that come faster than answers only the first and the newest are worked on", async () => {
  /** @type {number[]} */
  const worked = [];
  const newest = new Newest(async (/** @type {number} */ request) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    worked.push(request);
  });
  for (const request of [1, 2, 3, 4]) newest.ask(request);
  await newest.done();
  assert.deepEqual(worked, [1, 4]);
  newest.ask(5);
  await newest.done();
  assert.deepEqual(worked, [1, 4, 5]);
});
