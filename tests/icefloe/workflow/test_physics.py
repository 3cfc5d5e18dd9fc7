"""A dataset measured with a real small ensemble, and what is left in the folder."""

import json
import re

import h5py
import numpy as np
import pandas
import pytest

from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.ensemble.prediction import Prediction
from icefloe.physics.crystal import measure
from icefloe.report.physics import write_physics
from icefloe.scoring.uncertainty import class_mask
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import write_dataset
from icefloe.workflow.physics import Scale, gather, ice_maps, measure_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Five labelled seconds of a simulated melt."""
    folder = tmp_path_factory.mktemp("data") / "D1"
    spec = ExperimentSpec(size_px=64, pixel_size_nm=8.0, n_composites=5)
    info = DatasetInfo(
        name="D1", experiment="D1", pixel_size_nm=8.0, frame_rate_hz=25, preprocessing=["stacked"]
    )
    write_dataset(simulate_experiment(spec, 3), folder, info, labelled=True)
    return Dataset.load(folder)


@pytest.fixture(scope="module")
def written(ensemble, dataset, tmp_path_factory):
    output = tmp_path_factory.mktemp("out") / "physics"
    scale = Scale.of(dataset)
    measured = list(measure_dataset(ensemble, dataset, scale))
    experiment, agreements = gather(dataset, measured, scale, provenance={"ensemble": "EA-T1"})
    write_physics(experiment, agreements, dataset.samples[0].image(), output)
    return output, experiment, agreements


def test_each_image_is_measured_on_the_map_the_ensemble_predicts(ensemble, dataset, written):
    _, experiment, _ = written
    predicted = ensemble.predict(dataset.samples, keep_members=True)
    for (_, prediction), image in zip(predicted, experiment.images, strict=True):
        expected = measure(prediction.mean, ensemble.manifest.threshold, 8.0)
        assert image.ensemble.area_nm2 == expected.area_nm2
        assert [member.area_nm2 for member in image.members] == [
            measure(member, ensemble.manifest.threshold, 8.0).area_nm2
            for member in prediction.member_probabilities
        ]


def test_the_folder_holds_tables_figures_and_a_page_that_needs_nothing_else(written):
    output, experiment, _ = written
    assert {path.name for path in output.iterdir()} == {
        *("physics.csv", "physics.h5", "physics.html", "physics.json"),
        *("physics-series.png", "physics-fronts.png", "physics-outlines.png"),
    }
    frame = pandas.read_csv(output / "physics.csv")
    np.testing.assert_allclose(frame["area_nm2"], experiment.quantities["area"].values)
    np.testing.assert_allclose(frame["time_s"], range(5))
    with h5py.File(output / "physics.h5") as file:
        assert file["quantities/area/members"].shape == (2, 5)
    page = (output / "physics.html").read_text(encoding="utf-8")
    assert len(re.findall('src="data:image/png;base64,', page)) == 3
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert "EA-T1" in page
    assert "Only 2 members" in page


def test_labels_are_compared_with_what_was_measured(dataset, written):
    output, experiment, agreements = written
    area = next(agreement for agreement in agreements if agreement.quantity == "area")
    truth = np.array([(sample.mask() == 1).sum() * 64.0 for sample in dataset.samples])
    error = experiment.quantities["area"].values - truth
    assert area.n_images == 5
    assert area.mean_error == pytest.approx(error.mean(), abs=64)  # corners of a mask's outline are cut
    content = json.loads((output / "physics.json").read_text(encoding="utf-8"))
    assert content["labels"][0]["quantity"] == "area"
    assert "Against labels" in (output / "physics.html").read_text(encoding="utf-8")


def test_several_classes_are_outlined_where_ice_is_the_most_probable(rng):
    logits = rng.normal(size=(2, 3, 40, 30)).astype(np.float32)
    members = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    prediction = Prediction.from_members(members, 0.5, np.zeros(1, np.float32))
    mean, of_members, threshold = ice_maps(prediction, 0.5)
    np.testing.assert_array_equal(mean >= threshold, prediction.mask == 1)
    np.testing.assert_array_equal(of_members[1] >= threshold, class_mask(members[1], 0.5) == 1)


@pytest.fixture
def simulated(tmp_path):
    """Make a dataset of some seconds, with what is known of it."""

    def build(seconds=(0, 1, 2), **known):
        spec = ExperimentSpec(size_px=64, pixel_size_nm=8.0, n_composites=5)
        info = DatasetInfo(name="D1", experiment="D1", **known)
        write_dataset(simulate_experiment(spec, 3, seconds), tmp_path / "D1", info, labelled=False)
        return Dataset.load(tmp_path / "D1")

    return build


@pytest.mark.parametrize(
    ("known", "given", "size", "times"),
    [
        ({"preprocessing": ["stacked"], "frame_rate_hz": 25}, {}, None, (0, 1, 2)),
        ({"frame_rate_hz": 25, "pixel_size_nm": 2}, {}, 2, (0, 0.04, 0.08)),
        ({"pixel_size_nm": 2}, {"pixel_size_nm": 3, "seconds_per_image": 0.5}, 3, (0, 0.5, 1)),
    ],
)
def test_scale_comes_from_the_dataset_unless_it_is_given(simulated, known, given, size, times):
    scale = Scale.of(simulated(**known), **given)
    assert (scale.pixel_size_nm, scale.notes) == (size, ())
    assert scale.times_s == pytest.approx(times)


@pytest.mark.parametrize("preprocessing", [[], ["stacked"]])
def test_an_assumed_time_is_said(simulated, preprocessing):
    scale = Scale.of(simulated(preprocessing=preprocessing))
    assert scale.times_s == (0, 1, 2)
    assert scale.notes == ("No frame rate is known: a second per image is assumed, as for composites.",)


def test_a_second_that_is_missing_is_said(simulated):
    (note,) = Scale.of(simulated((0, 1, 3), frame_rate_hz=25, preprocessing=["stacked"])).notes
    assert note == "Numbers in the images' names have gaps: time counts images as if none were missing."


@pytest.mark.parametrize(
    ("starts", "times", "n_notes"),
    [
        (("0", "0.5", "2.5"), (0, 0.5, 2.5), 0),
        (("0", "0.5", ""), (0, 1, 2), 1),
        (("0", "1", "0"), (0, 1, 2), 1),
    ],
    ids=["known", "unknown", "two recordings"],
)
def test_composites_begin_when_their_table_says(simulated, starts, times, n_notes):
    dataset = simulated(preprocessing=["stacked"])
    rows = [f"{sample.stem}.tif,{start}" for sample, start in zip(dataset.samples, starts, strict=True)]
    (dataset.path / "composites.csv").write_text("\n".join(["image,start_s", *rows]), encoding="utf-8")
    scale = Scale.of(dataset)
    assert scale.times_s == times
    assert len(scale.notes) == n_notes
