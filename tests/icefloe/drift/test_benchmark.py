"""The reference table: reading, growing, writing."""

import json
import math

import pytest

from icefloe.drift.benchmark import Benchmark, image_records, with_evidence
from icefloe.errors import IcefloeError


def row(dataset, index, **features):
    return {"dataset": dataset, "stem": f"stack_{index}", "index": index, **features}


def test_rows_of_a_csv_file_are_read_as_numbers():
    (record,) = image_records(
        [{"dataset": "D1", "stem": "a", "index": "3", "uq_mean": "0.01", "note": "good"}]
    )

    assert record.index == 3
    assert record.features == {"uq_mean": 0.01}
    assert record.experiment == "D1"


def test_a_row_without_its_place_in_time_is_refused():
    with pytest.raises(IcefloeError, match=r"a row has no `index`\. Give one row an image"):
        image_records([{"dataset": "D1", "stem": "a", "uq_mean": 0.01}])


def test_writing_and_reading_gives_the_same_benchmark_through_json():
    benchmark = Benchmark.from_tables(
        [row("D1", 0, uq_mean=0.1), row("D1", 1, uq_mean=0.2), row("D2", 0, uq_mean=0.3)]
    )

    assert Benchmark.from_tables(json.loads(json.dumps(benchmark.to_rows()))) == benchmark


def test_a_score_that_is_not_finite_is_written_as_nothing():
    benchmark = Benchmark.from_tables([row("D1", 0, uq_mean=math.nan, noise=0.1)])

    (record,) = Benchmark.from_tables(json.loads(json.dumps(benchmark.to_rows(), allow_nan=False))).records

    assert record.features == {"noise": 0.1}


def test_accepting_a_dataset_adds_its_experiment_and_accepting_it_again_replaces_it():
    benchmark = Benchmark.from_tables([row("D1", 0, uq_mean=0.1)])

    grown = benchmark.accept([row("D6", 0, uq_mean=0.2), row("D6", 1, uq_mean=0.2)])
    again = grown.accept([row("D6", 0, uq_mean=0.3)])

    assert grown.experiments == ("D1", "D6")
    assert [r.features["uq_mean"] for r in again.of("D6")] == [0.3]


def test_two_datasets_of_one_experiment_count_as_one():
    rows = [row("D1a", 0, uq_mean=0.1, experiment="monday"), row("D1b", 1, uq_mean=0.1, experiment="monday")]

    assert Benchmark.from_tables(rows).experiments == ("monday",)


def test_an_empty_benchmark_is_refused():
    with pytest.raises(IcefloeError, match="Drift benchmark: it holds no image"):
        Benchmark.from_tables([])


def test_evidence_is_added_to_each_row_in_order(rng):
    images = [rng.poisson(50, (64, 64)) for _ in range(2)]

    rows = with_evidence([row("D1", 0, uq_mean=0.1), row("D1", 1, uq_mean=0.2)], images, experiment="monday")

    assert [r["uq_mean"] for r in rows] == [0.1, 0.2]
    assert all(r["experiment"] == "monday" and r["noise"] > 0 for r in rows)
