import assert from "node:assert/strict";
import { test } from "node:test";
import { loadSettings, saveSettings } from "../../serving/web/editor/settings.js";

/** @param {string | null} kept */
function storage(kept) {
  const place = {
    getItem: () => kept,
    setItem: (/** @type {string} */ _name, /** @type {string} */ text) => {
      kept = text;
    },
  };
  Object.defineProperty(globalThis, "localStorage", { value: place, configurable: true });
}

test("settings come back as they were kept", () => {
  storage(null);
  const changed = { ...loadSettings(), diameter: 77, outline: true };
  saveSettings(changed);
  assert.deepEqual(loadSettings(), changed);
});

test("what is kept by something else, or of another kind, is left aside", () => {
  storage("not JSON");
  const defaults = loadSettings();
  storage(JSON.stringify({ diameter: "large", outline: true, unknown: 1 }));
  assert.deepEqual(loadSettings(), { ...defaults, outline: true });
});
