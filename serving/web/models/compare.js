/** One image segmented by two versions. */
import { act, call, onSubmit } from "../client.js";
import { draw, grey, map, outline } from "./pictures.js";

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
 * Draw what one version makes of an image, and say it in numbers.
 * @param {Element} figure
 * @param {string} image path below /api/v1
 * @param {string} version
 * @param {string} shown
 */
async function show(figure, image, version, shown) {
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
    // Not form.dataset: the field of that name hides it.
    const versions = ["one", "two"].map((which) => form.getAttribute(`data-${which}`) ?? "");
    const figures = [...pictures.querySelectorAll("figure")];
    await Promise.all(figures.map((figure, n) => show(figure, image, versions[n] ?? "", shown ?? "")));
  });
}
