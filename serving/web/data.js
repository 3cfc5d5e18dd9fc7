/** Asking for an audit of the data, and showing it when it is there. */
import { call, onSubmit, say } from "./client.js";

onSubmit("audit", async () => {
  const asked = await call("POST", "/data/audit");
  say(`Auditing: job ${asked.id}. The page shows the outcome when it is there.`);
  await new Promise((resolve, reject) => {
    const events = new EventSource(`/api/v1/jobs/${asked.id}/events`);
    events.addEventListener("message", (event) => {
      const job = JSON.parse(event.data);
      if (job.state === "waiting" || job.state === "running") return;
      events.close();
      if (job.state === "done") resolve(undefined);
      else reject(new Error(job.problem ?? "The audit was cancelled."));
    });
  });
  location.reload();
});
