"""The page of corrections."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.service.correction import correct_all, tasks_served
from benchmarks.service.correction_label_studio import correct_in_label_studio
from benchmarks.service.correction_tasks import GOOD_DICE, SIDE, Corrected, Task, dice, make_task, n_false
from benchmarks.service.editor import chromium
from benchmarks.service.label_studio import label_studio
from benchmarks.service.page import write_page
from icefloe.tables import Table
from studies.kit.keystrokes import DRAW_PX_PER_S, KEY_S, POINT_S, THINK_S

ABOUT = f"""\
{{n_images}} simulated micrographs of nanoparticles, {SIDE} x {SIDE} pixels. Their pre-segmentations miss
particles, have specks and particles that are none, and borders in the wrong place. A script that knows the
truth corrects them with the editor's own tools, mouse and keys, in a headless Chromium: *R* removes the
specks, the lasso adds and (with Alt) takes away, each time around the largest error, until Dice is at least
{GOOD_DICE}; Enter hands the mask in. The aim is 20 s an image."""

ABOUT_LABEL_STUDIO = """

The same images in Label Studio 1.23.2 itself, pushed there by `icefloe labels push`: *Alt+.* chooses the
predicted region, *B* and *E* take brush and eraser, *[* and *]* their size, *Ctrl+Enter* submits. The script
again mends the largest error each time, with the size and the stroke that take a person least time, and
paints at most half a pixel over a border. *Dice* and *false left* are of the mask that `icefloe labels pull`
brought back."""

NOTES = f"""\
*Actions* are strokes and keys, in Icefloe by the editor's own count. *Script* is the time from the picture to
the server's receipt, as it was; in Label Studio with the working out of each stroke. *False left* counts
specks and particles that are none and are still there, which Dice hardly sees. *Person* is what a person's
hands and mind would take by the keystroke-level model: {KEY_S} s a key, {POINT_S} s to point, {THINK_S} s to
make up one's mind before each, and {DRAW_PX_PER_S:.0f} screen pixels a second along a line."""

FORMATS = {"Dice": ".3f", "false left": ".0f", "actions": ".0f", "script, s": ".1f", "person, s": ".1f"}


def measure_corrections(n_images: int, in_label_studio: bool) -> Path:
    """Correct images, and write the page; its path.

    Parameters
    ----------
    n_images
        How many.
    in_label_studio
        Whether also in Label Studio, which is started for it.
    """
    tasks = [make_task(seed) for seed in range(n_images)]
    corrected: dict[str, list[Corrected]] = {}
    with chromium() as browser:
        with tasks_served(tasks) as (url, _):
            corrected["Icefloe"] = correct_all(browser, url, tasks)
        if in_label_studio:
            with (
                tempfile.TemporaryDirectory(prefix="label-studio-") as folder,
                label_studio(Path(folder)) as url,
            ):
                corrected["Label Studio"] = correct_in_label_studio(browser, url, tasks)
    rows = [_row(task) for task in tasks]
    for where, done in corrected.items():
        for row, task, one in zip(rows, tasks, done, strict=True):
            row.update(_columns(where, task, one))
    formats = dict.fromkeys(rows[0], ".0f") | {"Dice before": ".3f"}
    formats |= {f"{where}: {name}": form for where in corrected for name, form in FORMATS.items()}
    table = [{"image": str(number), **row} for number, row in enumerate(rows, 1)]
    table += [_summary("median", rows, np.median), _summary("most", rows, np.max)]
    about = ABOUT.format(n_images=n_images) + (ABOUT_LABEL_STUDIO if in_label_studio else "")
    command = "python -m benchmarks.service correction" + (" --label-studio" if in_label_studio else "")
    return write_page("correction", "Correcting masks", command, about, [Table.of(table, formats)], NOTES)


def _row(task: Task) -> dict[str, float]:
    return {
        "missed": task.missed,
        "false": task.false,
        "borders": task.borders,
        "Dice before": dice(task.presegmentation, task.truth),
    }


def _columns(where: str, task: Task, done: Corrected) -> dict[str, float]:
    false_left = n_false(done.mask, task.truth)
    values = (done.after, false_left, done.actions, done.script_s, done.person_s)
    return {f"{where}: {name}": value for name, value in zip(FORMATS, values, strict=True)}


def _summary(
    name: str, rows: list[dict[str, float]], of: Callable[[list[float]], float]
) -> dict[str, str | float]:
    return {"image": name, **{key: float(of([row[key] for row in rows])) for key in rows[0]}}
