"""Real trainings, one after the other in this process instead of on Ray."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from icefloe.active.region import Region
from icefloe.active.sampler import SamplerConfig
from icefloe.datasets.splits import SplitConfig
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.settings import Settings
from icefloe.training.config import RetrainingConfig, TrainingConfig
from icefloe.training.fit import fit_member
from icefloe.training.outcome import read_outcome
from icefloe.training.store import open_store
from icefloe.typing import IGNORE
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
    """Repetition, outcomes and the trainer of one seed: 30 s of labels, and then the whole pool of 8."""
    settings = Settings(workspace=tmp_path_factory.mktemp("workspace"))
    loaded = StudyData.load(data, ["A", "B", "C"])
    (arriving,) = arriving_datasets(loaded, ["A", "B"], ["C"], 2)
    trainer, split = Trainer(loaded, settings), standard_split(loaded, ["A", "B"], SplitConfig())
    repetition = Repetition(arriving, 1, trainer, split, CONFIG)
    compared = compared_strategies(["mean-uq"], SamplerConfig(strategy="entropy"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "run_jobs", one_after_the_other)
        outcomes = replay(trainer, [repetition], compared, [30, 10_000])
        return repetition, outcomes, trainer, settings.checkpoints


def by_strategy(outcomes):
    found = {}
    for outcome in outcomes:
        found.setdefault(outcome.strategy, []).append(outcome)
    return found


def test_everybody_labels_for_the_same_time_and_keeps_what_is_labelled(replayed):
    repetition, outcomes, *_ = replayed
    pool = {sample.index for sample in repetition.division.pool}
    rounds = by_strategy(outcomes)
    images = ["random", "foreground-random", "entropy", "mean-uq"]
    assert list(rounds) == [*images, "random-regions", "uncertain-regions"]
    for name, (nothing, some, everything) in rounds.items():
        assert (nothing.budget, some.budget, everything.budget) == (0, 30, 10_000)
        assert (nothing.seconds, nothing.clicks, nothing.images, nothing.frames) == (0, 0, 0, ())
        assert 30 <= some.seconds < everything.seconds < 10_000
        assert 0 < some.clicks < everything.clicks
        assert set(some.frames) <= pool
        assert set(everything.frames) == pool
        assert everything.images == 8
        assert everything.regions == (0 if name in images else 8 * 16)
        assert some.images == len(some.frames)


def test_regions_are_of_more_images_than_whole_ones_would_be(replayed):
    _, outcomes, *_ = replayed
    rounds = by_strategy(outcomes)
    for name in ("random-regions", "uncertain-regions"):
        assert rounds[name][1].images > rounds["random"][1].images
        assert rounds[name][1].regions >= rounds[name][1].images


def test_the_same_labels_make_the_same_version_whoever_chose_them(replayed):
    repetition, outcomes, *_ = replayed
    assert len({outcome.dice for outcome in outcomes if outcome.budget == 0}) == 1
    (of_images,) = {o.dice for o in outcomes if o.budget == 10_000 and not o.regions}
    assert of_images == repetition.scores(repetition.whole_pool).dice
    (of_regions,) = {o.dice for o in outcomes if o.budget == 10_000 and o.regions}
    assert of_regions == pytest.approx(of_images)  # all tiles together are the image


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
    some = next(outcome for outcome in outcomes if outcome.budget == 30 and not outcome.regions)
    chosen = repetition.in_order({s.key: () for s in repetition.division.pool if s.index in some.frames})
    networks = repetition.networks(chosen)
    first, retrained = (trainer.train(each) for each in (repetition.networks(()), networks))
    for before, after in zip(first, retrained, strict=True):
        assert after.receipt.init_sha256 == before.receipt.weights_sha256
        assert after.receipt.started_from == "A+B"
        assert after.receipt.spec["seed"] // 1000 == 1  # of this repetition
        assert after.receipt.epochs == 1
    data = trainer.training_data(networks[0])
    assert [key for key, new in zip(data.train.keys, data.is_new, strict=True) if new] == [
        key for key, _ in chosen
    ]
    assert not set(data.train.keys) & {sample.key for sample in repetition.division.test}


def test_a_version_of_regions_learns_nothing_of_what_lies_outside_them(replayed):
    repetition, _, trainer, _ = replayed
    sample = repetition.division.pool[0]
    regions = (Region(0, 0, 16, 16), Region(48, 16, 16, 16))
    (network, _) = repetition.networks(repetition.in_order({sample.key: regions[::-1]}))
    data = trainer.training_data(network)
    mask = data.train.masks[data.train.keys.index(sample.key)]
    labelled = regions[0].mask((64, 64)) | regions[1].mask((64, 64))
    np.testing.assert_array_equal(mask[labelled], sample.truth()[labelled])
    assert (mask[~labelled] == IGNORE).all()
    whole = trainer.training_data(repetition.networks(repetition.in_order({sample.key: ()}))[0])
    np.testing.assert_array_equal(whole.train.masks[-1], sample.truth())
    others = data.train.masks[:-1]
    assert all(np.array_equal(*pair) for pair in zip(others, whole.train.masks[:-1], strict=True))


def test_uncertain_regions_are_where_the_members_disagree(replayed):
    repetition, *_ = replayed
    of_pool = repetition.pool_predictions(())
    prediction = repetition.ensemble(()).predict_image(repetition.division.pool[0].image())
    of_image = of_pool.candidates[:16]
    assert {each.key for each in of_image} == {repetition.division.pool[0].key}
    for each in of_image:
        expected = prediction.std[each.region.mask((64, 64))].mean()
        assert each.disagreement == pytest.approx(expected, rel=1e-5)


def test_a_summary_says_how_often_each_image_was_chosen_of_those_offered(replayed):
    repetition, outcomes, *_ = replayed
    summary = DatasetSummary.of([repetition], outcomes)
    offered = {sample.index for sample in repetition.division.pool}
    assert summary.frames == tuple(range(12))
    for shares in summary.picked.values():
        assert shares == tuple(1.0 if frame in offered else None for frame in summary.frames)
    assert summary.whole_pool == (repetition.scores(repetition.whole_pool).dice,)
    assert summary.baselines["all background"] == 0
    assert not summary.is_simulated  # as far as its dataset.yaml says
