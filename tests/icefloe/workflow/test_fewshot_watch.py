"""A growing folder is followed by one session, each image once, whatever ends the run."""

import csv
import gc
import os
import signal
from functools import partial

import numpy as np
import pytest
import tifffile
from matplotlib.figure import Figure

from icefloe.acquisition.arriving_files import ArrivingFiles
from icefloe.errors import IcefloeError
from icefloe.fewshot.series import Series
from icefloe.progress import Lines
from icefloe.scratch import locked
from icefloe.workflow import fewshot_watch
from icefloe.workflow.fewshot import classify_images
from icefloe.workflow.fewshot_watch import watch_images


class Told(Lines):
    """What was told; SIGINT, as from Ctrl-C, when a line begins with this."""

    def __init__(self, interrupt_at="never"):
        super().__init__(lambda line: None, 3600)
        self.lines, self.warnings, self._interrupt_at = [], [], interrupt_at

    def tell(self, line):
        self.lines.append(line)
        if line.startswith(self._interrupt_at):
            os.kill(os.getpid(), signal.SIGINT)

    def warn(self, line):
        self.warnings.append(line)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(fewshot_watch, "ArrivingFiles", partial(ArrivingFiles, poll_s=0.05, patience_s=0.2))


@pytest.fixture(autouse=True)
def _interruptible():
    """As in a terminal; a shell's background jobs ignore SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def camera(tmp_path, save_texture):
    for number, boundary in enumerate((48, 64, 80)):
        save_texture(tmp_path / f"camera/t{number}.tif", boundary, seed=number)
    return tmp_path / "camera"


@pytest.fixture
def session(camera, session_of, tmp_path):
    return session_of(camera / "t0.tif", tmp_path / "a.session.json")


def rows(output):
    with (output / "fractions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_image_is_classified_once_across_an_interruption(
    workspace_settings, camera, session, tmp_path, save_texture
):
    output = tmp_path / "out"
    told = Told(interrupt_at="t1.tif: ")
    first = watch_images(workspace_settings, camera, session, output, idle_s=0.2, progress=told)
    assert first.interrupted
    assert [row["image"] for row in rows(output)] == ["t0.tif", "t1.tif"]
    written = {path: path.stat().st_mtime_ns for path in output.glob("t*")}
    assert len(written) == 6

    save_texture(camera / "t3.tif", 96, seed=3)
    again = watch_images(workspace_settings, camera, session, output, idle_s=0.2, progress=Told())
    assert not again.interrupted
    assert [row["image"] for row in rows(output)] == [f"t{number}.tif" for number in range(4)]
    assert all(path.stat().st_mtime_ns == when for path, when in written.items())
    fractions = [float(row["stripes fraction"]) for row in rows(output)]
    assert fractions == sorted(fractions)
    assert (output / "fractions.png").stat().st_mtime_ns > max(written.values())

    # As a batch gives it, and as it is read again.
    batch = classify_images(workspace_settings, sorted(camera.iterdir()), session, tmp_path / "batch")
    assert (output / "fractions.csv").read_bytes() == batch.table.read_bytes()
    assert again.series.rows() == batch.series.rows()
    assert isinstance(again.series, Series)
    assert again.series.sentence().startswith("144 chips of 4 images, from first to last: ")


def test_images_of_known_distance_in_time_have_their_times(workspace_settings, camera, session, tmp_path):
    output = tmp_path / "out"
    for _ in range(2):  # the second run adds one, and reads the first two back
        watched = watch_images(
            workspace_settings, camera, session, output, idle_s=0.2, seconds_per_image=2.5, progress=Told()
        )
        (camera / "t4.tif").write_bytes((camera / "t2.tif").read_bytes())
    assert watched.series.times_s == (0.0, 2.5, 5.0, 7.5)
    batch = classify_images(
        workspace_settings, sorted(camera.iterdir()), session, tmp_path / "batch", seconds_per_image=2.5
    )
    assert (output / "fractions.csv").read_bytes() == batch.table.read_bytes()


def test_no_figure_is_kept_from_image_to_image(workspace_settings, camera, session, tmp_path):
    def figures():
        return sum(type(one) is Figure for one in gc.get_objects())

    class Counting(Lines):
        def tell(self, line):
            alive.append(figures())

    gc.collect()
    alive, before = [], figures()
    watch_images(workspace_settings, camera, session, tmp_path / "out", idle_s=0.2, progress=Counting(print))
    assert len(alive) == 4
    assert max(alive) <= before + 1  # that of the fractions, which is drawn after an image's own


def test_what_cannot_be_classified_is_named_and_skipped(
    workspace_settings, camera, session, tmp_path, save_texture
):
    (camera / "broken.tif").write_bytes((camera / "t1.tif").read_bytes()[:300])
    tifffile.imwrite(camera / "blanked.tif", np.full((100, 100), 7, np.uint16))
    tifffile.imwrite(camera / "small.tif", np.arange(100, dtype=np.uint16).reshape(10, 10))
    save_texture(camera / "T0.tiff")
    told = Told()
    watched = watch_images(workspace_settings, camera, session, tmp_path / "out", idle_s=0.2, progress=told)
    assert [row["image"] for row in rows(tmp_path / "out")] == ["T0.tiff", "t1.tif", "t2.tif"]
    assert set(watched.broken) == {"broken.tif", "blanked.tif", "small.tif", "t0.tif"}
    assert "all pixels have the value 7" in watched.broken["blanked.tif"]
    assert watched.broken["small.tif"].startswith("small.tif: Chips of 16 px don't fit")
    assert watched.broken["t0.tif"] == "its results would overwrite those of T0.tiff. Rename it."
    assert {line.partition(" is left out: ")[0] for line in told.warnings} >= set(watched.broken)


def test_chips_that_resemble_no_prototype_are_warned_of(workspace_settings, camera, session, tmp_path, rng):
    y, x = np.mgrid[:100, :100]
    rings = np.hypot(x - 50, y - 50) % 25 < 3
    tifffile.imwrite(camera / "t9.tif", (2000 * rings + rng.normal(500, 20, x.shape)).astype(np.uint16))
    told = Told()
    watch_images(workspace_settings, camera, session, tmp_path / "out", idle_s=0.2, progress=told)
    warned = [line.partition(": ")[0] for line in told.warnings if "resemble no prototype" in line]
    assert warned[-1] == "t9.tif"
    assert warned.count("t0.tif") == 0
    assert float(rows(tmp_path / "out")[-1]["far"]) > 0.5


def test_results_of_other_supports_are_not_added_to(
    workspace_settings, camera, session, session_of, tmp_path
):
    output = tmp_path / "out"
    watch_images(workspace_settings, camera, session, output, idle_s=0.2)
    (output / "fractions.png").unlink()
    watch_images(workspace_settings, camera, session, output, idle_s=0.2)
    assert (output / "fractions.png").is_file()
    other = session_of(camera / "t1.tif", tmp_path / "b.session.json")
    with pytest.raises(IcefloeError) as error:
        watch_images(workspace_settings, camera, other, output, idle_s=0.2)
    assert str(error.value) == (
        f"{output}: its results are of other supports. Name another folder, or their session."
    )
    batch = tmp_path / "batch"
    classify_images(workspace_settings, [camera / "t0.tif"], session, batch)
    with pytest.raises(IcefloeError, match="it holds results of another command"):
        watch_images(workspace_settings, camera, session, batch)


def test_two_commands_do_not_write_to_one_folder(workspace_settings, camera, session, tmp_path):
    with locked(tmp_path / "out/.lock"), pytest.raises(IcefloeError, match="another command is writing"):
        watch_images(workspace_settings, camera, session, tmp_path / "out")
    with pytest.raises(IcefloeError, match="images arrive in this folder"):
        watch_images(workspace_settings, camera, session, camera)
    with pytest.raises(IcefloeError, match="which is neither beside it nor among the images"):
        watch_images(workspace_settings, tmp_path / "absent", session, tmp_path / "out")
