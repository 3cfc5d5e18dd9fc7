import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { FOLDER, SUMS, vendored } from "../../serving/vendor.js";

test("what browsers run of others is, byte for byte, what package-lock.json names", async () => {
  const files = await vendored();
  assert.deepEqual((await readdir(FOLDER)).sort(), [...files.keys()].sort());
  for (const [name, text] of files) {
    const here = await readFile(new URL(name, FOLDER));
    assert.ok(here.equals(Buffer.from(text)), `${name} differs. Run npm run vendor.`);
  }
});

test("the recorded sums are those of the files, and each carries its licence", async () => {
  const sums = (await readFile(new URL(SUMS, FOLDER), "utf8")).trimEnd().split("\n");
  assert.equal(sums.length, 2);
  for (const line of sums) {
    const [sum, name = ""] = line.split("  ");
    const here = await readFile(new URL(name, FOLDER));
    assert.equal(createHash("sha256").update(here).digest("hex"), sum);
    assert.match(here.toString(), /Permission is hereby granted/);
  }
});
