import assert from "node:assert/strict";
import { test } from "node:test";
import { Activity } from "../../serving/web/editor/activity.js";

test("time counts up to 20 s after each pointer or key, and not while the page is hidden", () => {
  const activity = new Activity();
  assert.equal(activity.seconds(5_000), 0);
  activity.touch(10_000);
  activity.touch(15_000);
  assert.equal(activity.seconds(18_000), 8);
  assert.equal(activity.seconds(100_000), 25);
  activity.touch(100_000);
  activity.pause(103_000);
  assert.equal(activity.seconds(200_000), 28);
  activity.touch(200_000);
  assert.equal(activity.seconds(201_000), 29);
});

test("a turn of the wheel is one action however many notches it has", () => {
  const activity = new Activity();
  for (const now of [0, 100, 300, 2_000, 2_100]) activity.wheel(now);
  assert.equal(activity.actions, 2);
});
