"""Asking for labels: once a round, never for what is labelled, and never twice for one picture."""

import shutil

import numpy as np
import pytest

from icefloe.active.filling import fill
from icefloe.active.labelers import TruthLabeler
from icefloe.active.plan import LabellingPlan
from icefloe.active.queue import Queue
from icefloe.active.region import Region
from icefloe.active.request import request_labels
from icefloe.active.sampler import SamplerConfig, Selection, select
from icefloe.database.open import open_url
from icefloe.database.url import sqlite_url
from icefloe.datasets.dataset import Dataset
from icefloe.ensemble.prediction import Prediction
from icefloe.ensemble.predictions import save_predictions

CONFIG = SamplerConfig(strategy="mean-uq", k=2, spread=0)


@pytest.fixture
def queue(tmp_path, empty_database):
    return Queue(open_url(sqlite_url(shutil.copy(empty_database, tmp_path))))


@pytest.fixture
def predict(tmp_path):
    """Predictions of a dataset whose uncertainty rises with the image's number."""

    def make(dataset):
        shutil.rmtree(tmp_path / "predictions", ignore_errors=True)

        def prediction(sample):
            unsure = 0.05 * (1 + sample.index)
            shape = sample.image().shape
            left = np.arange(shape[1])[None] < shape[1] // 2
            low, high = np.where(left, 0.1, 0.9), np.where(left, 0.1 + unsure, 0.9)
            members = np.broadcast_to(np.stack([low, high])[:, :1], (2, *shape)).astype(np.float32)
            return Prediction.from_members(members, 0.5, np.array([unsure, 1.0], np.float32))

        return save_predictions(
            ((sample, prediction(sample)) for sample in dataset.samples),
            tmp_path / "predictions",
            version="EA-T1",
        )

    return make


def repeat(dataset, original, copy):
    """Make the image `copy` show what `original` shows."""
    images = {sample.stem: sample.image_path for sample in dataset.samples}
    shutil.copyfile(images[original], images[copy])
    return Dataset.load(dataset.path)


def label(dataset, stem):
    (dataset.path / "masks").mkdir(exist_ok=True)
    shutil.copyfile(dataset.path / "truth" / f"{stem}.png", dataset.path / "masks" / f"{stem}.png")
    return Dataset.load(dataset.path)


def stems(selection):
    return [item.stem for item in selection.items]


def test_the_most_uncertain_images_are_queued_with_their_predicted_masks(queue, write_dataset, predict):
    dataset = write_dataset("D3", count=6)
    selection = request_labels(queue, {"D3": dataset}, predict(dataset), CONFIG, "EA-T1")

    assert stems(selection) == ["stack_5", "stack_4"]
    assert [(item.key, item.round, item.has_presegmentation) for item in queue.items()] == [
        ("D3/stack_5", "EA-T1", True),
        ("D3/stack_4", "EA-T1", True),
    ]


def test_each_item_knows_its_uncertainty_whatever_the_strategy(queue, write_dataset, predict):
    dataset, config = write_dataset("D3", count=6), SamplerConfig(strategy="random", k=2, spread=0)
    predictions = predict(dataset)
    request_labels(queue, {"D3": dataset}, predictions, config, "EA-T1")

    expected = dict(zip(predictions.keys, predictions.column("uq_mean"), strict=True))
    for item in queue.items():
        assert item.purpose.uncertainty == pytest.approx(expected[item.key])
        assert item.purpose.score != item.purpose.uncertainty


def test_asked_again_in_the_same_round_it_returns_what_it_chose_then(queue, write_dataset, predict):
    dataset = write_dataset("D3", count=6)
    first = request_labels(queue, {"D3": dataset}, predict(dataset), CONFIG, "EA-T1")
    again = request_labels(queue, {"D3": dataset}, predict(dataset), CONFIG, "EA-T1")

    assert again.items == first.items
    assert len(queue.items()) == 2


def test_after_the_labels_came_the_same_round_asks_for_no_more(queue, write_dataset, predict):
    dataset = write_dataset("D3", count=6)
    first = request_labels(queue, {"D3": dataset}, predict(dataset), CONFIG, "EA-T1")
    TruthLabeler().label_all(queue, {"D3": dataset})
    again = request_labels(queue, {"D3": dataset}, predict(dataset), CONFIG, "EA-T1")

    assert stems(again) == stems(first)
    assert len(queue.items()) == 2


@pytest.mark.parametrize("handed_in", [False, True])
def test_another_round_asks_for_other_images_than_those_asked_for(queue, write_dataset, predict, handed_in):
    dataset = write_dataset("D3", count=6)
    request_labels(queue, {"D3": dataset}, predict(dataset), CONFIG, "EA-T1")
    if handed_in:  # but not in the data yet
        TruthLabeler().label_all(queue, {"D3": dataset})
    second = request_labels(queue, {"D3": dataset}, predict(dataset), CONFIG, "EA-T2")

    assert stems(second) == ["stack_3", "stack_2"]


def test_a_labelled_image_and_its_duplicate_are_not_chosen(queue, write_dataset, predict):
    dataset = label(repeat(write_dataset("D3", count=6), original="stack_5", copy="stack_4"), "stack_5")
    selection = request_labels(queue, {"D3": dataset}, predict(dataset), CONFIG, "EA-T1")

    assert stems(selection) == ["stack_3", "stack_2"]


def test_of_duplicates_only_one_is_chosen(queue, write_dataset, predict):
    dataset = repeat(write_dataset("D3", count=6), original="stack_4", copy="stack_5")
    selection = request_labels(queue, {"D3": dataset}, predict(dataset), CONFIG, "EA-T1")

    assert stems(selection) == ["stack_4", "stack_3"]


def test_of_duplicates_the_first_in_time_is_chosen(queue, write_dataset, predict):
    dataset = repeat(write_dataset("D3", count=12), original="stack_9", copy="stack_11")
    selection = request_labels(queue, {"D3": dataset}, predict(dataset), CONFIG, "EA-T1")

    assert stems(selection) == ["stack_10", "stack_9"]


def test_nothing_keeps_away_from_a_duplicate_that_is_not_asked_for(queue, write_dataset, predict):
    dataset = repeat(write_dataset("D3", count=6), original="stack_3", copy="stack_4")
    far_apart = SamplerConfig(strategy="mean-uq", k=2, spread=0.5)  # at least 1.5 frames
    selection = request_labels(queue, {"D3": dataset}, predict(dataset), far_apart, "EA-T1")

    assert stems(selection) == ["stack_5", "stack_3"]


def test_where_labels_were_held_back_an_image_without_one_is_not_asked_for(queue, write_dataset, predict):
    dataset = repeat(write_dataset("D3", count=6), original="stack_4", copy="stack_3")
    for stem in ("stack_5", "stack_3"):
        (dataset.path / "truth" / f"{stem}.png").unlink()
    dataset = Dataset.load(dataset.path)
    selection = request_labels(queue, {"D3": dataset}, predict(dataset), CONFIG, "EA-T1")

    assert stems(selection) == ["stack_4", "stack_2"]


def test_a_duplicate_of_an_image_that_waits_is_not_chosen(queue, write_dataset, predict):
    dataset = repeat(write_dataset("D3", count=6), original="stack_5", copy="stack_1")
    # Alone, as the first of the pair, stack_1 is chosen when nothing else is left.
    only_first = SamplerConfig(strategy="mean-uq", k=5, spread=0)
    first = request_labels(queue, {"D3": dataset}, predict(dataset), only_first, "EA-T1")
    second = request_labels(queue, {"D3": dataset}, predict(dataset), only_first, "EA-T2")

    assert sorted(stems(first)) == ["stack_0", "stack_1", "stack_2", "stack_3", "stack_4"]
    assert second.items == ()
    assert len(queue.items()) == 5


def test_an_image_that_is_labelled_or_waits_in_another_dataset_is_not_asked_for(
    queue, write_dataset, predict
):
    twins = {"D3": write_dataset("D3", count=6), "D4": write_dataset("D4", count=6)}
    twins["D3"] = label(twins["D3"], "stack_5")
    request_labels(queue, {"D3": twins["D3"]}, predict(twins["D3"]), CONFIG, "EA-T1", workspace=twins)
    predictions = predict(twins["D4"])
    second = request_labels(queue, {"D4": twins["D4"]}, predictions, CONFIG, "EA-T1", workspace=twins)

    assert [item.key for item in queue.items(dataset="D3")] == ["D3/stack_4", "D3/stack_3"]
    assert stems(second) == ["stack_2", "stack_1"]


def test_when_every_image_has_a_label_nothing_is_queued(queue, write_dataset, predict):
    dataset = write_dataset("D3", count=2)
    dataset = label(label(dataset, "stack_0"), "stack_1")
    selection = request_labels(queue, {"D3": dataset}, predict(dataset), CONFIG, "EA-T1")

    assert selection.sentence() == "Nothing to label: every image has a label."
    assert queue.items() == []


def test_a_chosen_share_goes_to_two_people_or_without_the_presegmentation(queue, write_dataset, predict):
    dataset = write_dataset("D3", count=6)
    plan = LabellingPlan(two_labelers=1, third_below=0.7, without_presegmentation=1)
    config = SamplerConfig(strategy="mean-uq", k=2, spread=0, labelling=plan)
    request_labels(queue, {"D3": dataset}, predict(dataset), config, "EA-T1")
    assert [(item.third_below, item.arm, item.predicted_by) for item in queue.items()] == [
        (0.7, "without", "EA-T1"),
        (0.7, "without", "EA-T1"),
    ]


def test_by_default_one_person_labels_each_with_its_presegmentation(queue, write_dataset, predict):
    dataset = write_dataset("D3", count=6)
    request_labels(queue, {"D3": dataset}, predict(dataset), CONFIG, "EA-T1")
    assert {(item.third_below, item.arm) for item in queue.items()} == {(None, None)}


def test_regions_that_were_chosen_are_queued_and_come_back_when_asked_again(queue, write_dataset, predict):
    dataset = write_dataset("D3", count=3)
    predictions, datasets = predict(dataset), {"D3": dataset}
    regions = (Region(0, 0, 8, 16), Region(40, 60, 24, 24))
    selection = select(predictions, CONFIG, np.random.default_rng(0), set(), set())
    first, second = selection.items
    chosen = selection.model_copy(update={"items": (first.model_copy(update={"regions": regions}), second)})

    assert fill(queue, chosen, predictions, datasets, "EA-T1") == 2
    assert [item.regions for item in queue.items()] == [regions, ()]
    again = request_labels(queue, datasets, predictions, CONFIG, "EA-T1")
    assert [item.regions for item in again.items] == [regions, ()]
    assert Selection.model_validate_json(chosen.model_dump_json()) == chosen
