"""Segmenting a person's files: a real small ensemble, and what it leaves in the folder."""

import csv

import numpy as np
import pytest
import tifffile
from safetensors.torch import save_file

from icefloe.datasets.readers import read_mask
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.manifest import Manifest, Member
from icefloe.errors import IcefloeError
from icefloe.files import sha256_file
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build
from icefloe.report.files import segment_files

SPECS = tuple(
    MemberSpec(encoder="mobilenet_v2", seed=seed, decoder_channels=(16, 16, 8, 8, 8)) for seed in (0, 1)
)


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ensemble")
    paths = [folder / f"{spec.name}.safetensors" for spec in SPECS]
    for spec, path in zip(SPECS, paths, strict=True):
        save_file(build(spec, 2).state_dict(), path)
    members = tuple(Member(spec=s, sha256=sha256_file(p)) for s, p in zip(SPECS, paths, strict=True))
    classes = ("background", "ice")
    manifest = Manifest(
        name="EA-T1", members=members, preprocessing=Preprocessing(size=64, region=False), classes=classes
    )
    return Ensemble(manifest, paths, device="cpu")


@pytest.fixture
def images(tmp_path, rng):
    paths = [tmp_path / "camera" / f"stack_{number}.tif" for number in range(2)]
    paths[0].parent.mkdir()
    for path in paths:
        tifffile.imwrite(path, rng.integers(0, 60_000, (70, 50)).astype(np.uint16))
    return paths


def test_every_image_gets_a_mask_of_its_size_a_picture_and_a_row(ensemble, images, tmp_path):
    output = tmp_path / "out"
    assert list(segment_files(ensemble, images, output)) == images

    assert {path.name for path in output.iterdir()} == {
        *("scores.csv", "stack_0.png", "stack_0_mask.png", "stack_1.png", "stack_1_mask.png")
    }
    assert read_mask(output / "stack_0_mask.png").shape == (70, 50)
    rows = list(csv.DictReader((output / "scores.csv").open()))
    assert [row["image"] for row in rows] == ["stack_0.tif", "stack_1.tif"]
    assert all(0 <= float(row["uq_mean"]) <= 0.5 for row in rows)


def test_one_bad_image_and_nothing_is_written(ensemble, images, tmp_path):
    images[1].write_bytes(images[1].read_bytes()[:2000])

    with pytest.raises(IcefloeError, match=r"stack_1\.tif: truncated"):
        list(segment_files(ensemble, images, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_two_images_of_one_name_are_refused(ensemble, images, tmp_path):
    other = tmp_path / "stack_0.tif"
    other.write_bytes(images[0].read_bytes())

    with pytest.raises(IcefloeError, match="two images have the same name"):
        list(segment_files(ensemble, [*images, other], tmp_path / "out"))
    assert not (tmp_path / "out").exists()
