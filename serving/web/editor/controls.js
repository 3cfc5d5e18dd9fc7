/** Labelled controls, built by DOM calls: the content policy allows no markup from strings. */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * A slider with its name and its value in words.
 * @param {string} label
 * @param {{min: number, max: number, step: number}} range
 * @param {(value: number) => string} inWords
 * @param {(value: number) => void} action called while it is dragged
 * @returns {{row: HTMLElement, set: (value: number) => void}}
 */
export function slider(label, { min, max, step }, inWords, action) {
  const input = element("input", {
    type: "range",
    min: String(min),
    max: String(max),
    step: String(step),
    "aria-label": label,
  });
  const output = element("output");
  let shown = Number.NaN;
  const set = (/** @type {number} */ value) => {
    if (value === shown) return;
    shown = value;
    input.value = String(value);
    output.textContent = inWords(value);
    input.setAttribute("aria-valuetext", inWords(value));
  };
  input.addEventListener("input", () => action(Number(input.value)));
  return { row: element("div", { class: "slider" }, element("span", {}, label), output, input), set };
}

/**
 * A choice of a few.
 * @param {string} label
 * @param {Record<string, string>} options names shown by value
 * @param {(value: string) => void} action
 * @returns {{row: HTMLElement, set: (value: string) => void}}
 */
export function choice(label, options, action) {
  const select = element("select");
  for (const [value, name] of Object.entries(options)) select.append(element("option", { value }, name));
  select.addEventListener("change", () => action(select.value));
  return {
    row: element("label", { class: "choice" }, label, select),
    set: (value) => {
      select.value = value;
    },
  };
}

/**
 * Say of a button whether it is down; nothing is touched that is so already, for this is said often.
 * @param {HTMLButtonElement} button
 * @param {boolean} pressed
 */
export function press(button, pressed) {
  if (button.ariaPressed !== String(pressed)) button.ariaPressed = String(pressed);
}
