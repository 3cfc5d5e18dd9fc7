/** Files that a worker may have to write first. */

import { prepared } from "../ask.js";
import { act, say } from "../client.js";

/**
 * Save a file once it is there.
 * @param {HTMLButtonElement} button that asks for it
 * @param {() => string} path below /api/v1
 * @param {() => string} name to save it as
 */
export function offer(button, path, name) {
  button.addEventListener("click", () =>
    act(button, async () => {
      say("The file is being prepared.");
      const answer = await prepared(path());
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await answer.blob());
      link.download = name();
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // the browser has begun to save it by then
      say(`${link.download} is saved.`);
    }),
  );
}
