"""Correcting pre-segmentations with the editor's tools, by a script that knows the truth."""

import base64
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page
from scipy import ndimage
from skimage.draw import disk
from skimage.measure import find_contours

from benchmarks.service.running import serving
from benchmarks.service.workspace import make_workspace, queue_masks
from icefloe.active.queue import Queue
from icefloe.simulate.nanoparticles import NanoparticleSpec, simulate_nanoparticles
from icefloe.typing import MaskArray

SIDE = 512
GOOD_DICE = 0.99
WINDOW = {"width": 1280, "height": 800}
MOST_STROKES = 40

KEY_S, POINT_S, THINK_S = 0.28, 1.1, 1.35
"""A key, pointing, making up one's mind: the keystroke-level model (Card, Moran and Newell 1980)."""
DRAW_PX_PER_S = 300.0
"""Speed of a hand along an outline, screen pixels."""

Region = NDArray[np.bool_]


@dataclass(frozen=True)
class Task:
    """An image to correct.

    Attributes
    ----------
    image : uint16, shape (SIDE, SIDE)
    truth, presegmentation : uint8, shape (SIDE, SIDE)
        The right mask, and the one to begin with.
    missed, false, borders
        Particles that are missing, specks and particles that are none, and borders in the wrong place.
    """

    image: NDArray[np.uint16]
    truth: MaskArray
    presegmentation: MaskArray
    missed: int
    false: int
    borders: int


@dataclass(frozen=True)
class Corrected:
    """What came of a task.

    Attributes
    ----------
    before, after
        Dice of the pre-segmentation, and of the mask that was handed in.
    actions
        Strokes and keys, as the editor counts them.
    script_s
        From the first picture until the service had the mask, as the script took it.
    person_s
        The same for a person, by the keystroke-level model.
    mask : uint8, shape (SIDE, SIDE)
        That was handed in.
    """

    before: float
    after: float
    actions: int
    script_s: float
    person_s: float
    mask: MaskArray


def make_task(seed: int) -> Task:
    """Nanoparticles as somebody's network might segment them: some missed, some false, some borders wrong."""
    rng = np.random.default_rng(seed)
    spec = NanoparticleSpec(size_px=SIDE, coverage=0.12, radius_nm=8.0, spread=0.25)
    micrograph = simulate_nanoparticles(spec, rng)
    truth = micrograph.mask.astype(np.uint8)
    mask = truth.copy()
    labels, n_particles = ndimage.label(truth)
    chosen = rng.permutation(np.arange(1, n_particles + 1))[:4]
    n_missed = int(rng.integers(1, 3))
    for label in chosen[:n_missed]:
        mask[labels == label] = 0
    for label in chosen[n_missed:]:
        _move_border(mask, labels == label, rng)
    free = ndimage.distance_transform_edt((truth | mask) == 0)
    n_specks, n_false = int(rng.integers(2, 6)), int(rng.integers(0, 2))
    for radius in [2.5] * n_specks + [9.0] * n_false:
        places = np.argwhere(free > radius + 6)
        place = places[rng.integers(len(places))]
        mask[disk(place, radius, shape=mask.shape)] = 1
        free = np.minimum(free, np.hypot(*(np.indices(free.shape) - place[:, None, None])) - radius)
    borders = len(chosen) - n_missed
    return Task(micrograph.image, truth, mask, n_missed, n_specks + n_false, borders)


def _move_border(mask: MaskArray, particle: Region, rng: np.random.Generator) -> None:
    """Put one side of a particle's border some pixels in or out."""
    rows, columns = np.indices(mask.shape)
    row, column = ndimage.center_of_mass(particle)
    angle = rng.uniform(0, 2 * np.pi)
    side = (rows - row) * np.sin(angle) + (columns - column) * np.cos(angle) > 0
    steps = int(rng.integers(3, 6))
    if rng.random() < 0.5:
        mask[particle & side & ~ndimage.binary_erosion(particle, iterations=steps)] = 0
    else:
        mask[ndimage.binary_dilation(particle, iterations=steps) & side] = 1


@contextmanager
def tasks_served(tasks: list[Task]) -> Iterator[tuple[str, Queue]]:
    """A service whose queue has the tasks in their order; its address, and the queue."""
    with tempfile.TemporaryDirectory(prefix="icefloe-correction-") as scratch:
        names = [f"particles_{number}" for number in range(len(tasks))]
        images = dict(zip(names, (task.image for task in tasks), strict=True))
        settings = make_workspace(Path(scratch) / "workspace", images)
        masks = (task.presegmentation for task in tasks)
        queue = queue_masks(settings, dict(zip(names, masks, strict=True)))
        with serving(settings, workers=1, auth=False) as running:
            yield running.url, queue
        queue.database.close()


def correct_all(browser: Browser, url: str, tasks: list[Task]) -> list[Corrected]:
    """Correct the images of the queue one after the other, and hand each in."""
    context = browser.new_context(base_url=url, viewport=WINDOW)
    page = context.new_page()
    page.goto("/label")
    corrected = []
    for number, task in enumerate(tasks):
        page.locator("#why").get_by_text(f"particles_{number}:").wait_for(timeout=120_000)
        corrected.append(_Hand(page, number).correct(task))
    context.close()
    return corrected


class _Hand:
    """A hand at mouse and keys, and the time that a person's would take."""

    def __init__(self, page: Page, seed: int) -> None:
        self._page = page
        self._tremor = np.random.default_rng(seed)
        self._began = time.monotonic()
        self._person_s = 0.0
        box = page.locator("mask-editor .picture").bounding_box()
        assert box is not None
        self._zoom = min(box["width"], box["height"]) / SIDE
        self._corner = np.array(
            [
                box["y"] + (box["height"] - self._zoom * SIDE) / 2,
                box["x"] + (box["width"] - self._zoom * SIDE) / 2,
            ]
        )

    def correct(self, task: Task) -> Corrected:
        """Correct an image until it is good, and hand it in."""
        before = _dice(task.presegmentation, task.truth)
        if task.false:
            self._press("r")  # removes the specks
            self._page.wait_for_function("() => document.querySelector('.stage[aria-busy]') === null")
        self._press("l")
        for _ in range(MOST_STROKES):
            mask = self._mask()
            if _dice(mask, task.truth) >= GOOD_DICE:
                break
            self._mend(mask, task.truth)
        mask = self._mask()
        actions = self._page.evaluate("document.querySelector('mask-editor').actions") + 1
        with self._page.expect_response(lambda answer: answer.url.endswith("/label")) as receipt:
            self._press("Enter")
        assert receipt.value.ok
        script_s = time.monotonic() - self._began
        return Corrected(before, _dice(mask, task.truth), actions, script_s, self._person_s, mask)

    def _press(self, key: str) -> None:
        self._page.keyboard.press(key)
        self._person_s += THINK_S + KEY_S

    def _mask(self) -> MaskArray:
        values = self._page.evaluate(
            "(() => { let text = ''; const {mask} = document.querySelector('mask-editor');"
            " for (let i = 0; i < mask.length; i += 8192)"
            " text += String.fromCharCode(...mask.subarray(i, i + 8192)); return btoa(text); })()"
        )
        return np.frombuffer(base64.b64decode(values), np.uint8).reshape(SIDE, SIDE)

    def _mend(self, mask: MaskArray, truth: MaskArray) -> None:
        """Draw around the largest error: what is missing, or with Alt what is too much."""
        regions = [(truth & ~mask & 1).astype(bool), (mask & ~truth & 1).astype(bool)]
        found = [(region, erase) for region, erase in zip(map(_largest, regions), (False, True), strict=True)]
        region, erase = max(found, key=lambda one: one[0].sum())
        outline = max(find_contours(np.pad(region, 1).astype(float), 0.5), key=len) - 1 + 0.5
        outline = outline[::4] + self._tremor.normal(0, 0.3, outline[::4].shape)
        places = self._corner + outline * self._zoom
        if erase:
            self._page.keyboard.down("Alt")
            self._person_s += KEY_S
        mouse = self._page.mouse
        mouse.move(*places[0][::-1])
        mouse.down()
        for row, column in (*places[1:], places[0]):
            mouse.move(column, row)
        mouse.up()
        if erase:
            self._page.keyboard.up("Alt")
        length = float(np.hypot(*np.diff(places, axis=0).T).sum())
        self._person_s += THINK_S + POINT_S + length / DRAW_PX_PER_S


def _largest(region: Region) -> Region:
    labels, n_regions = ndimage.label(region)
    if n_regions == 0:
        return region
    largest: Region = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    return largest


def _dice(mask: MaskArray, truth: MaskArray) -> float:
    both = np.logical_and(mask == 1, truth == 1).sum()
    return float(2 * both / ((mask == 1).sum() + (truth == 1).sum()))
