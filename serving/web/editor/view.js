/** Which part of an image is seen, how large; screen lengths are in canvas pixels. */

/** @import {Point, Rect} from "./types.js" */

const MAX_ZOOM = 64;
/** Share of the canvas for a part of an image, the rest is for what lies around it. */
const PART = 0.7;

export class View {
  /** Canvas pixels an image pixel is across. */
  zoom = 1;
  /** Image position of the canvas's left upper corner. */
  left = 0;
  top = 0;
  screenWidth = 1;
  screenHeight = 1;
  /** Share of the canvas for an image that is seen whole. */
  #free;

  /**
   * @param {number} width of the image
   * @param {number} height
   * @param {number} [margin] share of the canvas that stays free on each side of an image that is seen whole
   */
  constructor(width, height, margin = 0) {
    this.width = width;
    this.height = height;
    this.#free = 1 - 2 * margin;
  }

  /** The zoom at which all of the image just fits. */
  get fitZoom() {
    const fits = Math.min(this.screenWidth / this.width, this.screenHeight / this.height);
    return Math.min(this.#free * fits, MAX_ZOOM);
  }

  /** Show all of the image. */
  fit() {
    this.zoom = this.fitZoom;
    this.centre({ x: this.width / 2, y: this.height / 2 });
  }

  /**
   * Show a part of the image, and something around it.
   * @param {Rect} rect
   */
  show({ left, top, right, bottom }) {
    const fits = Math.min(this.screenWidth / (right - left), this.screenHeight / (bottom - top));
    this.zoom = Math.min(PART * fits, MAX_ZOOM);
    this.centre({ x: (left + right) / 2, y: (top + bottom) / 2 });
  }

  /**
   * The canvas has another size; what was in its middle stays there.
   * @param {number} width
   * @param {number} height
   */
  resize(width, height) {
    const middle = this.toImage({ x: this.screenWidth / 2, y: this.screenHeight / 2 });
    this.screenWidth = width;
    this.screenHeight = height;
    this.centre(middle);
  }

  /**
   * Zoom so that the image stays where it is under a point.
   * @param {number} zoom
   * @param {Point} screen
   */
  zoomTo(zoom, screen) {
    const fixed = this.toImage(screen);
    this.zoom = Math.min(MAX_ZOOM, Math.max(Math.min(1, this.fitZoom) / 2, zoom));
    this.left = fixed.x - screen.x / this.zoom;
    this.top = fixed.y - screen.y / this.zoom;
    this.#keepInSight();
  }

  /**
   * Move the image along with the pointer.
   * @param {number} dx
   * @param {number} dy
   */
  pan(dx, dy) {
    this.left -= dx / this.zoom;
    this.top -= dy / this.zoom;
    this.#keepInSight();
  }

  /**
   * Put an image position into the middle.
   * @param {Point} point
   */
  centre({ x, y }) {
    this.left = x - this.screenWidth / 2 / this.zoom;
    this.top = y - this.screenHeight / 2 / this.zoom;
    this.#keepInSight();
  }

  /**
   * Pan no farther than needed to see an image position.
   * @param {Point} point
   * @returns {boolean} whether the view moved
   */
  reveal({ x, y }) {
    const { left, top } = this;
    this.left = Math.min(x, Math.max(left, x - this.screenWidth / this.zoom));
    this.top = Math.min(y, Math.max(top, y - this.screenHeight / this.zoom));
    return this.left !== left || this.top !== top;
  }

  /**
   * @param {Point} screen
   * @returns {Point}
   */
  toImage({ x, y }) {
    return { x: this.left + x / this.zoom, y: this.top + y / this.zoom };
  }

  /**
   * @param {Point} image
   * @returns {Point}
   */
  toScreen({ x, y }) {
    return { x: (x - this.left) * this.zoom, y: (y - this.top) * this.zoom };
  }

  /**
   * The canvas pixels that show a part of the image; one more all round, for outlines.
   * @param {Rect} rect
   * @returns {Rect}
   */
  screenRect({ left, top, right, bottom }) {
    const corner = this.toScreen({ x: left, y: top });
    const opposite = this.toScreen({ x: right, y: bottom });
    return {
      left: Math.floor(corner.x) - 1,
      top: Math.floor(corner.y) - 1,
      right: Math.ceil(opposite.x) + 1,
      bottom: Math.ceil(opposite.y) + 1,
    };
  }

  /** Which halving of the image to draw: 0 is the image itself. */
  get level() {
    return Math.max(0, Math.floor(-Math.log2(this.zoom)));
  }

  /** Some of the image is always in the middle of the canvas, so nobody loses it. */
  #keepInSight() {
    const across = this.screenWidth / this.zoom;
    const down = this.screenHeight / this.zoom;
    this.left = Math.min(this.width - across / 2, Math.max(-across / 2, this.left));
    this.top = Math.min(this.height - down / 2, Math.max(-down / 2, this.top));
  }
}

/**
 * A round length for a scale bar: 1, 2 or 5 times a power of ten.
 * @param {number} zoom canvas pixels an image pixel is across
 * @param {number | null} pixelSizeNm
 * @param {number} longest canvas pixels the bar may have
 * @returns {{length: number, text: string}} in canvas pixels, and what it stands for
 */
export function scaleBar(zoom, pixelSizeNm, longest) {
  const most = (longest / zoom) * (pixelSizeNm ?? 1);
  const power = 10 ** Math.floor(Math.log10(most));
  const size = power * [5, 2, 1].filter((digit) => digit * power <= most)[0];
  const length = (size / (pixelSizeNm ?? 1)) * zoom;
  if (pixelSizeNm === null) return { length, text: `${short(size)} px` };
  return { length, text: size >= 1000 ? `${short(size / 1000)} µm` : `${short(size)} nm` };
}

/** @param {number} value */
function short(value) {
  return String(Number(value.toPrecision(3)));
}
