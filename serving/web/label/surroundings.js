/** What helps to label an image: maps of what the ensemble thinks, and the other frames of its series. */

/** @import {MaskEditor} from "../editor/editor.js" */
/** @import {Item} from "./work.js" */

import { imagePath } from "../ask.js";
import { call, say } from "../client.js";
import { readPicture, readPixels } from "./service.js";

export class Surroundings {
  #editor;
  #item;
  /** Frames that what is seen is away from the image, in its series. */
  #away = 0;
  #gone = false;

  /**
   * @param {MaskEditor} editor in which the item's image is open
   * @param {Item} item
   */
  constructor(editor, item) {
    this.#editor = editor;
    this.#item = item;
  }

  /** Another image is open now: what still comes is not for it. */
  leave() {
    this.#gone = true;
  }

  /** What the ensemble thinks of the image, once a worker has it; work goes on without. */
  async addMaps() {
    const { dataset, stem, without_presegmentation } = this.#item;
    if (without_presegmentation) return;
    const ready = await (await fetch("/readyz")).json();
    if (!ready.champion) return;
    const path = `${imagePath(dataset, stem)}/maps`;
    const [probability, uncertainty] = await Promise.all([
      readPicture(`${path}/probability`),
      readPicture(`${path}/std`),
    ]);
    if (this.#gone || !probability || !uncertainty) return;
    this.#editor.addMaps({ probability: probability.values, uncertainty: uncertainty.values });
  }

  /** The mask of the series' previous labelled frame, where it has the image's size. */
  async addPrevious() {
    const { dataset, stem, height, width } = this.#item;
    const series = await this.#series();
    const here = series.findIndex((image) => image.stem === stem);
    const labelled = series.slice(0, Math.max(here, 0)).findLast((image) => image.is_labelled);
    if (!labelled) return;
    const mask = await readPicture(`${imagePath(dataset, labelled.stem)}/label`);
    if (this.#gone || mask?.values.length !== height * width) return;
    this.#editor.addMaps({ previousMask: mask.values });
  }

  /**
   * Show the frame before or behind the one that is seen; back at the image, it can be painted again.
   * @param {number} step
   */
  async showNeighbour(step) {
    const { dataset, stem, height, width } = this.#item;
    const series = await this.#series();
    const here = series.findIndex((image) => image.stem === stem);
    const shown = series[here + this.#away + step];
    if (!shown) {
      say(`The series has no frame ${step < 0 ? "before" : "behind"} this one.`);
      return;
    }
    this.#away += step;
    if (this.#away === 0) {
      this.#editor.glance(null);
      say(`This is ${stem} again, the image to label.`);
      return;
    }
    const plane = await readPixels(dataset, shown.stem);
    if (this.#gone) return;
    if (plane.height !== height || plane.width !== width) {
      say(`${shown.stem} has another size, so it cannot be laid under this mask.`);
      return;
    }
    this.#editor.glance(plane.pixels);
    say(`This is ${shown.stem}, a frame to compare with.`);
  }

  /** @returns {Promise<{stem: string, is_labelled: boolean}[]>} */
  #series() {
    return call("GET", `/datasets/${encodeURIComponent(this.#item.dataset)}/images`);
  }
}
