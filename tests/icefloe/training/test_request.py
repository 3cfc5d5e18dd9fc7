from dataclasses import replace

import numpy as np
import pytest

from icefloe.training.data import PreparedImages, TrainingData
from icefloe.training.identity import joint_identity
from icefloe.training.job import Job
from icefloe.training.request import read_request, request_bytes


@pytest.fixture
def tiles(data) -> TrainingData:
    """Images of sizes of their own, which training cuts."""
    train = PreparedImages(
        ("D2/a", "D2/b"),
        tuple(np.ones((64, width), np.float32) for width in (80, 96)),
        tuple(np.ones((64, width), np.uint8) for width in (80, 96)),
        crop=64,
    )
    return TrainingData(train, train, ("background", "ice", "frost"), np.array([True, False]))


def test_trainings_are_read_as_they_were_sent(spec, data, tiles, config, tmp_path):
    initial = {"encoder.weight": np.arange(6, dtype=np.float32).reshape(2, 3).T, "steps": np.array(7)}
    jobs = [
        Job("one", spec, data, config, "s3://bucket/one"),
        Job("two", spec.model_copy(update={"seed": 1}), data, config, "s3://bucket/two", initial, "EA-T1"),
        Job("three", spec, tiles, config.model_copy(update={"epochs": 9}), "s3://bucket/three"),
    ]
    (tmp_path / "request").write_bytes(request_bytes(jobs))
    read = read_request(tmp_path / "request")
    for job, found in zip(jobs, read, strict=True):
        assert replace(found, data=job.data, initial=job.initial).__dict__ == job.__dict__
        assert found.data.sha256 == job.data.sha256
        assert (found.data.classes, found.data.train.crop) == (job.data.classes, job.data.train.crop)
    assert read[0].data is read[1].data  # sent once, and once in memory
    assert read[0].initial is None
    assert read[1].initial.keys() == initial.keys()
    assert all(np.array_equal(read[1].initial[name], initial[name]) for name in initial)
    assert read[1].initial["steps"].shape == ()


def test_the_same_trainings_have_the_same_name_wherever_and_in_whatever_order():
    ones = ["s3://bucket/a/one-12", "s3://bucket/a/two-34"]
    assert joint_identity(ones) == joint_identity(["/disk/two-34", "/disk/one-12"])
    assert joint_identity(ones) != joint_identity(ones[:1])
