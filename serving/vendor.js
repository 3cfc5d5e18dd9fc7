/**
 * Remakes serving/web/vendor from node_modules: `npm run vendor`, after `npm ci`.
 *
 * Users need no Node: what browsers run lies in the repository, with its licence and its SHA-256.
 */

import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const MODULES = new URL("../node_modules/", import.meta.url);
export const FOLDER = new URL("web/vendor/", import.meta.url);
export const SUMS = "SHA256SUMS";

/** File here -> the package, and its file that is taken. */
const TAKEN = {
  "uPlot.js": ["uplot", "dist/uPlot.esm.js"],
  "uPlot.css": ["uplot", "dist/uPlot.min.css"],
};

/**
 * What has to lie in the folder: name -> content.
 * @returns {Promise<Map<string, string>>}
 */
export async function vendored() {
  /** @type {Map<string, string>} */
  const files = new Map();
  for (const [name, [module = "", file = ""]] of Object.entries(TAKEN)) {
    const read = (/** @type {string} */ path) => readFile(new URL(`${module}/${path}`, MODULES), "utf8");
    const { version } = JSON.parse(await read("package.json"));
    const head = `${module} ${version}, ${file}; made by \`npm run vendor\`\n\n${(await read("LICENSE")).trim()}`;
    // TypeScript checks our modules by the package's own types, and leaves its code alone.
    const unchecked = name.endsWith(".js") ? "// @ts-nocheck\n" : "";
    files.set(name, `${unchecked}/*\n${head}\n*/\n${(await read(file)).trimEnd()}\n`);
  }
  const sums = [...files].map(
    ([name, text]) => `${createHash("sha256").update(text).digest("hex")}  ${name}\n`,
  );
  return files.set(SUMS, sums.join(""));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await mkdir(FOLDER, { recursive: true });
  for (const [name, text] of await vendored()) await writeFile(new URL(name, FOLDER), text);
}
