"""The editor on a large image in a headless Chromium: frames, input to paint, opening, handing in."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import requests
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.service.running import serving
from benchmarks.service.workspace import DATASET, add_champion, make_workspace, queue_masks
from icefloe.typing import FloatArray, MaskArray

SIDE, RADIUS = 4096, 40
CELL = SIDE // 3
WINDOW = {"width": 1280, "height": 800}
STEPS = 240
"""Frames of a movement that is measured."""

SMOOTH_MS = 20.0
"""A frame that comes later than this after the one before is one that people see stutter."""

PROBE = Path(__file__).with_name("probe.js")
ZOOMS = {"fit": ("Home",), "100 %": ("End",), "400 %": ("End", "+", "+", "+", "+")}


@dataclass(frozen=True)
class Motion:
    """How smoothly something moved.

    Attributes
    ----------
    frames_per_s
        Mean rate.
    smooth
        Share of frames at most `SMOOTH_MS` after the one before.
    paint_p95_ms
        95 % of inputs were in a frame that was ready to be shown after at most so many ms; NaN where none was
        measured.
    n_frames
        Frames that were looked at.
    """

    frames_per_s: float
    smooth: float
    paint_p95_ms: float
    n_frames: int

    @classmethod
    def of(cls, frames_ms: list[float], paints_ms: list[float]) -> "Motion":
        """From the times of the frames, and from each input to its frame."""
        apart = np.diff(frames_ms)
        paint = float(np.percentile(paints_ms, 95)) if paints_ms else float("nan")
        return cls(1000 / float(apart.mean()), float((apart <= SMOOTH_MS).mean()), paint, len(apart))


@dataclass(frozen=True)
class EditorSpeed:
    """What was measured.

    Attributes
    ----------
    empty
        An empty page, before and after: what this machine's browser can do at all.
    strokes, pan, window
        Brush strokes at each zoom; panning and the slider of the window at 100 %.
    unknown_s
        From the address to the first picture where the browser has never been.
    first_s, all_s
        The same where it has the scripts already; and to all of the picture: image, mask and maps.
    accept_s
        From Enter to the service's receipt.
    undo_steps, undo_bytes
        Steps that can be undone after a hundred strokes, and the memory they take.
    canvas
        Width and height of the picture on the screen, px.
    """

    empty: tuple[Motion, Motion]
    strokes: dict[str, Motion]
    pan: Motion
    window: Motion
    unknown_s: float
    first_s: float
    all_s: float
    accept_s: float
    undo_steps: int
    undo_bytes: int
    canvas: tuple[int, int]

    def busy(self) -> str | None:
        """Why these numbers say nothing of the editor: even an empty page stutters on this machine now."""
        return why_busy(self.empty)


def why_busy(empty: tuple[Motion, Motion]) -> str | None:
    """What to say where even an empty page, before and after, stutters; None where it does not."""
    worst = min(empty, key=lambda motion: motion.smooth)
    if worst.frames_per_s >= 59 and worst.smooth >= 0.98:
        return None
    return (
        f"This machine is too busy: even an empty page runs at {worst.frames_per_s:.0f} frames/s, "
        f"{100 * worst.smooth:.0f} % of them smooth. Measure again when it is quiet."
    )


def picture(mask: MaskArray) -> FloatArray:
    """Bright crystals in a camera's noise; uint16, shape (SIDE, SIDE)."""
    rng = np.random.default_rng(0)
    counts = 900 + 700 * mask.astype(np.float32)
    return (counts + np.sqrt(counts) * rng.standard_normal((SIDE, SIDE), np.float32)).astype(np.uint16)


def crystals(seed: int) -> MaskArray:
    """Nine crystals with rough edges; uint8, shape (SIDE, SIDE)."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((3, CELL, 3, CELL), np.uint8)
    rows, columns = np.indices((CELL, CELL), np.float32) - CELL / 2
    angles, distances = np.arctan2(rows, columns), np.hypot(rows, columns)
    waves = [np.cos(k * angles) for k in (2, 5, 31)]
    for y, x in np.ndindex(3, 3):
        edge = 420 + sum(rng.uniform(-40, 40) * wave for wave in waves)
        mask[y, :, x] = distances < edge
    return np.pad(mask.reshape(3 * CELL, 3 * CELL), (0, SIDE - 3 * CELL))


@contextmanager
def large_images() -> Iterator[str]:
    """A service whose queue has two large images, all prepared; its address."""
    with tempfile.TemporaryDirectory(prefix="icefloe-editor-") as scratch:
        masks = {f"large_{seed}": crystals(seed) for seed in (1, 2)}
        images = {stem: picture(mask) for stem, mask in masks.items()}
        settings = make_workspace(Path(scratch) / "workspace", images)
        add_champion(settings, size=256)
        queue = queue_masks(settings, masks)
        with serving(settings, workers=1, auth=False) as running:
            while requests.get(f"{running.url}/readyz", timeout=60).json()["champion"] is None:
                time.sleep(0.5)
            for stem in images:
                for part in ("pixels", "maps"):
                    _prepare(f"{running.url}/api/v1/images/{DATASET}/{stem}/{part}")
            yield running.url
        queue.database.close()


def _prepare(address: str) -> None:
    while requests.get(address, headers={"Prefer": "wait=20"}, timeout=120).status_code == 202:
        pass


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window or a GPU."""
    with sync_playwright() as playwright:
        path = os.environ.get("ICEFLOE_CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def measure_editor(browser: Browser, url: str) -> EditorSpeed:
    """Work on the first image of the queue, and hand it in."""
    context = browser.new_context(base_url=url, viewport=WINDOW)
    context.add_init_script(path=PROBE)
    page = context.new_page()
    before = empty_page(page)
    unknown, times = _opened(page), _opened(page)
    page.evaluate("document.querySelector('mask-editor').radius = " + str(RADIUS))
    strokes = {name: _stroke(page, keys) for name, keys in ZOOMS.items()}
    _look(page, ZOOMS["100 %"])
    pan = moved(page, _box(page), button="right")
    slider = page.get_by_label("Window", exact=True)
    slider.scroll_into_view_if_needed()
    window = moved(page, _flat(slider.bounding_box()))
    undo_steps, undo_bytes = _hundred_strokes(page)
    canvas = page.evaluate("(({width, height}) => [width, height])(document.querySelector('.picture'))")
    page.locator("mask-editor .stage").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => probe.times.received", timeout=60_000)
    accept_ms = page.evaluate("probe.times.received - probe.times.accepted")
    after = empty_page(page)
    context.close()
    return EditorSpeed(
        empty=(before, after),
        strokes=strokes,
        pan=pan,
        window=window,
        unknown_s=unknown["first"] / 1000,
        first_s=times["first"] / 1000,
        all_s=times["all"] / 1000,
        accept_s=accept_ms / 1000,
        undo_steps=undo_steps,
        undo_bytes=undo_bytes,
        canvas=tuple(canvas),
    )


def _opened(page: Page) -> dict[str, float]:
    """Times in ms from the address on."""
    page.goto("/label")
    page.wait_for_function("() => probe.times.all", timeout=120_000)
    times: dict[str, float] = page.evaluate("probe.times")
    return times


def empty_page(page: Page) -> Motion:
    """What this machine's browser can do at all."""
    page.goto("about:blank")
    return moved(page, {"x": 0, "y": 0, **WINDOW})


def _stroke(page: Page, keys: tuple[str, ...]) -> Motion:
    _look(page, keys)
    return moved(page, _box(page))


def _look(page: Page, keys: tuple[str, ...]) -> None:
    page.locator("mask-editor .stage").focus()
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_timeout(300)


def _box(page: Page) -> dict[str, float]:
    box = page.locator("mask-editor .picture").bounding_box()
    assert box is not None
    return box


def moved(page: Page, box: dict[str, float], button: str = "left") -> Motion:
    """Press, move to and fro through a box, and let go; how smooth that was."""
    corners = _zigzag(box)
    page.mouse.move(*corners[0])
    page.mouse.down(button=button)
    page.evaluate("probe.start()")
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=STEPS // (len(corners) - 1))
    found = page.evaluate("probe.stop()")
    page.mouse.up(button=button)
    return Motion.of(found["frames"], found["paints"])


def _flat(box: dict[str, float] | None) -> dict[str, float]:
    """The middle line of a slider's box, so that a movement stays on it."""
    assert box is not None
    return {**box, "y": box["y"] + box["height"] / 2, "height": 0}


def _zigzag(box: dict[str, float]) -> list[tuple[float, float]]:
    """Six corners, the ends of lines across most of a box."""
    left, width, top, height = box["x"], box["width"], box["y"], box["height"]
    return [(left + (0.2 + 0.6 * (n % 2)) * width, top + (0.25 + 0.1 * n) * height) for n in range(6)]


def _hundred_strokes(page: Page) -> tuple[int, int]:
    """Paint one class and another by turns, all over the image; steps that can be undone, and their bytes."""
    _look(page, ZOOMS["fit"])
    box = _box(page)
    rng = np.random.default_rng(0)
    for number in range(100):
        page.keyboard.press(str(number % 2))
        places = rng.uniform(0.1, 0.9, (4, 2)) * (box["width"], box["height"]) + (box["x"], box["y"])
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=3)
        page.mouse.up()
    steps, size = page.evaluate(
        "(({steps}) => [steps.length, steps.reduce((sum, step) => sum + step.runs.length, 0)])"
        "(document.querySelector('mask-editor').saveHistory())"
    )
    return steps, size
