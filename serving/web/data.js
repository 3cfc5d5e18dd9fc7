/** Asking for an audit of the data or for labels to be taken back, and showing the outcome when it is there. */
import { call, onSubmit, say } from "./client.js";

/**
 * Wait until a worker has done a job.
 * @param {{id: number}} asked
 * @returns {Promise<{result: {sentence: string}}>}
 */
function done(asked) {
  return new Promise((resolve, reject) => {
    const events = new EventSource(`/api/v1/jobs/${asked.id}/events`);
    events.addEventListener("message", (event) => {
      const job = JSON.parse(event.data);
      if (job.state === "waiting" || job.state === "running") return;
      events.close();
      if (job.state === "done") resolve(job);
      else reject(new Error(job.problem ?? "It was cancelled. Ask for it again."));
    });
  });
}

onSubmit("audit", async () => {
  const asked = await call("POST", "/data/audit");
  say(`Auditing: job ${asked.id}. The page shows the outcome when it is there.`);
  await done(asked);
  location.reload();
});

onSubmit("withdraw", async ({ keys, labeler, reason }) => {
  const asked = await call("POST", "/data/withdrawals", {
    keys: keys.split(/[\s,;]+/).filter(Boolean),
    labeler: labeler.trim() || null,
    reason,
  });
  say(`Withdrawing: job ${asked.id}. The page shows the outcome when it is there.`);
  await done(asked);
  location.hash = "withdrawn";
  location.reload();
});
