/** The editor's worker: jobs in, answers out, in order. */

import { Jobs } from "./jobs.js";

const jobs = new Jobs();

addEventListener("message", ({ data }) => {
  const answer = jobs.run(data);
  postMessage(answer, { transfer: answer && "inside" in answer ? [answer.inside.buffer] : [] });
});
