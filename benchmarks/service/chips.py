"""The few-shot page in a headless Chromium: frames while a grid is dragged, and a rubber band over chips."""

import io
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tifffile
from playwright.sync_api import CDPSession, Page

from benchmarks.service.editor import PROBE, Motion, empty_page, moved, why_busy

SIDE, EDGE = 1024, 22
"""Of the image and its chips: 46 x 46 of them."""

SEND = """async (content) => {
    const body = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
    const sent = await fetch("/api/v1/fewshot/images?name=speed.tif", {method: "POST", body});
    const {dataset, stem} = await sent.json();
    const headers = {"Content-Type": "application/json"};
    const asked = {method: "POST", headers, body: JSON.stringify({dataset, stem})};
    return (await (await fetch("/api/v1/fewshot/sessions", asked)).json()).id;
}"""


@dataclass(frozen=True)
class ChipSpeed:
    """What was measured.

    Attributes
    ----------
    empty
        An empty page, before and after.
    drag, slider, band
        The grid dragged, the slider of its edge, and a rubber band.
    cpu_ms
        Of each of these, processor time of the page's process a frame; of an empty page, too.
    n_chips
        Chips of the grid.
    """

    empty: tuple[Motion, Motion]
    drag: Motion
    slider: Motion
    band: Motion
    cpu_ms: dict[str, float]
    n_chips: int

    def busy(self) -> str | None:
        """Why these numbers say nothing of the page: even an empty one stutters on this machine now."""
        return why_busy(self.empty)


def measure_chips(page: Page) -> ChipSpeed:
    """Place a grid of 2,116 chips on an image, and choose chips of it.

    Parameters
    ----------
    page
        Of somebody who may label, on a service with a worker.
    """
    page.add_init_script(path=PROBE)
    processor = page.context.new_cdp_session(page)
    processor.send("Performance.enable")
    cpu_ms: dict[str, float] = {}

    def measured(name: str, move: Callable[[], Motion]) -> Motion:
        before = _process_seconds(processor)
        motion = move()
        frames = max(motion.n_frames, 1)
        cpu_ms[name] = 1000 * (_process_seconds(processor) - before) / frames
        return motion

    before = measured("empty", lambda: empty_page(page))
    number = _begun(page)
    page.goto(f"/fewshot?session={number}")
    page.locator("#suggest").wait_for(timeout=180_000)
    page.locator("#edge").fill(str(EDGE))
    page.wait_for_timeout(500)
    drag = measured("drag", lambda: moved(page, _stage(page)))
    slider = measured("slider", lambda: moved(page, _line(page, "#edge-slider")))
    page.locator("#edge").fill(str(EDGE))
    page.get_by_role("button", name="Use this grid").click()
    page.get_by_label("New set").fill("one")
    page.keyboard.press("Enter")
    page.get_by_text("The chips are embedded.").wait_for(timeout=180_000)
    band = measured("band", lambda: moved(page, _stage(page)))
    session = page.evaluate(f"fetch('/api/v1/fewshot/sessions/{number}').then((answer) => answer.json())")
    after = empty_page(page)
    return ChipSpeed((before, after), drag, slider, band, cpu_ms, session["grid"]["n_chips"])


def _begun(page: Page) -> int:
    """The number of a session on an image of noise."""
    page.goto("/fewshot")
    rng = np.random.default_rng(0)
    file = io.BytesIO()
    tifffile.imwrite(file, rng.normal(20_000, 3_000, (SIDE, SIDE)).astype(np.uint16))
    return int(page.evaluate(SEND, b64encode(file.getvalue()).decode()))


def _stage(page: Page) -> dict[str, float]:
    box = page.locator("chip-view .picture").bounding_box()
    assert box is not None
    return dict(box)


def _line(page: Page, selector: str) -> dict[str, float]:
    """The middle line of a slider."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    return {**box, "y": box["y"] + box["height"] / 2, "height": 0}


def _process_seconds(processor: CDPSession) -> float:
    metrics = processor.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "ProcessTime"))
