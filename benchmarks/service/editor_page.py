"""The page of the editor's speed."""

from pathlib import Path

from benchmarks.service.editor import RADIUS, SIDE, SMOOTH_MS, EditorSpeed, Motion, chromium, large_images
from benchmarks.service.editor import measure_editor as measure
from benchmarks.service.page import write_page
from icefloe.tables import Table

ABOUT = f"""\
One image of {SIDE} x {SIDE} pixels and 16 bit in the editor, brush radius {RADIUS} px, in a headless Chromium
without GPU, driven by mouse and keys. The service, its worker and the browser share the machine."""

NOTES = f"""\
*Smooth*: share of frames at most {SMOOTH_MS:.0f} ms after the one before. *Input to paint*: from a pointer
event's time stamp until the frame that shows it is painted, 95 % of them. *Empty page*: the same movement
where nothing is to be done; where that stutters, the machine was busy and the rest says little. The image and
its maps were prepared; a worker that has to prepare them first takes some seconds more."""


def measure_editor() -> Path:
    """Measure, and write the page; its path."""
    with large_images() as url, chromium() as browser:
        speed = measure(browser, url)
    movements = {
        "empty page, before": (speed.empty[0], None),
        **{
            f"strokes at {zoom}": (motion, "58 frames/s, 95 % smooth, 34 ms")
            for zoom, motion in speed.strokes.items()
        },
        "pan at 100 %": (speed.pan, "50 frames/s"),
        "window at 100 %": (speed.window, "50 frames/s"),
        "empty page, after": (speed.empty[1], None),
    }
    rows = [_row(name, motion, floor) for name, (motion, floor) in movements.items()]
    tables = [
        Table.of(rows, {"frames/s": ".1f", "smooth, %": ".1f", "input to paint, ms": ".0f"}),
        _times(speed),
    ]
    width, height = speed.canvas
    notes = f"The picture is {width} x {height} px on the screen. {NOTES}"
    busy = speed.busy()
    if busy is not None:
        notes += f"\n\n**{busy}**"
    return write_page(
        "editor", "The editor's speed", "python -m benchmarks.service editor", ABOUT, tables, notes
    )


def _row(name: str, motion: Motion, floor: str | None) -> dict[str, object]:
    return {
        "movement": name,
        "frames/s": motion.frames_per_s,
        "smooth, %": 100 * motion.smooth,
        "input to paint, ms": motion.paint_p95_ms,
        "wanted": floor,
    }


def _times(speed: EditorSpeed) -> Table:
    mebibytes = speed.undo_bytes / 2**20
    return Table.of(
        [
            {"what": "first picture", "measured": f"{speed.first_s:.2f} s", "wanted": "1 s"},
            {"what": "the same on the first visit", "measured": f"{speed.unknown_s:.2f} s", "wanted": "–"},
            {"what": "all: image, mask and maps", "measured": f"{speed.all_s:.2f} s", "wanted": "3 s"},
            {
                "what": "mask accepted, encoded and acknowledged",
                "measured": f"{speed.accept_s:.2f} s",
                "wanted": "1 s",
            },
            {
                "what": f"{speed.undo_steps} steps that can be undone",
                "measured": f"{mebibytes:.1f} MiB",
                "wanted": "64 MiB",
            },
        ]
    )
