/** One image segmented by two versions. */
import { act, call, onSubmit } from "../client.js";
import { draw, grey, map, outline } from "../viewer/pictures.js";

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("two-masks"));
const LARGEST = { std: "white stands for 0.5", probability: "white stands for 1" };

/** Offer the images of the dataset that is chosen. */
async function listImages() {
  const { dataset, stem } = fields();
  const images = await call("GET", `/datasets/${encodeURIComponent(dataset.value)}/images`);
  stem.replaceChildren(...images.map((/** @type {{stem: string}} */ image) => new Option(image.stem)));
}

function fields() {
  const elements = /** @type {HTMLFormElement} */ (form).elements;
  const field = (/** @type {string} */ name) => /** @type {HTMLSelectElement} */ (elements.namedItem(name));
  return { dataset: field("dataset"), stem: field("stem") };
}

/**
 * Draw what a figure's version makes of an image, and say it in numbers.
 * @param {HTMLElement} figure
 * @param {string} image path below /api/v1
 * @param {string} shown
 */
async function show(figure, image, shown) {
  const version = figure.dataset.version ?? "";
  const canvas = /** @type {HTMLCanvasElement} */ (figure.querySelector("canvas"));
  const caption = /** @type {HTMLElement} */ (figure.querySelector("span"));
  caption.textContent = "segmenting";
  if (shown === "outline") {
    const [ground, mask] = await Promise.all([grey(image), map(image, "mask", version)]);
    draw(canvas, [ground, outline(mask, 2)]);
  } else {
    draw(canvas, [await map(image, shown, version)]);
  }
  const about = await call("GET", `${image}/maps?version=${encodeURIComponent(version)}`);
  const scale = LARGEST[/** @type {keyof typeof LARGEST} */ (shown)];
  const uncertainty =
    about.scores.uq_mean == null
      ? "of one member, no uncertainty"
      : `mean uncertainty ${about.scores.uq_mean.toFixed(4)}`;
  caption.textContent = [uncertainty, scale].filter(Boolean).join("; ");
}

if (form) {
  fields().dataset.addEventListener("change", () => act(fields().dataset, listImages));
  act(fields().dataset, listImages);
  onSubmit("two-masks", async ({ dataset, stem, shown }) => {
    const image = `/images/${encodeURIComponent(dataset ?? "")}/${encodeURIComponent(stem ?? "")}`;
    const pictures = /** @type {HTMLElement} */ (document.getElementById("pictures"));
    pictures.hidden = false;
    const figures = /** @type {HTMLElement[]} */ ([...pictures.querySelectorAll("figure")]);
    const shows = figures.map((figure) => show(figure, image, shown ?? ""));
    await Promise.all(shows).catch((error) => {
      pictures.hidden = true;
      throw error;
    });
  });
}
