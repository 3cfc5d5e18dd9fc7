"""`icefloe physics`: a folder measured by a with_version version, and what is refused."""

import numpy as np
import pytest
import tifffile

from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec


@pytest.fixture
def camera(tmp_path):
    folder = tmp_path / "session7"
    folder.mkdir()
    simulated = simulate_experiment(ExperimentSpec(size_px=64, pixel_size_nm=8.0, n_composites=4), 1)
    for second, image in enumerate(simulated.images):
        tifffile.imwrite(folder / f"composite_{second}.tif", image)
    return folder


def test_a_folder_is_measured_in_the_units_given(cli, with_version, camera, tmp_path):
    command = ("physics", camera, "--version", "EA-T1", "--output", tmp_path / "out")
    outcome = cli("-C", with_version, *command, "--pixel-size", 8, "--seconds-per-image", 0.5)

    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("session7: area ")
    assert " nm2 at 1.5 s." in outcome.out
    table = (tmp_path / "out" / "physics.csv").read_text(encoding="utf-8").splitlines()
    assert table[0].startswith("image,time_s,area_nm2,area_nm2_std,area_nm2_low,area_nm2_high")
    assert [line.split(",")[:2] for line in table[1:]] == [[f"composite_{i}", str(i / 2)] for i in range(4)]
    page = (tmp_path / "out" / "physics.html").read_text(encoding="utf-8")
    assert "EA-T1" in page
    assert "md5-of-D1" in page


def test_without_units_the_answer_says_what_it_is_in(cli, with_version, camera, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    outcome = cli("-C", with_version, "physics", camera, "--version", "EA-T1")

    assert outcome.code == 0, outcome.err
    assert "px2" in outcome.out
    assert "warning: No frame rate is known: a second per image is assumed" in outcome.err
    assert "warning: The pixel size is not known: lengths are in px, areas in px2." in outcome.err
    assert (tmp_path / "physics" / "session7" / "physics.h5").is_file()


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        (("--pixel-size", "0"), "A pixel size of 0 is not positive. Give a number above 0."),
        (
            ("--seconds-per-image", "-1"),
            "A time between images of -1 is not positive. Give a number above 0.",
        ),
        (("--widen", "0"), "A widening of 0 is not positive. Give a number above 0."),
        (("--window", "nan"), "A window of nan is not positive. Give a number above 0."),
        (("--version", "EA-T9"), "EA-T9: icefloe-ea has no such version. "),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_bad_options_are_one_line(cli, with_version, camera, tmp_path, options, refusal):
    command = ("physics", camera, "--version", "EA-T1", "--output", tmp_path / "out")
    assert cli("-C", with_version, *command, *options).refusal.startswith(refusal)
    assert not (tmp_path / "out").exists()


def test_neither_dataset_nor_folder(cli, with_version):
    assert cli("-C", with_version, "physics", "D9").refusal == (
        f"D9: neither a dataset of {with_version} nor a folder. `icefloe data list` lists the datasets."
    )


def test_a_folder_without_images(cli, with_version, tmp_path):
    (tmp_path / "empty").mkdir()
    assert cli("-C", with_version, "physics", tmp_path / "empty").refusal.startswith(
        f"{tmp_path / 'empty'}: no image that Icefloe reads"
    )


def test_an_image_that_says_nothing_is_named(cli, with_version, camera, tmp_path):
    tifffile.imwrite(camera / "composite_9.tif", np.full((64, 64), 7, np.uint16))
    refusal = cli("-C", with_version, "physics", camera, "--output", tmp_path / "out").refusal
    assert "composite_9.tif: all pixels have the value 7" in refusal
    assert not (tmp_path / "out").exists()
