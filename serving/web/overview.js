/** Jobs as they go on, and the buttons that start, cancel and try them again. */
import { act, call, onSubmit, say } from "./client.js";

/** @typedef {{id: number, kind: string, state: string, what: string, done: number, total: number | null}} Job */

const LOOK_MS = 5000;
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

/** Look for jobs and runs that are new: the page is made anew for them, unless somebody is at a form. */
async function look() {
  const jobs = /** @type {Job[]} */ (await call("GET", "/jobs?limit=100"));
  const live = jobs.filter((job) => job.state === "waiting" || job.state === "running");
  const known = [...list.children].map((row) => Number(/** @type {HTMLElement} */ (row).dataset.job));
  const [run] = await call("GET", "/runs");
  const latest = run ? `${run.id} ${run.state}` : "";
  const isNew = latest !== document.getElementById("runs")?.dataset.latest;
  const atForm = document.activeElement?.closest("form");
  if (!atForm && (isNew || live.some((job) => !known.includes(job.id)))) location.reload();
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
