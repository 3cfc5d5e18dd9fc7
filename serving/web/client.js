/** Requests to the API, and what people are told of their outcome. */

/**
 * Ask the API; a refusal becomes an Error whose message says what to do.
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {unknown} [body] sent as JSON
 * @param {Record<string, string>} [headers]
 * @returns {Promise<any>}
 */
export async function call(method, path, body, headers = {}) {
  /** @type {Record<string, string>} */
  const sent = body === undefined ? {} : { "Content-Type": "application/json" };
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, {
      method,
      headers: { ...sent, ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Error("The service cannot be reached. See whether it runs, then try again.");
  }
  if (answer.status === 204) return undefined;
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(content.detail ?? `The service answered ${answer.status}.`);
  return content;
}

/**
 * Say something in the page's line for messages.
 * @param {string} text
 */
export function say(text) {
  const line = /** @type {HTMLElement} */ (document.getElementById("message"));
  line.textContent = text;
  line.hidden = false;
}

/**
 * Run an action, with its trigger disabled meanwhile; a refusal is shown.
 * @param {HTMLButtonElement | HTMLSelectElement | null} trigger
 * @param {() => Promise<void>} action
 */
export async function act(trigger, action) {
  if (trigger) trigger.disabled = true;
  try {
    await action();
  } catch (error) {
    say(/** @type {Error} */ (error).message);
  } finally {
    if (trigger) trigger.disabled = false;
  }
}

/**
 * Handle a form's submission here instead of by the browser.
 * @param {string} id
 * @param {(values: Record<string, string>) => Promise<void>} action
 */
export function onSubmit(id, action) {
  const form = /** @type {HTMLFormElement | null} */ (document.getElementById(id));
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const values = /** @type {Record<string, string>} */ (Object.fromEntries(new FormData(form)));
    act(form.querySelector("button"), () => action(values));
  });
}

/**
 * Show a secret once, selected for copying.
 * @param {string} id of the paragraph that holds its field
 * @param {string} secret
 */
export function reveal(id, secret) {
  const place = /** @type {HTMLElement} */ (document.getElementById(id));
  const field = /** @type {HTMLInputElement} */ (place.querySelector("input"));
  place.hidden = false;
  field.value = secret;
  field.select();
}
