"""Real trainings, one after the other in this process instead of on Ray."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from icefloe.active.sampler import SamplerConfig
from icefloe.datasets.splits import SplitConfig
from icefloe.errors import IcefloeError
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.training.config import RetrainingConfig, TrainingConfig
from icefloe.training.fit import fit_member
from icefloe.training.outcome import read_outcome
from studies.label_cost import versions as trained_here
from studies.label_cost.arrivals import arrivals, standard_split
from studies.label_cost.contenders import contenders
from studies.label_cost.curves import Curves
from studies.label_cost.desk import Desk
from studies.label_cost.replay import replay
from studies.label_cost.trial import Trial
from studies.label_cost.versions import Versions
from studies.material import Material

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
    return [read_outcome(job.directory) for job in jobs]


@pytest.fixture(scope="module")
def replayed(data, tmp_path_factory):
    """Desk, outcomes and the checkpoints' folder of one seed, labels 2 and then the whole pool of 8."""
    checkpoints = tmp_path_factory.mktemp("checkpoints")
    material = Material.load(data, ["A", "B", "C"])
    (arrival,) = arrivals(material, ["A", "B"], ["C"])
    trial = Trial.prepare(material, arrival, [2, 8, 20], 2, 1)
    images = material.prepare(material.samples("A", "B", "C"), CONFIG.preprocessing)
    splits = {("A", "B"): standard_split(material, ["A", "B"], SplitConfig())}
    desk = Desk(trial, Versions(material, images, splits, CONFIG, 1, checkpoints))
    compared = contenders(["mean-uq", "entropy"], SamplerConfig())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trained_here, "run_jobs", one_after_the_other)
        return desk, replay([desk], compared), checkpoints


def test_everybody_labels_the_same_number_in_the_pool_and_keeps_what_is_labelled(replayed):
    desk, outcomes, _ = replayed
    assert desk.trial.labels == (2, 8)  # of 20 there are too few
    pool = {sample.index for sample in desk.sides.pool}
    by_contender = {}
    for outcome in outcomes:
        by_contender.setdefault(outcome.contender, []).append(outcome)
    assert list(by_contender) == ["random", "foreground-random", "mean-uq", "entropy"]
    for nothing, some, everything in by_contender.values():
        assert (nothing.labels, some.labels, everything.labels) == (0, 2, 8)
        assert everything.chosen[:2] == some.chosen
        assert len(set(everything.chosen)) == 8
        assert set(everything.chosen) == pool
        assert 0 == nothing.minutes < some.minutes < everything.minutes


def test_the_same_labels_make_the_same_version_whoever_chose_them(replayed):
    desk, outcomes, checkpoints = replayed
    assert len({outcome.dice for outcome in outcomes if outcome.labels == 0}) == 1
    (dice,) = {outcome.dice for outcome in outcomes if outcome.labels == 8}
    assert dice == desk.scores(desk.ceiling).dice
    choices = {frozenset(outcome.chosen) for outcome in outcomes}
    assert len(list(checkpoints.iterdir())) == len(choices) * len(CONFIG.members)


def test_dice_is_that_of_all_test_pixels_at_native_size(replayed):
    desk, _, _ = replayed
    ensemble = desk.versions.ensemble(desk.ceiling)
    tested = desk.sides.test
    drawn = np.concatenate([ensemble.predict_image(sample.image()).mean.ravel() >= 0.5 for sample in tested])
    truth = np.concatenate([sample.truth().ravel() for sample in tested])
    assert truth.size == len(tested) * 64 * 64
    assert desk.scores(desk.ceiling).dice == pytest.approx(f1_score(truth, drawn))


def test_every_retraining_starts_from_the_first_version_and_knows_what_is_new(replayed):
    desk, outcomes, _ = replayed
    versions = desk.versions
    some = next(outcome for outcome in outcomes if outcome.labels == 2)
    recipe = desk.recipe([sample for sample in desk.sides.pool if sample.index in some.chosen])
    first, retrained = versions._trained[recipe.first], versions._trained[recipe]
    for before, after in zip(first, retrained, strict=True):
        assert after.receipt.init_sha256 == before.receipt.weights_sha256
        assert after.receipt.started_from == "A+B"
        assert after.receipt.spec["seed"] // 1000 == 1  # of this repetition
        assert after.receipt.epochs == 1
    data = versions._data(recipe)
    assert [key for key, new in zip(data.train.keys, data.is_new, strict=True) if new] == list(recipe.new)
    assert not set(data.train.keys) & {sample.key for sample in desk.sides.test}


def test_curves_hold_every_outcome_in_its_place(replayed):
    desk, outcomes, _ = replayed
    curves = Curves.of(outcomes, [desk])
    assert curves.labels.tolist() == [0, 2, 8]
    assert curves.dice.shape == (4, 1, 3)
    for outcome in outcomes:
        where = curves.row(outcome.contender), 0, curves.labels.tolist().index(outcome.labels)
        assert curves.dice[where] == outcome.dice
        assert curves.minutes[where] == outcome.minutes
    offered = np.isin(curves.places, [sample.index for sample in desk.sides.pool])
    assert (curves.picked[:, offered] == 1).all()
    assert np.isnan(curves.picked[:, ~offered]).all()
    assert curves.trivial["all background"] == 0


def test_measured_minutes_count_instead_of_the_estimate(replayed):
    desk, _, _ = replayed
    key = desk.sides.pool[0].key
    estimated = desk.drawn(desk.recipe([])).minutes
    again = Desk(
        Trial(
            desk.trial.arrival,
            desk.trial.sides,
            desk.trial.labels,
            desk.trial.natives,
            desk.trial.done,
            {key: 0.75},
        ),
        desk.versions,
    )
    assert again.drawn(desk.recipe([])).minutes == {**estimated, key: 0.75}


def test_more_labels_than_any_pool_has_are_refused(data):
    material = Material.load(data, ["A", "C"])
    (arrival,) = arrivals(material, ["A"], ["C"])
    with pytest.raises(IcefloeError, match=r"^C: 8 images to choose from, and 9 labels asked for\."):
        Trial.prepare(material, arrival, [9], 1, 1)
