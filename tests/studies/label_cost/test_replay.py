"""Real trainings, one after the other in this process instead of on Ray."""

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import f1_score

from icefloe.active.sampler import SamplerConfig
from icefloe.datasets.splits import SplitConfig
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.settings import Settings
from icefloe.training.config import RetrainingConfig, TrainingConfig
from icefloe.training.fit import fit_member
from icefloe.training.outcome import read_outcome
from icefloe.training.store import open_store
from studies.kit import training
from studies.kit.data import StudyData
from studies.kit.training import Trainer
from studies.label_cost.design import arriving_datasets, compared_strategies, standard_split
from studies.label_cost.replay import Repetition, replay
from studies.label_cost.result import DatasetSummary

LIGHT = MemberSpec(encoder="mobilenet_v2", decoder_channels=(8, 8, 8))
CONFIG = TrainingConfig(
    members=(LIGHT, LIGHT.model_copy(update={"seed": 1})),
    preprocessing=Preprocessing(size=64),
    epochs=4,
    draws_per_epoch=16,
    learning_rate=3e-3,
    retraining=RetrainingConfig(epochs=1),
)


def one_after_the_other(jobs, **_):
    for job in jobs:
        fit_member(
            *(job.spec, job.data, job.config, job.directory),
            initial=job.initial,
            started_from=job.started_from,
        )
    return [read_outcome(open_store(job.directory)) for job in jobs]


@pytest.fixture(scope="module")
def replayed(data, tmp_path_factory):
    """Repetition, outcomes and the trainer of one seed, labels 2 and then the whole pool of 8."""
    settings = Settings(workspace=tmp_path_factory.mktemp("workspace"))
    loaded = StudyData.load(data, ["A", "B", "C"])
    (arriving,) = arriving_datasets(loaded, ["A", "B"], ["C"], [2, 8, 20], 2)
    trainer, split = Trainer(loaded, settings), standard_split(loaded, ["A", "B"], SplitConfig())
    repetition = Repetition(arriving, 1, trainer, split, CONFIG)
    compared = compared_strategies(["mean-uq", "entropy"], SamplerConfig())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "run_jobs", one_after_the_other)
        return repetition, replay(trainer, [repetition], compared), trainer, settings.checkpoints


def test_everybody_labels_the_same_number_in_the_pool_and_keeps_what_is_labelled(replayed):
    repetition, outcomes, *_ = replayed
    pool = {sample.index for sample in repetition.division.pool}
    by_strategy = {}
    for outcome in outcomes:
        by_strategy.setdefault(outcome.strategy, []).append(outcome)
    assert list(by_strategy) == ["random", "foreground-random", "mean-uq", "entropy"]
    for nothing, some, everything in by_strategy.values():
        assert (nothing.labels, some.labels, everything.labels) == (0, 2, 8)
        assert everything.frames[:2] == some.frames
        assert len(set(everything.frames)) == 8
        assert set(everything.frames) == pool
        assert 0 == nothing.minutes < some.minutes < everything.minutes


def test_the_same_labels_make_the_same_version_whoever_chose_them(replayed):
    repetition, outcomes, _, checkpoints = replayed
    assert len({outcome.dice for outcome in outcomes if outcome.labels == 0}) == 1
    (dice,) = {outcome.dice for outcome in outcomes if outcome.labels == 8}
    assert dice == repetition.scores(repetition.whole_pool).dice
    choices = {frozenset(outcome.frames) for outcome in outcomes}
    assert len(list(checkpoints.iterdir())) == len(choices) * len(CONFIG.members)


def test_dice_is_that_of_all_test_pixels_at_native_size(replayed):
    repetition, *_ = replayed
    ensemble = repetition.ensemble(repetition.whole_pool)
    tested = repetition.division.test
    drawn = np.concatenate([ensemble.predict_image(sample.image()).mean.ravel() >= 0.5 for sample in tested])
    truth = np.concatenate([sample.truth().ravel() for sample in tested])
    assert truth.size == len(tested) * 64 * 64
    assert repetition.scores(repetition.whole_pool).dice == pytest.approx(f1_score(truth, drawn))


def test_every_retraining_starts_from_the_first_version_and_knows_what_is_new(replayed):
    repetition, outcomes, trainer, _ = replayed
    some = next(outcome for outcome in outcomes if outcome.labels == 2)
    chosen = repetition.labelled(s for s in repetition.division.pool if s.index in some.frames)
    networks = repetition.networks(chosen)
    first, retrained = (trainer.train(each) for each in (repetition.networks(()), networks))
    for before, after in zip(first, retrained, strict=True):
        assert after.receipt.init_sha256 == before.receipt.weights_sha256
        assert after.receipt.started_from == "A+B"
        assert after.receipt.spec["seed"] // 1000 == 1  # of this repetition
        assert after.receipt.epochs == 1
    data = trainer.training_data(networks[0])
    assert [key for key, new in zip(data.train.keys, data.is_new, strict=True) if new] == list(chosen)
    assert not set(data.train.keys) & {sample.key for sample in repetition.division.test}


def test_a_summary_says_how_often_each_image_was_chosen_of_those_offered(replayed):
    repetition, outcomes, *_ = replayed
    summary = DatasetSummary.of([repetition], outcomes)
    offered = {sample.index for sample in repetition.division.pool}
    assert summary.frames == tuple(range(12))
    for shares in summary.picked.values():
        assert shares == tuple(1.0 if frame in offered else None for frame in summary.frames)
    assert summary.whole_pool == (repetition.scores(repetition.whole_pool).dice,)
    assert summary.baselines["all background"] == 0


def test_measured_minutes_count_instead_of_the_estimate(replayed):
    repetition, _, trainer, _ = replayed
    key = repetition.division.pool[0].key
    timed = dataclasses.replace(repetition.dataset, measured={key: 0.75})
    split = standard_split(trainer.data, ["A", "B"], SplitConfig())
    again = Repetition(timed, 1, trainer, split, CONFIG)
    estimated = repetition.pool_predictions(()).minutes
    assert again.pool_predictions(()).minutes == {**estimated, key: 0.75}
