/** All tools, by name. */

/** @import {Bench} from "./tool.js" */

import { Brush, Eraser, ProbabilityBrush } from "./brushes.js";
import { Lasso, Livewire, Polygon, ThresholdLasso } from "./outlines.js";
import { Wand } from "./wand_tool.js";

/** @typedef {keyof ReturnType<typeof toolsOn>} ToolName */

/**
 * One of each tool.
 * @param {Bench} bench
 */
export function toolsOn(bench) {
  return {
    brush: new Brush(bench),
    eraser: new Eraser(bench),
    likely: new ProbabilityBrush(bench),
    polygon: new Polygon(bench),
    lasso: new Lasso(bench),
    cut: new ThresholdLasso(bench),
    wand: new Wand(bench),
    livewire: new Livewire(bench),
  };
}

/** Tools whose size is the brush's. */
export const BRUSHES = new Set(["brush", "eraser", "likely"]);
