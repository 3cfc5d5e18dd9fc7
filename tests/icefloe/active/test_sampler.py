"""The sampler: k images, unlabelled, apart in time, the same for the same seed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from icefloe.active.filling import fill
from icefloe.active.queue import Queue
from icefloe.active.sampler import SamplerConfig, Selection, select
from icefloe.active.strategies import STRATEGIES
from icefloe.active.uploads import decode_png
from icefloe.database.open import open_url
from icefloe.database.url import sqlite_url
from icefloe.ensemble.prediction import SCORES, Prediction
from icefloe.ensemble.predictions import PredictionSet, save_predictions
from icefloe.ensemble.rows import ImageRow
from icefloe.errors import IcefloeError

ALL = sorted(STRATEGIES)


def indices(selection) -> list[int]:
    return [int(item.stem.split("_")[1]) for item in selection.items]


@pytest.mark.parametrize("name", ALL)
def test_one_seed_gives_one_selection(make_predictions, name):
    predictions = make_predictions({"D3": 30})
    config = SamplerConfig(strategy=name, k=4)
    first, second = (select(predictions, config, np.random.default_rng(5)) for _ in range(2))
    assert first == second
    assert [item.rank for item in first.items] == [1, 2, 3, 4]
    assert len({item.key for item in first.items}) == 4


@pytest.mark.parametrize("name", ALL)
def test_labelled_images_are_not_chosen(make_predictions, rng, name):
    labelled = {f"D3/stack_{number}" for number in range(0, 30, 2)}
    selection = select(make_predictions({"D3": 30}), SamplerConfig(strategy=name, k=15), rng, labelled)
    assert {item.key for item in selection.items} == {f"D3/stack_{number}" for number in range(1, 30, 2)}


def test_fewer_images_than_asked_for_are_all_taken_and_it_is_said(make_predictions, rng):
    selection = select(
        make_predictions({"D3": 3}), SamplerConfig(strategy="random", k=5), rng, {"D3/stack_1"}
    )
    assert {item.key for item in selection.items} == {"D3/stack_0", "D3/stack_2"}
    assert selection.sentence().startswith(
        "2 of 2 unlabelled images chosen by random (5 were asked for): D3/"
    )


def test_nothing_to_label_is_said(make_predictions, rng):
    selection = select(make_predictions({"D3": 1}), SamplerConfig(), rng, {"D3/stack_0"})
    assert selection.items == ()
    assert selection.to_markdown() == "Nothing to label: every image has a label.\n"


def test_k_must_be_one_or_more():
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        SamplerConfig(k=0)


def test_an_unknown_strategy_is_refused_where_it_is_configured():
    with pytest.raises(IcefloeError, match="'magic' is not a sampling strategy"):
        SamplerConfig(strategy="magic")


def test_the_best_neighbour_is_passed_over_for_a_distant_frame(make_predictions, rng):
    scores = np.linspace(0, 0.1, 30)
    scores[[20, 21, 3]] = 0.9, 0.8, 0.5
    predictions = make_predictions({"D3": 30}, uq_mean=scores)
    assert indices(select(predictions, SamplerConfig(strategy="mean-uq", k=2), rng)) == [20, 3]
    assert indices(select(predictions, SamplerConfig(strategy="mean-uq", k=2, spread=0), rng)) == [20, 21]


def test_a_gap_is_kept_to_labelled_frames_too(make_predictions, rng):
    predictions = make_predictions({"D3": 30}, uq_mean=[1.0] * 15 + [0.0] * 15)
    config = SamplerConfig(strategy="mean-uq", k=1, spread=0.3)  # 9 frames
    assert indices(select(predictions, config, rng, {"D3/stack_5"})) == [14]


def test_frames_of_other_datasets_are_no_neighbours(make_predictions, rng):
    predictions = make_predictions({"D3": 10, "D4": 10}, uq_mean=[1, *[0] * 9] * 2)
    selection = select(predictions, SamplerConfig(strategy="mean-uq", k=2), rng)
    assert [item.key for item in selection.items] == ["D3/stack_0", "D4/stack_0"]


def test_ties_go_to_the_earlier_frame_however_the_table_is_sorted(make_predictions, rng):
    table = make_predictions({"D3": 12}, uq_mean=[0.5] * 12)
    shuffled = PredictionSet(table.path, table.rows[::-1], table.features[::-1])
    config = SamplerConfig(strategy="mean-uq", k=2, spread=1)
    assert indices(select(table, config, rng)) == indices(select(shuffled, config, rng)) == [0, 6]


@given(
    count=st.integers(1, 25),
    k=st.integers(1, 30),
    spread=st.floats(0, 1),
    name=st.sampled_from(ALL),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
@settings(deadline=None)  # machines under load take longer
def test_always_as_many_different_unlabelled_images_as_there_are(count, k, spread, name, seed, data):
    rng = np.random.default_rng(seed)
    rows = tuple(
        ImageRow("D3", f"s{i}", i, {score: float(rng.integers(0, 3)) / 2 for score in SCORES})
        for i in range(count)
    )
    predictions = PredictionSet(Path(), rows, rng.integers(0, 2, (count, 2)).astype(np.float32))
    labelled = data.draw(st.sets(st.sampled_from(predictions.keys)))
    selection = select(predictions, SamplerConfig(strategy=name, k=k, spread=spread), rng, labelled)
    keys = {item.key for item in selection.items}
    assert len(keys) == len(selection.items) == min(k, count - len(labelled))
    assert not keys & labelled
    assert all(np.isfinite(item.score) for item in selection.items)


def test_a_score_that_is_no_number_is_refused(make_predictions, rng):
    predictions = make_predictions({"D3": 3}, entropy=[0.1, np.nan, 0.1])
    with pytest.raises(IcefloeError, match=r"D3/stack_1: a score is not a finite number. Predict the images"):
        select(predictions, SamplerConfig(), rng)


def test_a_selection_shows_why_each_image_was_chosen(make_predictions, rng):
    selection = select(
        make_predictions({"D3": 3}, uq_mean=[0.1, 0.3, 0.2]), SamplerConfig(strategy="mean-uq", k=1), rng
    )
    sentence, _, head, _, row = (" ".join(line.split()) for line in selection.to_markdown().splitlines())
    assert sentence == "1 of 3 unlabelled images chosen by mean-uq: D3/stack_1."
    assert head == "| rank | image | score | why |"
    assert row == "| 1 | D3/stack_1 | 0.3 | mean uncertainty 0.3, rank 1 of 3 images |"
    assert Selection.model_validate_json(selection.model_dump_json()) == selection
    assert selection.figure().axes[0].get_xlabel() == "score by mean-uq"
    assert selection.model_dump()["items"][0]["reason"] == "mean uncertainty 0.3, rank 1 of 3 images"


def test_a_selection_fills_the_queue_with_reasons_and_predicted_masks_once(tmp_path, write_dataset, rng):
    dataset = write_dataset()

    def prediction(sample):
        members = np.clip(sample.truth() + rng.normal(0, 0.2, (2, 96, 128)), 0, 1).astype(np.float32)
        flat = members.std(axis=0)
        mask = (members.mean(axis=0) > 0.4).astype(np.uint8)
        return sample, Prediction(members.mean(axis=0), flat, flat, flat, flat, mask, np.ones(3, np.float32))

    predictions = save_predictions(map(prediction, dataset.samples), tmp_path / "predictions")
    selection = select(predictions, SamplerConfig(k=2), rng)
    queue = Queue(open_url(sqlite_url(tmp_path / "queue.db")))
    assert fill(queue, selection, predictions, {"D3": dataset}, "EA-T1") == 2
    assert fill(queue, selection, predictions, {"D3": dataset}, "EA-T1") == 0
    item = queue.items()[0]
    assert (item.key, item.purpose.reason) == (selection.items[0].key, selection.items[0].reason)
    np.testing.assert_array_equal(decode_png(queue.presegmentation(item.id)), predictions.maps(item.key).mask)
