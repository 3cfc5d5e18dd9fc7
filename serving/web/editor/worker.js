/** The editor's worker: requests in, answers out, each with its number. */

import { Jobs } from "./jobs.js";

const jobs = new Jobs();

addEventListener("message", ({ data: { id, request } }) => {
  try {
    const answer = jobs.run(request);
    postMessage({ id, answer }, { transfer: answer && "inside" in answer ? [answer.inside.buffer] : [] });
  } catch (error) {
    postMessage({ id, failure: String(error) });
  }
});
