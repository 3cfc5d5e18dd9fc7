"""The same corrections in Label Studio, with its brush and eraser, and back into the queue."""

import math
from dataclasses import replace

import numpy as np
from playwright.sync_api import Browser, Page, Response

from benchmarks.service.correction import tasks_queued
from benchmarks.service.correction_tasks import (
    GOOD_DICE,
    MOST_STROKES,
    SIDE,
    WINDOW,
    Corrected,
    Region,
    Task,
    dice,
    largest_error,
)
from benchmarks.service.hand import Hand
from benchmarks.service.label_studio import EMAIL, KEY, PASSWORD
from benchmarks.service.strokes import ENOUGH, Stroke, stroke
from icefloe.active.exchange.brush import decode_brush
from icefloe.active.uploads import decode_png
from icefloe.typing import MaskArray
from icefloe.workflow.labels import pull_labels, push_labels
from studies.kit.keystrokes import DRAW_PX_PER_S, KEY_S, THINK_S

PATIENCE_MS = 300_000
SIZE_STEP, SIZES = 5, (1, 50)
"""Of Label Studio's brush and eraser, screen pixels across."""

# What is open and ready to be worked on: the page's own state, since a canvas has nothing to ask for.
_OPEN = """stem => {
  const shown = window.Htx?.annotationStore?.selected;
  return shown && !Htx.isLoading && Htx.task?.dataObj?.stem === stem && shown.regions.length > 0
    && shown.regions.every(region => region.isReady)
    && [...shown.names.values()].every(tag => tag.type !== "image" || tag.stageWidth > 1);
}"""
_RESULT = "() => Htx.annotationStore.selected.serializeAnnotation()"
_TOOLS = """() => {
  const image = [...Htx.annotationStore.selected.names.values()].find(tag => tag.type === "image");
  const tools = image.getToolsManager();
  return { width: image.stageWidth, height: image.stageHeight, tool: tools.findSelectedTool()?.toolName,
    sizes: Object.fromEntries(tools.allTools().map(tool => [tool.toolName, tool.strokeWidth])) };
}"""


KEYS = {"BrushTool": "b", "EraserTool": "e"}


def correct_in_label_studio(browser: Browser, url: str, tasks: list[Task]) -> list[Corrected]:
    """Push the tasks to a running Label Studio, correct them there, and pull them: these are the masks."""
    with tasks_queued(tasks) as (settings, queue):
        title = f"Corrections {settings.workspace.parent.name[-8:]}"
        pushed = push_labels(settings, url, KEY, title)
        corrected = _correct_all(browser, pushed.url, tasks)
        pulled = pull_labels(settings, url, KEY, title)
        masks = {queue.item(label.item_id).stem: decode_png(label.png) for label in pulled.labels}
    ordered = [masks[f"particles_{number}"] for number in range(len(tasks))]
    return [
        replace(done, after=dice(mask, task.truth), mask=mask)
        for done, mask, task in zip(corrected, ordered, tasks, strict=True)
    ]


def _correct_all(browser: Browser, project_url: str, tasks: list[Task]) -> list[Corrected]:
    """Label all tasks of a project one after the other, and submit each."""
    context = browser.new_context(viewport=WINDOW)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(project_url.partition("/projects/")[0] + "/user/login/")
    page.locator("[name=email]").fill(EMAIL)
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda address: "/login" not in address)
    page.goto(f"{project_url}/data?labeling=1")
    corrected = []
    for number, task in enumerate(tasks):
        page.wait_for_function(_OPEN, arg=f"particles_{number}")
        corrected.append(_LabelStudioHand(page, number).correct(task))
    context.close()
    return corrected


class _LabelStudioHand(Hand):
    """A hand that knows Label Studio's keys."""

    def __init__(self, page: Page, seed: int) -> None:
        # The image is in the upper left corner of its canvas.
        corner, shown = page.locator(".konvajs-content").bounding_box(), page.evaluate(_TOOLS)
        assert corner is not None
        super().__init__(page, seed, {**corner, "width": shown["width"], "height": shown["height"]}, SIDE)
        self._tool: str | None = shown["tool"]
        self._sizes: dict[str, int] = shown["sizes"]

    def correct(self, task: Task) -> Corrected:
        """Correct an image until it is good, and submit it."""
        before = dice(task.presegmentation, task.truth)
        self.press("Alt+.")  # chooses the region, so that strokes add to it and take from it
        for _ in range(MOST_STROKES):
            mask = self._mask()
            if dice(mask, task.truth) >= GOOD_DICE:
                break
            region, erase = largest_error(mask, task.truth)
            self._mend(region, task.truth == (not erase), "EraserTool" if erase else "BrushTool")
        mask = self._mask()
        with self.page.expect_response(_submits) as receipt:
            self.press("Control+Enter")
        assert receipt.value.ok
        return Corrected(before, dice(mask, task.truth), self.actions, self.script_s, self.person_s, mask)

    def _mend(self, region: Region, allowed: Region, tool: str) -> None:
        """Mend an error with the size of brush or eraser that takes the least time, if it covers enough."""
        if self._tool != tool:
            self.press(KEYS[tool])
            self._tool = tool
        strokes = {}
        for steps, size in _reachable(self._sizes[tool]).items():
            found = stroke(region, allowed, size / 2 / self.zoom)
            if found is not None:
                strokes[steps] = found
        most = max(one.covers for one in strokes.values())
        steps, best = min(
            ((steps, one) for steps, one in strokes.items() if one.covers >= ENOUGH * most), key=self._seconds
        )
        if steps:
            self.press("]" if steps > 0 else "[", abs(steps))
            self._sizes[tool] = _reachable(self._sizes[tool])[steps]
        self.draw(best.line)

    def _seconds(self, choice: tuple[int, Stroke]) -> float:
        steps, one = choice
        return (THINK_S + abs(steps) * KEY_S if steps else 0) + one.length * self.zoom / DRAW_PX_PER_S

    def _mask(self) -> MaskArray:
        """What Label Studio would submit now."""
        mask = np.zeros((SIDE, SIDE), np.uint8)
        for region in self.page.evaluate(_RESULT):
            mask[decode_brush(region["value"]["rle"], mask.shape, "Label Studio")] = 1
        return mask


def _reachable(size: int) -> dict[int, int]:
    """Sizes by how often one makes the tool larger, or (below 0) smaller."""
    smallest, largest = SIZES
    fewest, most = -math.ceil((size - smallest) / SIZE_STEP), math.ceil((largest - size) / SIZE_STEP)
    return {steps: min(max(size + SIZE_STEP * steps, smallest), largest) for steps in range(fewest, most + 1)}


def _submits(answer: Response) -> bool:
    return answer.request.method == "POST" and "/annotations" in answer.url
