import hashlib
from datetime import UTC, datetime

import numpy as np
import pytest

from icefloe.datasets.dataset import Dataset
from icefloe.datasets.label_history import add_labels
from icefloe.datasets.provenance import lineage
from icefloe.errors import IcefloeError


def test_lineage_says_which_files_and_which_labels_by_whom(make_dataset):
    dataset = make_dataset(labelled=range(1))
    time = datetime(2025, 3, 4, tzinfo=UTC)
    dataset = add_labels(dataset.path, {"stack_2": np.zeros((48, 64), np.uint8)}, "Ada", time, "queue", 70)
    came_along, queued, unlabelled = lineage({"D1": dataset}, ["D1/stack_1", "D1/stack_2", "D1/stack_3"])
    assert came_along.image_sha256 == hashlib.sha256(dataset.samples[0].image_path.read_bytes()).hexdigest()
    assert came_along.labels == ()
    assert [(r.author, r.source, r.seconds) for r in queued.labels] == [("Ada", "queue", 70)]
    assert (
        queued.label_sha256 == hashlib.sha256((dataset.path / "masks/stack_2.png").read_bytes()).hexdigest()
    )
    assert unlabelled.label_sha256 is None
    assert queued.to_dict()["labels"][0]["time"] == "2025-03-04T00:00:00+00:00"


def test_an_unknown_sample_is_refused(make_dataset):
    dataset: Dataset = make_dataset()
    with pytest.raises(IcefloeError, match="D9/stack_1: no such sample"):
        lineage({"D1": dataset}, ["D9/stack_1"])
