"""`icefloe stack` and `icefloe watch` as a person types them."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from icefloe.datasets.dataset import Dataset
from icefloe.scratch import locked


@pytest.fixture
def frames(rng):
    """3.2 s at 10 Hz."""
    return rng.poisson(50, (32, 40, 48)).astype(np.uint16)


@pytest.fixture
def recording(tmp_path, frames):
    path = tmp_path / "melt.tif"
    metadata = {"axes": "TYX", "unit": "nm", "finterval": 0.1}
    tifffile.imwrite(path, frames, imagej=True, resolution=(2, 2), metadata=metadata)
    return path


def test_stacking_tells_what_became_of_the_frames(cli, recording, frames, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # in no workspace
    outcome = cli("stack", recording, "--output", tmp_path / "out")

    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith(
        "melt.tif: 32 frames (10 Hz from ImageJ's frame interval; 0.5 nm per pixel) in 3 composites; "
        "tail of 2 frames dropped.\n"
    )
    images = sorted((tmp_path / "out/images").iterdir())
    assert [path.name for path in images] == [f"melt_{index:04d}.tif" for index in range(3)]
    expected = frames[20:30].mean(axis=0).astype(np.float32)
    np.testing.assert_array_equal(tifffile.imread(images[2]), expected)
    assert (tmp_path / "out/melt.png").is_file()


def test_the_tail_a_number_of_frames_and_repairs_are_options(cli, recording, tmp_path):
    options = ("--frames", 12, "--keep-tail", "--align", "--remove-xrays", "--hot-pixels")
    outcome = cli("stack", recording, "--output", tmp_path / "out", *options)
    assert "in 3 composites; tail of 8 frames kept as the last composite; drift up to " in outcome.out
    assert outcome.out.splitlines()[0].endswith("X-ray pixels replaced; 0 hot pixels repaired.")


def test_noise_that_can_not_be_aligned_is_warned_of(cli, recording, tmp_path):
    outcome = cli("stack", recording, "--output", tmp_path / "out", "--align")
    assert outcome.code == 0
    assert "warning: melt.tif: most blocks of frames are too noisy or too plain to align." in outcome.err


def test_drift_that_is_hardly_known_is_warned_of(cli, rng, tmp_path):
    """Little contrast at a low dose, and a specimen that trembles."""
    mottle = ndimage.gaussian_filter(rng.standard_normal((96, 96)), 3, mode="wrap")
    places = rng.normal(0, 1.5, (20, 2)).round().astype(int)
    frames = [rng.poisson(50 * np.roll(1 + 0.1 * mottle / mottle.std(), place, (0, 1))) for place in places]
    np.save(tmp_path / "r.npy", np.array(frames, np.uint16))
    outcome = cli("stack", tmp_path / "r.npy", "--output", tmp_path / "out", "--frames", 5, "--align")
    assert outcome.err.startswith("warning: r.npy: drift is known to ")


def test_a_dataset_is_made_in_the_workspace(cli, workspace, recording):
    outcome = cli("-C", workspace, "stack", recording, "--name", "D6", "--licence", "CC0")

    assert outcome.code == 0, outcome.err
    assert "Dataset D6: 3 images" in outcome.out
    dataset = Dataset.load(workspace / "data/D6")
    assert len(dataset.samples) == 3
    info = dataset.info
    assert (info.pixel_size_nm, info.frame_rate_hz, info.preprocessing) == (0.5, 10, ["stacked"])
    assert info.licence == "CC0"
    assert [path.name for path in (workspace / ".icefloe/stacking").iterdir()] == ["D6.lock"]  # no folder
    assert "D6" in cli("-C", workspace, "data", "list").out


def test_recordings_of_one_dataset_keep_their_names(cli, workspace, recording, frames, tmp_path):
    np.save(tmp_path / "freeze.npy", frames)
    outcome = cli(
        "-C", workspace, "stack", recording, tmp_path / "freeze.npy", "--name", "D6", "--frames", 16
    )
    assert outcome.out.count(" in 2 composites; no tail.") == 2
    dataset = Dataset.load(workspace / "data/D6")
    assert [sample.stem for sample in dataset.samples] == [
        *("freeze_0000", "freeze_0001", "melt_0000", "melt_0001")
    ]
    # What only one of them says is not said of both.
    assert (dataset.info.pixel_size_nm, dataset.info.frame_rate_hz) == (None, None)


def test_a_dataset_that_was_begun_with_other_settings_is_begun_anew(
    cli, workspace, recording, frames, tmp_path
):
    np.save(tmp_path / "other.npy", np.concatenate([frames[:8], np.full((1, 40, 48), np.nan)]))
    command = ("-C", workspace, "stack", "--name", "D6", "--frames")
    assert "frame 8 has NaN" in cli(*command, 4, tmp_path / "other.npy").refusal
    assert not (workspace / "data/D6").exists()

    assert cli(*command, 16, recording).code == 0
    dataset = Dataset.load(workspace / "data/D6")
    assert [sample.stem for sample in dataset.samples] == ["melt_0000", "melt_0001"]


@pytest.mark.parametrize("where", [(), ("--output", "out", "--name", "D6")], ids=str)
def test_one_place_has_to_be_named(cli, recording, tmp_path, monkeypatch, where):
    monkeypatch.chdir(tmp_path)
    assert cli("stack", recording, *where).refusal == (
        "The composites need one destination. Give either --output FOLDER or --name DATASET."
    )
    assert not (tmp_path / "out").exists()


def test_a_name_that_is_taken_or_no_name(cli, workspace, recording):
    assert cli("-C", workspace, "stack", recording, "--name", "D6").code == 0
    refusal = cli("-C", workspace, "stack", recording, "--name", "D6").refusal
    assert refusal.endswith("data/D6: there is a dataset of this name. Choose another name with --name.")
    refusal = cli("-C", workspace, "stack", recording, "--name", "../D6").refusal
    assert refusal == (
        "dataset.name: the name holds a slash, which would lead to another folder, not '../D6'. "
        "Choose another."
    )


def test_every_recording_is_opened_before_the_first_is_stacked(cli, recording, tmp_path, files_in):
    (tmp_path / "cut.mrc").write_bytes(bytes(100))
    refusal = cli("stack", recording, tmp_path / "cut.mrc", "--output", tmp_path / "out").refusal
    assert "cut.mrc: truncated, damaged, or not what its name says" in refusal
    assert not (tmp_path / "out").exists()


def test_recordings_of_one_name(cli, recording, tmp_path):
    refusal = cli("stack", recording, recording, "--output", tmp_path / "out").refusal
    assert refusal.startswith("Two recordings have the same name")


def test_a_recording_that_does_not_say_its_rate(cli, frames, tmp_path):
    np.save(tmp_path / "r.npy", frames)
    command = ("stack", tmp_path / "r.npy", "--output", tmp_path / "out")
    assert cli(*command).refusal == (
        f"{tmp_path / 'r.npy'}: the file does not say its frame rate. "
        "Give it with --frame-rate HZ, or stack by number with --frames N."
    )
    outcome = cli(*command, "--frame-rate", 10)
    assert "r.npy: 32 frames (10 Hz as given; pixel size unknown) in 3 composites" in outcome.out


def test_watching_without_a_champion_writes_nothing(cli, empty_workspace, recording, tmp_path):
    refusal = cli("-C", empty_workspace, "watch", recording, "--output", tmp_path / "out").refusal
    assert refusal.startswith("icefloe-ea: there is no champion yet.")
    assert not (tmp_path / "out").exists()


@pytest.mark.integration
def test_watching_a_folder_until_ctrl_c_and_on(with_version, frames, tmp_path):
    source, output = tmp_path / "camera", tmp_path / "out"

    def start(idle_s: int) -> subprocess.Popen[str]:
        command = "from icefloe.cli import main; main()", "-C", with_version, "watch", source
        options = "--output", output, "--version", "EA-T1", "--frame-rate", 10, "--idle", idle_s
        return subprocess.Popen(
            [sys.executable, "-c", *map(str, (*command, *options))],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            # Tests in a shell's background ignore Ctrl-C, and what they start would inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def segmented() -> list[str]:
        table = output / "results/scores.csv"
        return [row["image"] for row in csv.DictReader(table.open())] if table.is_file() else []

    watching = start(idle_s=120)
    source.mkdir()
    for index, frame in enumerate(frames[:24]):
        tifffile.imwrite(source / f"frame_{index}.tif", frame)
    deadline = time.monotonic() + 120
    while len(segmented()) < 2:
        assert watching.poll() is None, watching.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    watching.send_signal(signal.SIGINT)
    out, err = watching.communicate(timeout=60)
    assert watching.returncode == 130
    assert "camera_0000.tif: 10 frames, " in out
    assert "camera: 20 frames (10 Hz as given; pixel size unknown) in 2 composites; no tail." in out
    assert "Stopped. Run the same command again to go on." in err

    for index, frame in enumerate(frames[24:], 24):
        tifffile.imwrite(source / f"frame_{index}.tif", frame)
    out, err = start(idle_s=3).communicate(timeout=120)
    assert "camera_0001.tif: " not in out
    assert "camera_0002.tif: 10 frames, " in out
    assert "32 frames (10 Hz as given; pixel size unknown) in 3 composites; tail of 2 frames dropped." in out
    assert segmented() == [f"camera_{index:04d}.tif" for index in range(3)]
    assert Path(output / "camera.png").is_file()


def test_of_two_that_stack_one_dataset_the_second_is_told(cli, workspace, tmp_path):
    tifffile.imwrite(tmp_path / "r.tif", np.zeros((4, 32, 32), np.uint16), photometric="minisblack")
    with locked(workspace / ".icefloe" / "stacking" / "D6.lock"):
        refusal = cli("-C", workspace, "stack", tmp_path / "r.tif", "--frames", 2, "--name", "D6").refusal
    assert refusal == (
        "D6: another command is stacking a dataset of this name. "
        "Let it finish, or choose another name with --name."
    )
    assert cli("-C", workspace, "stack", tmp_path / "r.tif", "--frames", 2, "--name", "D6").code == 0
