/** Jobs as they go on, and the buttons that start, cancel and try them again. */
import { act, call, onSubmit, say } from "./client.js";

/** @typedef {{id: number, kind: string, state: string, priority: number, what: string, done: number, total: number | null}} Job */

const LOOK_MS = 5000;
/** Priority of jobs that nobody waits for at a screen. */
const BATCH = 1;
const list = /** @type {HTMLElement} */ (document.getElementById("job-list"));

/** @param {Job} job */
function words(job) {
  if (job.state === "waiting") return "waits";
  if (job.total) return `${job.what}: ${job.done} of ${job.total}`;
  return job.what || "begins";
}

/** @param {HTMLElement} row @param {Job} job */
function show(row, job) {
  /** @type {HTMLElement} */ (row.querySelector("span")).textContent = words(job);
  const bar = /** @type {HTMLProgressElement} */ (row.querySelector("progress"));
  bar.hidden = job.state === "waiting";
  if (job.total) {
    bar.max = job.total;
    bar.value = job.done;
  } else {
    bar.removeAttribute("value");
  }
}

/**
 * Follow a job by server-sent events; when it is over the page is made anew.
 * @param {HTMLElement} row
 */
function follow(row) {
  const events = new EventSource(`/api/v1/jobs/${row.dataset.job}/events`);
  events.addEventListener("message", (event) => {
    const job = /** @type {Job} */ (JSON.parse(event.data));
    show(row, job);
    if (job.state !== "waiting" && job.state !== "running") {
      events.close();
      location.reload();
    }
  });
}

/** Whether there are jobs, or a run, that the page does not show. */
async function isOutdated() {
  const jobs = /** @type {Job[]} */ (await call("GET", "/jobs?limit=100"));
  const known = [...list.children].map((row) => Number(/** @type {HTMLElement} */ (row).dataset.job));
  const isLive = (/** @type {Job} */ job) => job.state === "waiting" || job.state === "running";
  if (jobs.some((job) => isLive(job) && job.priority === BATCH && !known.includes(job.id))) return true;
  const shown = document.getElementById("runs")?.dataset.latest;
  if (shown === undefined) return false; // no worker has looked at the registry yet
  const [run] = await call("GET", "/runs");
  return shown !== (run ? `${run.id} ${run.state}` : "");
}

/** Make the page anew if need be, unless somebody is at a form. */
async function look() {
  if ((await isOutdated()) && !document.activeElement?.closest("form")) location.reload();
}

/** @param {string} path @param {object} body */
async function start(path, body) {
  const job = /** @type {Job} */ (await call("POST", path, body));
  say(`Job ${job.id} is asked for.`);
  location.reload();
}

for (const row of /** @type {Iterable<HTMLElement>} */ (list.children)) follow(row);
setInterval(() => look().catch(() => undefined), LOOK_MS); // a service that is away is back some time

onSubmit("drift-check", ({ dataset }) => start("/drift", { dataset }));
onSubmit("collect", () => start("/runs", { kind: "collect" }));
onSubmit("retrain", ({ dataset }) => start("/runs", { kind: "retrain", dataset }));
onSubmit("train", ({ minutes }) => start("/runs", { kind: "train", minutes: Number(minutes) }));

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (
  document.querySelectorAll("[data-cancel]")
)) {
  button.addEventListener("click", () =>
    act(button, async () => {
      await call("DELETE", `/jobs/${button.dataset.cancel}`);
      say("It is told to stop.");
    }),
  );
}
for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (
  document.querySelectorAll("[data-retry]")
)) {
  button.addEventListener("click", () => act(button, () => retry(button.dataset.retry ?? "")));
}

/** @param {string} job */
async function retry(job) {
  await call("POST", `/jobs/${job}/retry`);
  location.reload();
}
