"""Composites are stacked and segmented while frames arrive, each once."""

import csv
import threading
import time
from itertools import islice

import numpy as np
import pytest
import tifffile
from PIL import Image

from icefloe.acquisition.composite_folder import CompositeFolder
from icefloe.acquisition.stack import Stacking, StackOptions
from icefloe.acquisition.watch import watch
from icefloe.datasets.readers import read_mask
from icefloe.datasets.recordings.arriving import ArrivingFrames

OPTIONS = StackOptions(frame_rate_hz=5)
IDLE_S, POLL_S = 0.4, 0.02


@pytest.fixture
def frames(rng):
    """4.4 s at 5 Hz."""
    return rng.integers(0, 255, (22, 40, 48)).astype(np.uint8)


def _save(folder, frames, start=0):
    folder.mkdir(exist_ok=True)
    for index, frame in enumerate(frames, start):
        Image.fromarray(frame).save(folder / f"frame_{index}.png")


def _watching(source, output, ensemble, idle_s=IDLE_S):
    arriving = ArrivingFrames(source, idle_s, POLL_S)
    recording = OPTIONS.known(arriving.recording())
    folder = CompositeFolder(output, OPTIONS.to_dict())
    return watch(Stacking(recording, arriving.frames, folder, OPTIONS), folder, ensemble)


def _rows(path):
    return [row["image"] for row in csv.DictReader(path.open())]


def _names(n):
    return [f"camera_{index:04d}.tif" for index in range(n)]


def test_a_second_is_segmented_when_it_is_over(tmp_path, frames, ensemble):
    source, output = tmp_path / "camera", tmp_path / "out"
    _save(source, frames[:9])
    watching = _watching(source, output, ensemble, idle_s=30)

    first = next(watching)  # the second one can't be over: four of its five frames are there
    assert _rows(output / "composites.csv") == _rows(output / "results/scores.csv") == _names(1)
    composite = tifffile.imread(output / "images/camera_0000.tif")
    np.testing.assert_array_equal(composite, frames[:5].mean(axis=0).astype(np.float32))
    assert read_mask(output / "results/camera_0000_mask.png").shape == (40, 48)
    assert (output / "results/camera_0000.png").is_file()
    assert 0 <= first.prediction.scores()["uq_mean"] <= 0.5

    timer = threading.Timer(0.2, _save, (source, frames[9:10], 9))
    timer.start()
    second = next(watching)
    timer.join()
    assert second.row["image"] == "camera_0001.tif"
    assert _rows(output / "results/scores.csv") == _names(2)


def test_the_mask_is_that_of_the_composite(tmp_path, frames, ensemble):
    _save(tmp_path / "camera", frames)
    list(_watching(tmp_path / "camera", tmp_path / "out", ensemble))
    for index in range(4):
        composite = frames[5 * index : 5 * index + 5].mean(axis=0).astype(np.float32)
        mask = read_mask(tmp_path / f"out/results/camera_{index:04d}_mask.png")
        np.testing.assert_array_equal(mask, ensemble.predict_image(composite).mask)


def test_when_frames_stop_coming_it_ends_and_drops_a_short_tail(tmp_path, frames, ensemble):
    _save(tmp_path / "camera", frames)
    seen = list(_watching(tmp_path / "camera", tmp_path / "out", ensemble))
    assert [one.row["image"] for one in seen] == _names(4)  # 2 of 5 frames are no half


def test_going_on_does_no_second_twice(tmp_path, frames, ensemble):
    source, output = tmp_path / "camera", tmp_path / "out"
    _save(source, frames[:14])
    before = list(islice(_watching(source, output, ensemble), 2))
    written = {path: path.stat().st_mtime_ns for path in (output / "results").glob("*.png")}
    assert (len(before), len(written)) == (2, 4)

    _save(source, frames[14:], 14)
    after = list(_watching(source, output, ensemble))
    assert [one.row["image"] for one in after] == _names(4)[2:]
    assert _rows(output / "results/scores.csv") == _rows(output / "composites.csv") == _names(4)
    assert all(path.stat().st_mtime_ns == when for path, when in written.items())


def test_what_was_stacked_and_not_segmented_is_segmented_first(tmp_path, frames, ensemble):
    source, output = tmp_path / "camera", tmp_path / "out"
    _save(source, frames)
    list(_watching(source, output, ensemble))
    scores = output / "results/scores.csv"
    whole = scores.read_text()
    scores.write_text("".join(whole.splitlines(keepends=True)[:3]))  # killed before the third

    again = list(_watching(source, output, ensemble))
    assert [one.row["image"] for one in again] == _names(4)[2:]
    assert scores.read_text() == whole


def test_a_tail_is_done_again_when_its_second_goes_on(tmp_path, frames, ensemble):
    source, output = tmp_path / "camera", tmp_path / "out"
    _save(source, frames[:8])
    first = list(_watching(source, output, ensemble))
    assert [(one.row["n_frames"], one.row["is_tail"]) for one in first] == [("5", "0"), ("3", "1")]

    _save(source, frames[8:10], 8)
    (again,) = _watching(source, output, ensemble)
    assert (again.row["n_frames"], again.row["is_tail"]) == ("5", "0")
    assert _rows(output / "results/scores.csv") == _rows(output / "composites.csv") == _names(2)
    expected = frames[5:10].mean(axis=0).astype(np.float32)
    np.testing.assert_array_equal(tifffile.imread(output / "images/camera_0001.tif"), expected)


def test_a_blanked_beam_does_not_end_it(tmp_path, frames, ensemble):
    frames[5:10] = 7
    _save(tmp_path / "camera", frames[:15])
    seen = list(_watching(tmp_path / "camera", tmp_path / "out", ensemble))
    assert [one.prediction is None for one in seen] == [False, True, False]
    assert "all pixels have the value 7" in seen[1].problem
    assert _rows(tmp_path / "out/results/scores.csv") == [_names(3)[0], _names(3)[2]]


def test_a_growing_file_is_followed_at_the_cameras_pace(tmp_path, frames, ensemble):
    path = tmp_path / "camera.tif"

    def record():
        with tifffile.TiffWriter(path) as tiff:
            for frame in frames[:15]:
                tiff.write(frame, contiguous=False, metadata=None)
                time.sleep(0.03)

    camera = threading.Thread(target=record)
    camera.start()
    seen = list(_watching(path, tmp_path / "out", ensemble))
    camera.join()
    assert [one.row["image"] for one in seen] == _names(3)
    for index in range(3):
        expected = frames[5 * index : 5 * index + 5].mean(axis=0).astype(np.float32)
        np.testing.assert_array_equal(tifffile.imread(tmp_path / "out/images" / _names(3)[index]), expected)
