/** The editor's buttons and sliders; their names and keys come from the table of keys. */

/** @import {Command, Key} from "./keys.js" */
/** @import {Layer} from "./screen.js" */
/** @import {Settings} from "./settings.js" */
/** @import {ToolName} from "./tools.js" */

import { CLASS_COLOURS } from "./colour.js";
import { choice, element, press, slider } from "./controls.js";
import { IGNORE } from "./edited_mask.js";
import { keyOf, keysInWords } from "./keys.js";
import { swatch } from "./legend.js";
import { MAX_DIAMETER } from "./settings.js";
import { BRUSHES } from "./tools.js";

/**
 * What the controls show.
 * @typedef {object} State
 * @property {Settings} settings
 * @property {ToolName} tool
 * @property {number} classIndex
 * @property {boolean} subtract
 * @property {Layer} layer
 * @property {boolean} canUndo
 * @property {boolean} canRedo
 * @property {number} window 16-bit values from black to white
 * @property {number} level
 * @property {number | null} cut threshold of the last threshold lasso, 16-bit value
 * @property {string | null} region which of the regions to be labelled is looked at; null where all is labelled
 *
 * @typedef {Settings & {window: number, level: number, cut: number}} Values
 */

/** @type {Record<string, Command[]>} buttons of each group, in its order */
const COMMANDS = {
  Tools: ["brush", "eraser", "likely", "polygon", "lasso", "cut", "wand", "livewire"],
  Change: ["undo", "redo", "fillHoles", "removeSpecks", "grow", "shrink"],
  See: [
    "outline",
    "hide",
    "changes",
    "previousMask",
    "uncertainty",
    "probability",
    "nextSpot",
    "contrast",
    "fit",
    "fullSize",
  ],
  Images: ["previousFrame", "nextFrame", "nextRegion", "help", "skip", "accept"],
};

const LAYERS = new Set(["changes", "previousMask", "uncertainty", "probability"]);

export class Panel {
  /** @type {Map<Command, HTMLButtonElement>} */
  #buttons = new Map();
  /** @type {HTMLButtonElement[]} */
  #classes = [];
  #classGroup;
  #region = element("span", { class: "region", role: "status" });
  #run;
  #controls;

  /**
   * @param {(command: Command, chord: string, byPointer: boolean) => void} run
   * @param {(values: Partial<Values>) => void} set
   * @param {() => void} used a slider or choice was set to its new value
   */
  constructor(run, set, used) {
    this.#run = run;
    this.#controls = controls(set);
    const { diameter, threshold, tolerance, brighter, cut, smallest, opacity, map, window, level, gamma } =
      this.#controls;
    const [tools, change, see, images] = Object.entries(COMMANDS).map(([name, commands]) =>
      group(name, ...commands.map((command) => this.#button(command))),
    );
    tools.append(diameter.row, threshold.row, tolerance.row, brighter.row, cut.row);
    change.append(smallest.row);
    see.append(opacity.row, window.row, level.row, gamma.row, map.row);
    this.#classGroup = group("Classes");
    /** Everything but what moves on to other images. */
    this.tools = element("div", { class: "panel" }, tools, this.#classGroup, change, see);
    this.images = images;
    images.prepend(this.#region);
    this.tools.addEventListener("change", (event) => {
      event.stopPropagation(); // the page listens for the editor's own event of this name
      used();
    });
  }

  /**
   * Show one button a class.
   * @param {string[]} classes names by class index
   */
  setClasses(classes) {
    this.#classes = classes.slice(1).map((name, i) => this.#classButton(name, i + 1, String(i + 1)));
    this.#classes.push(this.#classButton(keyOf("ignore").label, IGNORE, "0"));
    const toggles = [this.#button("subtract"), this.#button("protect")];
    this.#classGroup.replaceChildren(this.#classGroup.children[0], ...this.#classes, ...toggles);
  }

  /** @param {State} state */
  show(state) {
    const { settings, tool, layer } = state;
    for (const [command, button] of this.#buttons) {
      const pressed = pressedOf(command, state);
      if (pressed !== null) press(button, pressed);
    }
    for (const button of this.#classes) press(button, Number(button.dataset.class) === state.classIndex);
    this.#enable("undo", state.canUndo);
    this.#enable("redo", state.canRedo);
    this.#region.textContent = state.region ?? "";
    const next = this.#buttons.get("nextRegion");
    if (next) next.hidden = state.region === null;
    const controls = this.#controls;
    for (const name of /** @type {const} */ ([
      "diameter",
      "threshold",
      "tolerance",
      "smallest",
      "opacity",
      "gamma",
    ]))
      controls[name].set(settings[name]);
    controls.window.set(state.window);
    controls.level.set(state.level);
    controls.brighter.set(String(settings.brighter));
    controls.map.set(settings.map);
    controls.diameter.row.hidden = !BRUSHES.has(tool);
    controls.threshold.row.hidden = tool !== "likely";
    controls.tolerance.row.hidden = tool !== "wand";
    controls.brighter.row.hidden = tool !== "cut";
    controls.cut.row.hidden = tool !== "cut" || state.cut === null;
    if (state.cut !== null) controls.cut.set(state.cut);
    controls.map.row.hidden = layer !== "uncertainty" && layer !== "probability";
  }

  /**
   * @param {Command} command
   * @param {boolean} enabled
   */
  #enable(command, enabled) {
    const button = this.#buttons.get(command);
    if (button) button.disabled = !enabled;
  }

  /** @param {Command} command */
  #button(command) {
    const row = keyOf(command);
    const button = element("button", { type: "button", title: titleOf(row) }, row.label);
    button.addEventListener("click", ({ detail }) => this.#run(command, row.keys[0], detail > 0));
    this.#buttons.set(command, button);
    return button;
  }

  /**
   * @param {string} name
   * @param {number} value class index
   * @param {string} key as for the command; there are keys for nine classes
   */
  #classButton(name, value, key) {
    const button = element("button", {
      type: "button",
      title: value > 9 && value !== IGNORE ? name : `${name} (${key})`,
      "data-class": String(value),
    });
    button.append(swatch(value === IGNORE ? null : CLASS_COLOURS[value - 1]), name);
    button.addEventListener("click", ({ detail }) =>
      this.#run(value === IGNORE ? "ignore" : "class", key, detail > 0),
    );
    return button;
  }
}

/** @param {(values: Partial<Values>) => void} set */
function controls(set) {
  const percent = (/** @type {number} */ value) => `${Math.round(100 * value)} %`;
  const share = { min: 0, max: 1, step: 0.01 };
  return {
    diameter: slider(
      "Size",
      { min: 1, max: MAX_DIAMETER, step: 1 },
      (value) => `${value} px`,
      (diameter) => set({ diameter }),
    ),
    threshold: slider(
      "Threshold",
      share,
      (value) => value.toFixed(2),
      (threshold) => set({ threshold }),
    ),
    tolerance: slider("Tolerance", share, percent, (tolerance) => set({ tolerance })),
    brighter: choice("Takes the", { false: "darker pixels", true: "brighter pixels" }, (value) =>
      set({ brighter: value === "true" }),
    ),
    cut: slider("Threshold of the last lasso", { min: 0, max: 65535, step: 1 }, String, (cut) =>
      set({ cut }),
    ),
    smallest: slider(
      "Specks are below",
      { min: 2, max: 2000, step: 1 },
      (value) => `${value} px`,
      (smallest) => set({ smallest }),
    ),
    opacity: slider("Opacity", share, percent, (opacity) => set({ opacity })),
    window: slider("Window", { min: 1, max: 65535, step: 1 }, String, (window) => set({ window })),
    level: slider("Level", { min: 0, max: 65535, step: 1 }, String, (level) => set({ level })),
    gamma: slider(
      "Gamma",
      { min: 0.2, max: 4, step: 0.05 },
      (value) => value.toFixed(2),
      (gamma) => set({ gamma }),
    ),
    map: choice("Colours", { cividis: "cividis", viridis: "viridis", magma: "magma" }, (map) =>
      set({ map: /** @type {Settings["map"]} */ (map) }),
    ),
  };
}

/**
 * Whether a button is down; null if it is not one that stays down.
 * @param {Command} command
 * @param {State} state
 */
function pressedOf(command, { tool, layer, subtract, settings }) {
  if (COMMANDS.Tools.includes(command)) return command === tool;
  if (LAYERS.has(command)) return command === layer;
  if (command === "hide") return layer === "hidden";
  if (command === "outline") return settings.outline;
  if (command === "subtract") return subtract;
  if (command === "protect") return settings.protect;
  return null;
}

/** @param {Key} row */
function titleOf(row) {
  return `${row.help ? `${row.label}: ${row.help}` : row.label} (${keysInWords(row)})`;
}

/**
 * @param {string} name
 * @param {...HTMLElement} children
 */
function group(name, ...children) {
  const heading = element("span", { class: "heading", "aria-hidden": "true" }, name);
  const attributes = { class: `group ${name.toLowerCase()}`, role: "group", "aria-label": name };
  return element("div", attributes, heading, ...children);
}
