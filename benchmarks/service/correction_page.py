"""The page of corrections."""

from pathlib import Path

import numpy as np

from benchmarks.service.correction import (
    DRAW_PX_PER_S,
    GOOD_DICE,
    KEY_S,
    POINT_S,
    SIDE,
    THINK_S,
    Corrected,
    Task,
    correct_all,
    make_task,
    tasks_served,
)
from benchmarks.service.editor import chromium
from benchmarks.service.page import write_page
from icefloe.tables import Table

N_IMAGES = 20

ABOUT = f"""\
{N_IMAGES} simulated micrographs of nanoparticles, {SIDE} x {SIDE} pixels. Their pre-segmentations miss
particles, have specks and particles that are none, and borders in the wrong place. A script that knows the
truth corrects them with the editor's own tools, mouse and keys, in a headless Chromium: *R* removes the
specks, the lasso adds and (with Alt) takes away, each time around the largest error, until Dice is at least
{GOOD_DICE}; Enter hands the mask in. The aim is 20 s an image."""

NOTES = f"""\
*Actions* are the editor's own count of strokes and keys. *Script* is the time from the picture to the
service's receipt, as it was. *Person* is what a person's hands and mind would take by the keystroke-level
model: {KEY_S} s a key, {POINT_S} s to point, {THINK_S} s to make up one's mind before each, and
{DRAW_PX_PER_S:.0f} screen pixels a second along an outline. The same in Label Studio was not measured yet."""


def measure_corrections() -> Path:
    """Correct all images, and write the page; its path."""
    tasks = [make_task(seed) for seed in range(N_IMAGES)]
    with tasks_served(tasks) as (url, _), chromium() as browser:
        corrected = correct_all(browser, url, tasks)
    rows = [_row(str(n), task, done) for n, (task, done) in enumerate(zip(tasks, corrected, strict=True), 1)]
    numbers = [key for key in rows[0] if key != "image"]
    for name, summary in (("median", np.median), ("most", np.max)):
        rows.append(
            {"image": name, **{key: float(summary([row[key] for row in rows[:N_IMAGES]])) for key in numbers}}
        )
    formats = dict.fromkeys(numbers, ".0f") | {"Dice before": ".3f", "Dice after": ".3f"}
    formats |= {"script, s": ".1f", "person, s": ".1f"}
    command = "python -m benchmarks.service correction"
    return write_page("correction", "Correcting masks", command, ABOUT, [Table.of(rows, formats)], NOTES)


def _row(image: str, task: Task, done: Corrected) -> dict[str, object]:
    return {
        "image": image,
        "missed": task.missed,
        "false": task.false,
        "borders": task.borders,
        "Dice before": done.before,
        "Dice after": done.after,
        "actions": done.actions,
        "script, s": done.script_s,
        "person, s": done.person_s,
    }
