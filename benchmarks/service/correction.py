"""Correcting pre-segmentations with the editor's tools, by a script that knows the truth."""

import base64
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, FloatRect, Page
from skimage.measure import find_contours

from benchmarks.service.correction_tasks import (
    GOOD_DICE,
    MOST_STROKES,
    SIDE,
    WINDOW,
    Corrected,
    Task,
    dice,
    largest_error,
)
from benchmarks.service.hand import Hand
from benchmarks.service.running import serving
from benchmarks.service.workspace import make_workspace, queue_masks
from icefloe.active.queue import Queue
from icefloe.settings import Settings
from icefloe.typing import MaskArray

WHOLE = 0.96
"""Share of its canvas that the editor gives to an image seen whole."""


@contextmanager
def tasks_queued(tasks: list[Task]) -> Iterator[tuple[Settings, Queue]]:
    """A workspace whose queue has the tasks in their order: `particles_0`, and so on."""
    with tempfile.TemporaryDirectory(prefix="icefloe-correction-") as scratch:
        names = [f"particles_{number}" for number in range(len(tasks))]
        images = dict(zip(names, (task.image for task in tasks), strict=True))
        settings = make_workspace(Path(scratch) / "workspace", images)
        masks = (task.presegmentation for task in tasks)
        queue = queue_masks(settings, dict(zip(names, masks, strict=True)))
        yield settings, queue
        queue.database.close()


@contextmanager
def tasks_served(tasks: list[Task]) -> Iterator[tuple[str, Queue]]:
    """A service with the tasks in its queue; its address, and the queue."""
    with (
        tasks_queued(tasks) as (settings, queue),
        serving(settings, workers=1, auth=False) as running,
    ):
        yield running.url, queue


def correct_all(browser: Browser, url: str, tasks: list[Task]) -> list[Corrected]:
    """Correct the images of the queue one after the other, and hand each in."""
    context = browser.new_context(base_url=url, viewport=WINDOW)
    page = context.new_page()
    page.goto("/label")
    corrected = []
    for number, task in enumerate(tasks):
        page.locator("#why").get_by_text(f"particles_{number}:").wait_for(timeout=600_000)
        corrected.append(_correct(page, number, task))
    context.close()
    return corrected


def _correct(page: Page, seed: int, task: Task) -> Corrected:
    """Correct an image until it is good, and hand it in."""
    hand = Hand(page, seed, _picture(page), SIDE)
    if task.false:
        hand.press("r")  # removes the specks
        page.wait_for_function("() => document.querySelector('.stage[aria-busy]') === null")
    hand.press("l")
    for _ in range(MOST_STROKES):
        mask = _mask(page)
        if dice(mask, task.truth) >= GOOD_DICE:
            break
        region, erase = largest_error(mask, task.truth)
        outline = max(find_contours(np.pad(region, 1).astype(float), 0.5), key=len) - 1 + 0.5
        hand.draw(np.concatenate([outline[::4], outline[:1]]), held="Alt" if erase else None)
    mask = _mask(page)
    actions = page.evaluate("document.querySelector('mask-editor').actions") + 1
    with page.expect_response(lambda answer: answer.url.endswith("/label")) as receipt:
        hand.press("Enter")
    assert receipt.value.ok
    before, after = (dice(each, task.truth) for each in (task.presegmentation, mask))
    return Corrected(before, after, actions, hand.script_s, hand.person_s, mask)


def _picture(page: Page) -> FloatRect:
    """Where the image is on the screen, seen whole."""
    box = page.locator("mask-editor .picture").bounding_box()
    assert box is not None
    side = WHOLE * min(box["width"], box["height"])
    left, top = box["x"] + (box["width"] - side) / 2, box["y"] + (box["height"] - side) / 2
    return {"x": left, "y": top, "width": side, "height": side}


def _mask(page: Page) -> MaskArray:
    values = page.evaluate(
        "(() => { let text = ''; const {mask} = document.querySelector('mask-editor');"
        " for (let i = 0; i < mask.length; i += 8192)"
        " text += String.fromCharCode(...mask.subarray(i, i + 8192)); return btoa(text); })()"
    )
    return np.frombuffer(base64.b64decode(values), np.uint8).reshape(SIDE, SIDE)
