/** What each command does. */

/** @import {Command} from "./keys.js" */
/** @import {Session} from "./session.js" */
/** @import {ToolName} from "./tools.js" */

import { IGNORE } from "./edited_mask.js";

const ZOOM = Math.SQRT2;

/** @type {Record<Command, (session: Session, chord: string) => void>} */
export const ACTIONS = {
  brush: choosing("brush"),
  eraser: choosing("eraser"),
  likely: choosing("likely"),
  polygon: choosing("polygon"),
  lasso: choosing("lasso"),
  cut: choosing("cut"),
  wand: choosing("wand"),
  livewire: choosing("livewire"),
  smaller: (session) => session.resizeBrush(false),
  larger: (session) => session.resizeBrush(true),
  class: (session, digit) => session.chooseClass(Number(digit)),
  ignore: (session) => session.chooseClass(IGNORE),
  subtract: ({ chosen }) => {
    chosen.subtract = !chosen.subtract;
  },
  protect: (session) => session.set({ protect: !session.settings.protect }),
  undo: (session) => session.undo(),
  redo: (session) => session.redo(),
  fillHoles: (session) => session.reshape("holes"),
  removeSpecks: (session) => session.reshape("specks"),
  grow: (session) => session.reshape("outerRim"),
  shrink: (session) => session.reshape("innerRim"),
  hide: (session) => session.sight.toggle("hidden"),
  outline: (session) => session.set({ outline: !session.settings.outline }),
  uncertainty: (session) => session.sight.toggle("uncertainty"),
  probability: (session) => session.sight.toggle("probability"),
  changes: (session) => session.sight.toggle("changes"),
  previousMask: (session) => session.sight.toggle("previousMask"),
  nextSpot: (session) => session.sight.nextSpot(),
  contrast: (session) => session.sight.autoContrast(),
  zoomIn: (session) => session.zoomTo(session.screen.view.zoom * ZOOM),
  zoomOut: (session) => session.zoomTo(session.screen.view.zoom / ZOOM),
  fit: (session) => session.sight.look((view) => view.fit()),
  fullSize: (session) => session.zoomTo(1),
  move: (session, chord) => move(session, chord, 1),
  moveFar: (session, chord) => move(session, chord, 10),
  hold: (session) => session.hold(),
  cancel: (session) => session.giveUp(),
  back: (session) => session.tool.back(),
  accept: (session) => {
    if (session.tool.begun) session.tool.finish();
    else session.emit("accept");
  },
  skip: (session) => session.emit("skip"),
  previousFrame: (session) => session.emit("neighbour", -1),
  nextFrame: (session) => session.emit("neighbour", 1),
  nextRegion: (session) => session.sight.nextRegion(),
  help: (session) => session.help(),
};

/** @param {ToolName} name */
function choosing(name) {
  return (/** @type {Session} */ session) => session.choose(name);
}

/**
 * @param {Session} session
 * @param {string} chord
 * @param {number} step image pixels
 */
function move(session, chord, step) {
  const [dx, dy] = { Left: [-1, 0], Right: [1, 0], Up: [0, -1], Down: [0, 1] }[
    /** @type {"Left" | "Right" | "Up" | "Down"} */ (chord.replace(/^.*Arrow/, ""))
  ];
  session.moveCursor(dx * step, dy * step);
}
