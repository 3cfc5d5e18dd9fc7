"""Segmenting a person's files: a real small ensemble, and what it leaves in the folder."""

import csv

import numpy as np
import pytest
import tifffile

from icefloe.datasets.dataset import Sample
from icefloe.datasets.readers import read_mask
from icefloe.ensemble.guarantees import CalibrationExperiment, ExperimentScores, fit_guarantees
from icefloe.errors import IcefloeError
from icefloe.imaging.preprocess import Preprocessing
from icefloe.report.files import segment_samples


@pytest.fixture(scope="module")
def ensemble(make_ensemble):
    return make_ensemble(preprocessing=Preprocessing(size=64, region=False))


def segment_files(ensemble, images, output, **options):
    samples = [Sample("", path.stem, index, path) for index, path in enumerate(images)]
    return [sample.image_path for sample in segment_samples(ensemble, samples, output, **options)]


@pytest.fixture
def images(tmp_path, rng):
    paths = [tmp_path / "camera" / f"stack_{number}.tif" for number in range(2)]
    paths[0].parent.mkdir()
    for path in paths:
        tifffile.imwrite(path, rng.integers(0, 60_000, (70, 50)).astype(np.uint16))
    return paths


def test_every_image_gets_a_mask_of_its_size_a_picture_and_a_row(ensemble, images, tmp_path):
    output = tmp_path / "out"
    assert segment_files(ensemble, images, output) == images

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
        segment_files(ensemble, images, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_images_of_one_name_are_refused(ensemble, images, tmp_path):
    other = tmp_path / "stack_0.tif"
    other.write_bytes(images[0].read_bytes())

    with pytest.raises(IcefloeError, match="two images have the same name"):
        segment_files(ensemble, [*images, other], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def calibrated(ensemble):
    """Nine experiments, each of whose areas was off by 3 times its uncertainty."""
    experiment = CalibrationExperiment(name="D7", origin="new", n_images=1)
    scores = [ExperimentScores(experiment, np.full((1, 1), 3.0), np.full(1, 0.45))] * 9
    guarantees = fit_guarantees(scores, ensemble.manifest.classes)
    return ensemble.with_manifest(ensemble.manifest.model_copy(update={"guarantees": guarantees}))


def test_a_calibrated_ensemble_adds_intervals_and_what_it_abstains_from(calibrated, images, tmp_path):
    output = tmp_path / "out"
    segment_files(calibrated, images, output)

    row = next(csv.DictReader((output / "scores.csv").open()))
    prediction = calibrated.predict_image(tifffile.imread(images[0]).astype(np.float32))
    (interval,) = calibrated.manifest.guarantees.area_intervals(prediction)
    assert float(row["area_ice"]) == pytest.approx(prediction.mean.mean(), rel=1e-4)
    assert float(row["area_ice_low_90"]) == pytest.approx(interval.low)
    assert float(row["area_ice_high_90"]) == pytest.approx(interval.high)
    abstained = read_mask(output / "stack_0_abstain.png")
    assert set(np.unique(abstained)) <= {0, 255}
    assert np.array_equal(abstained == 255, prediction.doubt >= np.float32(0.45))
    assert float(row["abstained"]) == pytest.approx((abstained == 255).mean())


def test_a_level_without_a_calibration_is_refused_before_anything_is_written(calibrated, images, tmp_path):
    with pytest.raises(IcefloeError, match=r"Level 0\.7: intervals were calibrated for 0\.5, 0\.68"):
        segment_files(calibrated, images, tmp_path / "out", level=0.7)
    assert not (tmp_path / "out").exists()


def test_another_level_stands_in_the_names_of_the_columns(calibrated, images, tmp_path):
    segment_files(calibrated, images[:1], tmp_path / "out", level=0.95)
    row = next(csv.DictReader((tmp_path / "out" / "scores.csv").open()))
    assert (float(row["area_ice_low_95"]), float(row["area_ice_high_95"])) == (0, 1)  # nine are too few
