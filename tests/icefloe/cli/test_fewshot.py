"""`icefloe fewshot`: from an image and a few examples to maps, counts and tables, and what is refused."""

import csv
import shutil

import numpy as np
import pytest
import tifffile

from tests.stores import new_store


@pytest.fixture
def images(tmp_path):
    """Stripes over a half and over three quarters of two images, blobs elsewhere."""
    paths = []
    for number, width in enumerate((48, 72)):
        y, x = np.mgrid[:96, :96]
        stripes, blobs = np.sin(x + y), np.sin(x / 2) * np.sin(y / 2)
        noise = np.random.default_rng(number).normal(0, 0.2, (96, 96))
        image = 1000 * (3 + np.where(x < width, stripes / stripes.std(), blobs / blobs.std()) + noise)
        paths.append(tmp_path / f"t{number}.tif")
        tifffile.imwrite(paths[-1], image.clip(0, None).astype(np.uint16))
    return paths


@pytest.fixture
def supports(tmp_path):
    path = tmp_path / "supports.csv"
    path.write_text("chip,set\n0,stripes\n13,stripes\n25,stripes\n4,blobs\n17,blobs\n35,blobs\n")
    return path


def test_a_series_is_classified_by_the_first_images_supports(cli, workspace, images, supports, tmp_path):
    before = [path.read_bytes() for path in images]
    out = tmp_path / "out"
    outcome = cli(
        "-C", workspace, "fewshot", "classify", *images, "--supports", supports, "--edge", 16, "--output", out
    )

    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("72 chips of 2 images, from first to last: stripes ")
    made = {path.name for path in out.iterdir()}
    assert made == {
        "fractions.csv",
        "fractions.png",
        "t0.session.json",
        *(f"t{number}_{what}" for number in (0, 1) for what in ("chips.csv", "map.png", "chart.png")),
    }
    with (out / "t1_chips.csv").open(newline="") as file:
        nearest = [row["nearest"] for row in csv.DictReader(file)]
    expected = ["stripes" if chip % 6 * 16 < 72 else "blobs" for chip in range(36)]
    # The boundary cuts through the fifth column.
    right = [
        one == other for chip, (one, other) in enumerate(zip(nearest, expected, strict=True)) if chip % 6 != 4
    ]
    assert np.mean(right) >= 0.95
    assert [path.read_bytes() for path in images] == before

    again = cli("-C", workspace, "fewshot", "classify", images[0], "--supports", out / "t0.session.json",
                "--output", tmp_path / "again")  # fmt: skip

    assert again.code == 0, again.err
    for name in ("t0_chips.csv", "t0.session.json"):
        assert (tmp_path / "again" / name).read_bytes() == (out / name).read_bytes()
    assert len(list((workspace / ".icefloe" / "fewshot").glob("*.npy"))) == 2


def test_a_grid_is_proposed_and_drawn(cli, workspace, images, tmp_path):
    outcome = cli("-C", workspace, "fewshot", "grid", images[0], "--output", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("Chips of ")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"t0_grid.png", "t0_edge.png"}


def test_what_cannot_be_classified_is_refused_in_one_line(cli, workspace, images, supports, tmp_path):
    def refusal(*arguments):
        return cli("-C", workspace, "fewshot", "classify", *arguments, "--output", tmp_path / "out").refusal

    with_supports = ("--supports", supports)
    assert "no such file" in refusal(tmp_path / "absent.tif", *with_supports, "--edge", 16)
    assert "takes an edge of 1 to 96 px" in refusal(images[0], *with_supports, "--edge", 0)
    assert "supports.csv, line 3: chip 13: the grid has chips 0 to 8" in refusal(
        images[0], *with_supports, "--edge", 32
    )
    assert "Give a number from 0 to 1" in refusal(images[0], *with_supports, "--edge", 16, "--max-risk", 2)
    assert "no such encoder" in refusal(images[0], *with_supports, "--edge", 16, "--encoder", "resnet99")
    other = tmp_path / "other"
    other.mkdir()
    (other / images[0].name).write_bytes(images[0].read_bytes())
    assert "its results would overwrite" in refusal(images[0], other / images[0].name, *with_supports)
    assert not (tmp_path / "out").exists()


def test_a_session_becomes_a_dataset_a_version_and_a_watch(cli, workspace, images, supports, tmp_path):
    new_store(workspace / ".icefloe")
    out = tmp_path / "out"

    def run(*arguments):
        outcome = cli("-C", workspace, *arguments)
        assert outcome.code == 0, outcome.err
        return outcome.out

    run("fewshot", "classify", images[0], "--supports", supports, "--edge", 16, "--output", out)
    session = out / "t0.session.json"

    told = run("fewshot", "to-dataset", session, *images, "--name", "D7")
    assert told.startswith("D7: 2 images with weak labels (stripes, blobs); ")
    assert told.endswith("Next: icefloe data commit -m ..., then icefloe pipeline run train -d D7\n")

    told = run("fewshot", "register", session, "--image", images[0], "--author", "ada")
    assert told.startswith("FS-T1 is registered; no labelled dataset was named to judge it on.\n")
    assert "FS-T1" in run("models", "show", "FS-T1")
    assert "FS-T1" in run("models", "list")
    run("predict", images[1], "--version", "FS-T1", "--output", tmp_path / "predicted")
    assert (tmp_path / "predicted" / "t1_mask.png").is_file()

    camera = tmp_path / "camera"
    camera.mkdir()
    for image in images:
        shutil.copyfile(image, camera / image.name)
    arguments = ("fewshot", "watch", camera, "--supports", session, "--output", tmp_path / "w", "--idle", 1)
    told = run(*arguments)
    assert "t0.tif: stripes " in told
    assert "t1.tif: stripes " in told
    assert "t0.tif: " not in run(*arguments)
    with (tmp_path / "w" / "fractions.csv").open(newline="") as file:
        assert [row["image"] for row in csv.DictReader(file)] == ["t0.tif", "t1.tif"]
