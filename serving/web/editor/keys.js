/** One table of what keys do: behaviour, button labels and the list of keys all come from it. */

/**
 * @typedef {object} Key
 * @property {string} command what the editor does
 * @property {readonly string[]} keys chords as `chord` writes them
 * @property {string} label of its button, and its name in the list
 * @property {string} group heading in the list
 * @property {string} [shown] the keys in words, where a list would be long
 * @property {string} [help] more than the label says
 */

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];

const TABLE = /** @type {const} @satisfies {readonly Key[]} */ ([
  { group: "Tools", command: "brush", keys: ["B"], label: "Brush" },
  { group: "Tools", command: "eraser", keys: ["E"], label: "Eraser", help: "so does any tool with Alt held" },
  {
    group: "Tools",
    command: "likely",
    keys: ["K"],
    label: "Probability brush",
    help: "paints where the model gives at least the threshold",
  },
  {
    group: "Tools",
    command: "polygon",
    keys: ["P"],
    label: "Polygon",
    help: "a corner a click; Enter or a double click closes it",
  },
  { group: "Tools", command: "lasso", keys: ["L"], label: "Lasso" },
  {
    group: "Tools",
    command: "cut",
    keys: ["T"],
    label: "Threshold lasso",
    help: "takes the brighter or the darker pixels in it",
  },
  {
    group: "Tools",
    command: "wand",
    keys: ["W"],
    label: "Wand",
    help: "drag away from the start for more tolerance",
  },
  {
    group: "Tools",
    command: "livewire",
    keys: ["G"],
    label: "Live-wire",
    help: "follows edges; Enter or a double click closes it",
  },
  { group: "Tools", command: "smaller", keys: ["["], label: "Smaller brush", help: "or Alt and wheel" },
  { group: "Tools", command: "larger", keys: ["]"], label: "Larger brush", help: "or Alt and wheel" },
  { group: "Classes", command: "class", keys: DIGITS, shown: "1 to 9", label: "Paint this class" },
  { group: "Classes", command: "ignore", keys: ["0"], label: "Ignore", help: "pixels that nobody can tell" },
  {
    group: "Classes",
    command: "subtract",
    keys: ["I"],
    label: "Take away",
    help: "every tool takes the class away instead",
  },
  {
    group: "Classes",
    command: "protect",
    keys: ["X"],
    label: "Protect others",
    help: "other classes cannot be overwritten",
  },
  { group: "Change", command: "undo", keys: ["Ctrl+Z"], label: "Undo" },
  { group: "Change", command: "redo", keys: ["Ctrl+Shift+Z", "Ctrl+Y"], label: "Redo" },
  { group: "Change", command: "fillHoles", keys: ["F"], label: "Fill holes" },
  {
    group: "Change",
    command: "removeSpecks",
    keys: ["R"],
    label: "Remove specks",
    help: "regions smaller than the size set",
  },
  { group: "Change", command: "grow", keys: ["M"], label: "Grow", help: "by one pixel" },
  { group: "Change", command: "shrink", keys: ["Shift+M"], label: "Shrink", help: "by one pixel" },
  { group: "See", command: "hide", keys: ["H"], label: "Hide the mask", help: "while held" },
  { group: "See", command: "outline", keys: ["O"], label: "Outline", help: "or fill" },
  { group: "See", command: "uncertainty", keys: ["U"], label: "Uncertainty" },
  { group: "See", command: "probability", keys: ["Y"], label: "Probability" },
  { group: "See", command: "changes", keys: ["D"], label: "What I changed" },
  { group: "See", command: "previousMask", keys: ["V"], label: "Previous frame's mask" },
  { group: "See", command: "nextSpot", keys: ["N"], label: "Next uncertain spot" },
  { group: "See", command: "contrast", keys: ["C"], label: "Automatic contrast" },
  { group: "See", command: "zoomIn", keys: ["+", "="], label: "Zoom in", help: "or the wheel" },
  { group: "See", command: "zoomOut", keys: ["-"], label: "Zoom out", help: "or the wheel" },
  { group: "See", command: "fit", keys: ["Home"], label: "Whole image" },
  { group: "See", command: "fullSize", keys: ["End"], label: "100 %" },
  {
    group: "Without a mouse",
    command: "move",
    keys: ARROWS,
    shown: "Arrows",
    label: "Move the cursor",
    help: "a pixel",
  },
  {
    group: "Without a mouse",
    command: "moveFar",
    keys: ARROWS.map((key) => `Shift+${key}`),
    shown: "Shift and arrows",
    label: "Move the cursor far",
    help: "ten pixels",
  },
  { group: "Without a mouse", command: "hold", keys: ["Space"], label: "Put the tool down, or lift it" },
  { group: "Without a mouse", command: "cancel", keys: ["Escape"], label: "Give up what is begun" },
  { group: "Without a mouse", command: "back", keys: ["Backspace"], label: "Take the last corner back" },
  { group: "Images", command: "accept", keys: ["Enter"], label: "Accept", help: "and go to the next image" },
  { group: "Images", command: "skip", keys: ["S"], label: "Skip", help: "with a reason" },
  {
    group: "Images",
    command: "nextRegion",
    keys: ["J"],
    label: "Next region",
    help: "where only regions of an image are to be labelled",
  },
  { group: "Images", command: "previousFrame", keys: [","], label: "Frame before" },
  { group: "Images", command: "nextFrame", keys: ["."], label: "Frame after" },
  { group: "Images", command: "help", keys: ["?"], label: "Keys", help: "this list" },
]);

/** @typedef {(typeof TABLE)[number]["command"]} Command */

/** @type {readonly (Key & {command: Command})[]} */
export const KEYS = TABLE;

const COMMANDS = new Map(KEYS.flatMap(({ command, keys }) => keys.map((key) => [key, command])));

/**
 * What a chord does.
 * @param {string} chord
 * @returns {Command | undefined}
 */
export function commandOf(chord) {
  return COMMANDS.get(chord);
}

/**
 * The table's row of a command.
 * @param {Command} command
 * @returns {Key}
 */
export function keyOf(command) {
  const row = KEYS.find((key) => key.command === command);
  if (!row) throw new Error(`No key has the command ${command}.`);
  return row;
}

/**
 * The keys of a row, for people.
 * @param {Key} row
 * @returns {string}
 */
export function keysInWords({ shown, keys }) {
  return shown ?? keys.join(" or ");
}

/**
 * A key press in one way of writing: modifiers, then the key as printed on it.
 * @param {Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">} event
 * @returns {string}
 */
export function chord({ key, code, ctrlKey, metaKey, altKey, shiftKey }) {
  // French keyboards have digits on the shifted row.
  if (/^Digit\d$/.test(code) && !/[\d\]]/.test(key) && !(ctrlKey || metaKey || altKey || shiftKey))
    return code[5];
  const name = key === " " ? "Space" : key.length === 1 ? key.toUpperCase() : key;
  // Where a sign needs Shift or AltGr (Ctrl and Alt at once) is the keyboard's business.
  if (/^[^A-Z]$/.test(name))
    return (ctrlKey || metaKey) !== altKey ? `${altKey ? "Alt" : "Ctrl"}+${name}` : name;
  return `${ctrlKey || metaKey ? "Ctrl+" : ""}${altKey ? "Alt+" : ""}${shiftKey ? "Shift+" : ""}${name}`;
}
