"""Which trainings are asked for; `run_jobs` itself is tested in `tests/icefloe/training`."""

import dataclasses

import numpy as np
import pytest

from icefloe.datasets.dataset import DatasetInfo
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.settings import Settings
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import write_dataset
from icefloe.training.config import TrainingConfig
from icefloe.training.fit import fit_member
from icefloe.training.outcome import is_finished, read_outcome
from icefloe.training.store import open_store
from studies.kit import training
from studies.kit.data import StudyData
from studies.kit.training import Network, Trainer

SPEC = MemberSpec(encoder="mobilenet_v2", decoder_channels=(8, 8, 8))
CONFIG = TrainingConfig(members=(SPEC,), preprocessing=Preprocessing(size=64), epochs=1, batch_size=2)
OLD = tuple(f"A/composite_{index:03d}" for index in range(3))
FIRST = Network("T1", SPEC, CONFIG, OLD[:2], OLD[2:])
SECOND = dataclasses.replace(
    FIRST, version="T2", train=(*OLD[:2], "B/composite_000"), new=("B/composite_000",), start=FIRST
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    spec = ExperimentSpec(size_px=64, pixel_size_nm=7.5, n_composites=3)
    for seed, (name, labelled) in enumerate({"A": True, "B": False}.items()):
        info = DatasetInfo(name=name, experiment=name, pixel_size_nm=7.5)
        write_dataset(simulate_experiment(spec, seed), folder / name, info, labelled=labelled)
    return StudyData.load(folder, ["A", "B"])


@pytest.fixture
def asked(monkeypatch):
    """Names of the trainings asked for, call by call; those not finished run in this process."""
    calls = []

    def run(jobs, **_):
        calls.append([job.name for job in jobs])
        for job in jobs:
            if not is_finished(open_store(job.directory)):
                fit_member(
                    *(job.spec, job.data, job.config, job.directory),
                    initial=job.initial,
                    started_from=job.started_from,
                )
        return [read_outcome(open_store(job.directory)) for job in jobs]

    monkeypatch.setattr(training, "run_jobs", run)
    return calls


def test_a_network_is_trained_once_and_after_the_one_it_starts_from(data, asked, tmp_path):
    trainer = Trainer(data, Settings(workspace=tmp_path))
    second, first, again = trainer.train([SECOND, FIRST, dataclasses.replace(SECOND)])
    assert asked == [["T1 mobilenet_v2-unet-s0"], ["T2 mobilenet_v2-unet-s0"]]
    assert again is second
    assert second.receipt.init_sha256 == first.receipt.weights_sha256
    assert second.receipt.started_from == "T1"
    trainer.train([FIRST])
    assert len(asked) == 2


def test_what_an_earlier_run_finished_is_found_under_another_version_name_too(data, asked, tmp_path):
    (first,) = Trainer(data, Settings(workspace=tmp_path)).train([FIRST])
    (found,) = Trainer(data, Settings(workspace=tmp_path)).train([dataclasses.replace(FIRST, version="A")])
    assert found.weights == first.weights
    assert len(list((tmp_path / ".icefloe" / "checkpoints").iterdir())) == 1


def test_training_data_are_references_and_know_which_images_are_new(data, tmp_path):
    made = Trainer(data, Settings(workspace=tmp_path)).training_data(SECOND)
    assert made.train.keys == SECOND.train
    assert made.is_new.tolist() == [False, False, True]
    assert made.classes == ("background", "ice")
    expected = [sample.reference() for sample in (*data.samples("A")[:2], data.samples("B")[0])]
    np.testing.assert_array_equal(made.train.masks, expected)


def test_images_are_read_once_and_given_in_the_order_asked_for(data, tmp_path, monkeypatch):
    read, prepare = [], training.prepare_images
    monkeypatch.setattr(
        training, "prepare_images", lambda samples, how: read.append(len(samples)) or prepare(samples, how)
    )
    trainer, samples = Trainer(data, Settings(workspace=tmp_path)), data.samples("A")
    forward = trainer.prepare(samples, CONFIG.preprocessing)
    backward = trainer.prepare(samples[::-1], CONFIG.preprocessing)
    assert read == [3, 0]
    assert backward.keys == OLD[::-1]
    np.testing.assert_array_equal(backward.images, forward.images[::-1])
