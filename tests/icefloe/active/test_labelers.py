"""The simulated labeler goes through the queue like everybody."""

import numpy as np
import pytest

from icefloe.active.items import NewItem
from icefloe.active.labelers import TruthLabeler
from icefloe.active.uploads import decode_png
from icefloe.datasets.dataset import Dataset, load_datasets
from icefloe.errors import IcefloeError


def test_the_truth_is_submitted_with_three_minutes_an_image(filled, tmp_path):
    datasets = load_datasets(tmp_path / "workspace" / "data")
    assert TruthLabeler().label_all(filled, datasets) == 3
    truths = {sample.stem: sample.truth() for sample in datasets["D3"].samples}
    for label, item in zip(filled.labels(), filled.items("submitted"), strict=True):
        np.testing.assert_array_equal(decode_png(label.png), truths[item.stem])
        assert (label.labeler, label.seconds, label.source) == ("truth", 180.0, "simulation")
    assert filled.status().sentence() == (
        "0 waiting, 0 being labelled, 3 labelled, 0 imported, 0 skipped; 9.0 min of labelling."
    )
    assert TruthLabeler().label_all(filled, datasets) == 0


def test_only_the_named_dataset_is_labelled(filled, tmp_path):
    assert TruthLabeler().label_all(filled, load_datasets(tmp_path / "workspace" / "data"), "D4") == 0


def test_an_image_without_truth_is_given_back(filled, tmp_path):
    folder = tmp_path / "workspace" / "data" / "D3"
    (folder / "truth" / "stack_0.png").unlink()
    with pytest.raises(IcefloeError, match="no truth is kept for this image"):
        TruthLabeler().label_all(filled, {"D3": Dataset.load(folder)})
    with pytest.raises(IcefloeError, match="D3/stack_0: is queued but not among the datasets"):
        TruthLabeler().label_all(filled, {})
    assert filled.status().leased == 0


def test_an_image_for_two_people_gets_the_truth_twice(filled, tmp_path):
    item = filled.items()[0]
    purpose = item.purpose
    filled.add([NewItem("D3", "stack_3", "EA-T2", item.shape, item.classes, purpose, third_below=0.8)])
    assert TruthLabeler().label_all(filled, load_datasets(tmp_path / "workspace" / "data")) == 5
    (twice,) = (item for item in filled.items() if item.third_below)
    assert (twice.state, twice.agreement, twice.labelers) == ("submitted", 1.0, ("truth", "truth, again"))
