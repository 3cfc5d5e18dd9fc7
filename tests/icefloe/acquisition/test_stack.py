"""A recording to a folder of composites: what is written, going on after an interrupt, and memory."""

import csv
import json
import subprocess
import sys
import time
from fractions import Fraction
from itertools import islice

import av
import numpy as np
import pytest
import tifffile

from icefloe.acquisition.composite_folder import CompositeFolder
from icefloe.acquisition.dataset import make_dataset
from icefloe.acquisition.overview import overview
from icefloe.acquisition.stack import Stacking, StackOptions
from icefloe.datasets.readers import read_metadata
from icefloe.datasets.recordings.opening import open_recording
from icefloe.errors import IcefloeError

RATE = 10

STACK = """
import json, resource, sys
from pathlib import Path
from icefloe.acquisition.composite_folder import CompositeFolder
from icefloe.acquisition.stack import Stacking, StackOptions
options = StackOptions(**json.loads(sys.argv[3]))
recording = options.open(Path(sys.argv[1]))
folder = CompositeFolder(Path(sys.argv[2]), options.to_dict())
for _ in Stacking(recording, recording.frames, folder, options).run():
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
"""A process that stacks, and prints its peak memory in kB."""


@pytest.fixture
def frames(rng):
    """4.7 s at 10 Hz."""
    return rng.poisson(50, (47, 40, 48)).astype(np.uint16)


@pytest.fixture
def path(tmp_path, frames):
    path = tmp_path / "melt.tif"
    metadata = {"axes": "TYX", "unit": "nm", "finterval": 1 / RATE}
    tifffile.imwrite(path, frames, imagej=True, resolution=(2, 2), metadata=metadata)
    return path


def _stacking(path, output, options):
    recording = options.open(path)
    folder = CompositeFolder(output, options.to_dict())
    return Stacking(recording, recording.frames, folder, options), folder


def _stack(path, output, **chosen):
    stacking, folder = _stacking(path, output, StackOptions(**chosen))
    list(stacking.run())
    return stacking.report(), folder


def test_composites_are_the_means_of_seconds_with_their_scale(path, frames, tmp_path):
    report, folder = _stack(path, tmp_path / "out")

    assert [row["image"] for row in report.rows] == [f"melt_{index:04d}.tif" for index in range(4)] + [
        "melt_0004.tif"
    ]
    for index, row in enumerate(report.rows):
        expected = frames[10 * index : 10 * index + 10].mean(axis=0, dtype=np.float64).astype(np.float32)
        np.testing.assert_array_equal(tifffile.imread(folder.image_path(row)), expected)
    assert read_metadata(folder.image_path(report.rows[0])).pixel_size_nm == 0.5
    table = list(csv.DictReader((tmp_path / "out/composites.csv").open()))
    assert [row["start_s"] for row in table] == [f"{second}.000000" for second in range(5)]
    assert [row["n_frames"] for row in table] == ["10", "10", "10", "10", "7"]


@pytest.mark.parametrize(
    ("keep_tail", "words"),
    [
        (
            None,
            "melt.tif: 47 frames (10 Hz from ImageJ's frame interval; 0.5 nm per pixel) in 5 composites; "
            "tail of 7 frames kept as the last composite.",
        ),
        (False, "in 4 composites; tail of 7 frames dropped."),
    ],
)
def test_the_report_tells_frames_rate_size_and_tail(path, tmp_path, keep_tail, words):
    report, _ = _stack(path, tmp_path / "out", keep_tail=keep_tail)
    assert report.n_frames == 47
    assert words in report.sentence()


def test_the_report_tells_of_drift_xrays_and_hot_pixels(path, tmp_path):
    report, _ = _stack(path, tmp_path / "out", align=True, remove_xrays=True, hot_pixels=True)
    sentence = report.sentence()
    assert "drift up to" in sentence
    assert " nm) undone to " in sentence
    assert "X-ray pixels replaced; 0 hot pixels repaired." in sentence
    assert report.n_blocks == 25


def test_a_number_of_frames_needs_no_rate(tmp_path, frames):
    np.save(tmp_path / "r.npy", frames)
    report, _ = _stack(tmp_path / "r.npy", tmp_path / "out", frames=12)
    assert [row["n_frames"] for row in report.rows] == ["12", "12", "12", "11"]
    assert "rate unknown; pixel size unknown" in report.sentence()
    assert {row["start_s"] for row in report.rows} == {""}


def test_what_the_user_says_counts_before_the_file(path, tmp_path):
    report, folder = _stack(path, tmp_path / "out", frame_rate_hz=23.5, pixel_size_nm=0.7)
    assert report.frame_rate.hz == Fraction(47, 2)
    assert "23.5 Hz as given; 0.7 nm per pixel" in report.sentence()
    assert [row["n_frames"] for row in report.rows] == ["24", "23"]
    assert read_metadata(folder.image_path(report.rows[0])).pixel_size_nm == pytest.approx(0.7)


@pytest.mark.parametrize("chosen", [{}, {"remove_xrays": True, "hot_pixels": True}, {"align": True}], ids=str)
@pytest.mark.parametrize("stop_after", [1, 3])
def test_an_interrupted_run_is_gone_on_with_and_ends_the_same(path, tmp_path, stop_after, chosen):
    options = StackOptions(**chosen)
    whole, _ = _stack(path, tmp_path / "whole", **chosen)
    begun, _ = _stacking(path, tmp_path / "out", options)
    list(islice(begun.run(), stop_after))
    first = tmp_path / "out/images/melt_0000.tif"
    untouched = first.stat().st_mtime_ns

    resumed, _ = _stacking(path, tmp_path / "out", options)
    assert len(list(resumed.run())) == 5 - stop_after
    assert first.stat().st_mtime_ns == untouched
    assert resumed.report().rows == whole.rows
    for row in whole.rows:
        one, other = (tifffile.imread(tmp_path / run / "images" / row["image"]) for run in ("whole", "out"))
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_going_on_after_the_end_makes_the_tail_again_and_nothing_else(path, tmp_path):
    whole, _ = _stack(path, tmp_path / "out")
    again, _ = _stacking(path, tmp_path / "out", StackOptions())
    assert [row["image"] for row in again.run()] == ["melt_0004.tif"]
    assert again.report().rows == whole.rows


def test_a_row_that_was_half_written_is_made_again(path, tmp_path):
    whole, _ = _stack(path, tmp_path / "out")
    table = tmp_path / "out/composites.csv"
    table.write_text(table.read_text()[:-20])
    resumed, _ = _stacking(path, tmp_path / "out", StackOptions())
    list(resumed.run())
    assert resumed.report().rows == whole.rows


def test_a_killed_run_is_gone_on_with(tmp_path, rng):
    """SIGKILL at any moment leaves whole images, and a table that fits them."""
    path = tmp_path / "r.npy"
    np.save(path, rng.poisson(9, (120, 128, 128)).astype(np.uint16))
    command = [sys.executable, "-c", STACK, path, tmp_path / "out", '{"frames": 2}']
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    table = tmp_path / "out/composites.csv"
    while not (table.is_file() and len(table.read_text().splitlines()) > 5):
        time.sleep(0.005)
        assert process.poll() is None
    process.kill()
    process.wait()

    images = tmp_path / "out/images"
    n_before = len(list(images.glob("r_*.tif")))
    assert 5 <= n_before < 60
    resumed, folder = _stacking(path, tmp_path / "out", StackOptions(frames=2))
    list(resumed.run())
    rows = folder.rows("r")
    assert [int(row["composite"]) for row in rows] == list(range(60))
    frames = np.load(path)
    for row in rows:
        expected = frames[int(row["first_frame"]) :][:2].mean(axis=0)
        np.testing.assert_array_equal(tifffile.imread(folder.image_path(row)), expected)


def test_hot_pixels_are_repaired_before_frames_are_moved(tmp_path, rng):
    frames = rng.poisson(50, (30, 48, 48)).astype(np.uint16)
    frames[:, 20, 30] += 4000
    np.save(tmp_path / "r.npy", frames)
    report, folder = _stack(tmp_path / "r.npy", tmp_path / "out", frames=15, align=True)
    assert report.n_hot_pixels == 1
    assert all(tifffile.imread(folder.image_path(row)).max() < 70 for row in report.rows)
    # Three frames are too few to find it, and no reason to stop.
    np.save(tmp_path / "short.npy", frames[:3])
    report, _ = _stack(tmp_path / "short.npy", tmp_path / "out2", frames=3, align=True)
    assert report.n_hot_pixels is None


def test_other_settings_need_another_folder(path, tmp_path):
    _stack(path, tmp_path / "out")
    with pytest.raises(IcefloeError, match=r"out: was stacked with other settings \(align, frames\)"):
        _stack(path, tmp_path / "out", align=True, frames=3)
    # What becomes of the tail changes no composite.
    report, _ = _stack(path, tmp_path / "out", keep_tail=False)
    assert len(report.rows) == 4


def test_a_folder_with_other_things_is_left_alone(path, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/notes.txt").write_text("mine")
    with pytest.raises(IcefloeError, match=r"out: the folder holds other files"):
        _stack(path, tmp_path / "out")


def test_several_recordings_share_a_folder(path, tmp_path, frames):
    np.save(tmp_path / "second.npy", frames)
    _stack(path, tmp_path / "out", frames=20)
    report, _ = _stack(tmp_path / "second.npy", tmp_path / "out", frames=20)
    assert [row["image"] for row in report.rows] == ["second_0000.tif", "second_0001.tif"]
    assert len(list(csv.DictReader((tmp_path / "out/composites.csv").open()))) == 4


def test_a_dataset_says_what_it_was_stacked_from(path, tmp_path):
    report, folder = _stack(path, tmp_path / "out")
    dataset = make_dataset(folder.path, [report], "D6", tmp_path / "data", licence="CC-BY-4.0")

    assert dataset.path == tmp_path / "data/D6"
    assert [sample.stem for sample in dataset.samples] == [f"melt_{index:04d}" for index in range(5)]
    info = dataset.info
    assert (info.pixel_size_nm, info.frame_rate_hz, info.preprocessing) == (0.5, 10, ["stacked"])
    assert (info.source, info.licence) == ("stacked from melt.tif", "CC-BY-4.0")
    assert "tail of 7 frames kept" in info.notes
    assert not (tmp_path / "out").exists()


def test_a_dataset_needs_a_composite(path, tmp_path):
    report, folder = _stack(path, tmp_path / "out", frames=100)
    assert report.sentence().endswith("in 0 composites; tail of 47 frames dropped.")
    with pytest.raises(IcefloeError, match=r"D6: no composite was made.*--keep-tail"):
        make_dataset(folder.path, [report], "D6", tmp_path / "data")


def test_the_overview_shows_composites_brightness_and_drift(path, tmp_path):
    report, folder = _stack(path, tmp_path / "out", align=True)
    pictures, curves = overview(folder, report).subfigs
    assert len([axis for axis in pictures.axes if axis.images]) == 5
    brightness, drift = curves.axes
    np.testing.assert_allclose(brightness.lines[0].get_ydata(), 50, atol=0.5)
    assert drift.get_ylabel() == "drift in nm"
    assert len(drift.lines[0].get_ydata()) == 5


def test_without_a_rate_seconds_are_refused(tmp_path, frames):
    np.save(tmp_path / "r.npy", frames)
    with pytest.raises(IcefloeError, match=r"r.npy: the file does not say its frame rate. Give it with"):
        StackOptions().open(tmp_path / "r.npy")


@pytest.mark.parametrize("rate", [0.5, 20_000])
def test_a_rate_that_can_not_be_is_refused(path, rate):
    with pytest.raises(IcefloeError, match=rf"need a frame rate of .* Hz, not {rate:g} Hz \(as given\)"):
        StackOptions(frame_rate_hz=rate).open(path)


def test_options_that_can_not_be_are_refused():
    with pytest.raises(IcefloeError, match=r"A composite of 0 frames is not possible"):
        StackOptions(frames=0)
    with pytest.raises(IcefloeError, match=r"A frame rate of nan is not positive"):
        StackOptions(frame_rate_hz=float("nan"))
    with pytest.raises(IcefloeError, match=r"A pixel size of 0 is not positive"):
        StackOptions(pixel_size_nm=0.0)
    with pytest.raises(IcefloeError, match=r"composites of 3 have too few. Use at least 4 frames"):
        StackOptions(frames=3, remove_xrays=True)


def test_hot_pixels_of_too_short_a_recording_are_refused_by_name(tmp_path, frames):
    np.save(tmp_path / "r.npy", frames[:5])
    with pytest.raises(IcefloeError, match=r"r.npy: 5 frames are too few to tell hot pixels from noise"):
        _stack(tmp_path / "r.npy", tmp_path / "out", frames=5, hot_pixels=True)


def test_a_ten_times_longer_recording_needs_no_more_memory(tmp_path, rng):
    """8 MB and 80 MB, each in a process of its own, with all repairs that need frames kept."""
    frame = rng.poisson(9, (384, 384)).astype(np.uint16)
    options = json.dumps({"frames": 28, "remove_xrays": True, "hot_pixels": True})

    def peak_kb(n_frames):
        path = tmp_path / f"{n_frames}.tif"
        with tifffile.TiffWriter(path) as tiff:
            for index in range(n_frames):
                tiff.write(np.roll(frame, index), contiguous=False, metadata=None)
        command = [sys.executable, "-c", STACK, path, tmp_path / f"out{n_frames}", options]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        path.unlink()
        return int(done.stdout)

    short, long = peak_kb(28), peak_kb(280)
    assert long - short < 15_000


@pytest.fixture
def variable_video(tmp_path):
    """3 s at 10 Hz, then 3 s at 30 Hz, each frame brighter than the one before."""
    stamps = [3 * index for index in range(30)] + [90 + index for index in range(90)]
    path = tmp_path / "variable.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for index, stamp in enumerate(stamps):
            picture = av.VideoFrame.from_ndarray(np.full((48, 64), 20 + index, np.uint8), format="gray")
            picture.pts, picture.time_base = stamp, Fraction(1, 30)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    return path


def test_composites_of_a_video_of_variable_rate_go_by_its_time_stamps(tmp_path, variable_video):
    report, folder = _stack(variable_video, tmp_path / "out")
    assert [row["n_frames"] for row in report.rows] == ["10", "10", "10", "30", "30", "30"]
    assert [float(row["start_s"]) for row in report.rows] == [0, 1, 2, 3, 4, 5]
    assert "each frame at its own time stamp" in report.sentence()
    frames = np.array(list(open_recording(variable_video).frames()), np.float64)
    for row in report.rows:
        first, n_frames = int(row["first_frame"]), int(row["n_frames"])
        expected = frames[first : first + n_frames].mean(axis=0).astype(np.float32)
        np.testing.assert_array_equal(tifffile.imread(folder.image_path(row)), expected)


def test_stacking_a_video_of_variable_rate_goes_on_where_it_ended(tmp_path, variable_video):
    stacking, _ = _stacking(variable_video, tmp_path / "out", StackOptions())
    list(islice(stacking.run(), 4))
    again, folder = _stacking(variable_video, tmp_path / "out", StackOptions())
    assert again.n_done == 60
    list(again.run())
    assert [row["first_frame"] for row in folder.rows("variable")] == ["0", "10", "20", "30", "60", "90"]


def test_a_given_rate_or_number_takes_the_place_of_time_stamps(tmp_path, variable_video):
    by_rate, _ = _stack(variable_video, tmp_path / "rate", frame_rate_hz=40)
    assert [row["n_frames"] for row in by_rate.rows] == ["40", "40", "40"]
    by_number, _ = _stack(variable_video, tmp_path / "number", frames=60)
    assert [row["start_s"] for row in by_number.rows] == ["0.000000", "4.000000"]
