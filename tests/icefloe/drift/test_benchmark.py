"""The reference table: growing, and the evidence it is made of."""

import pytest

from icefloe.drift.benchmark import Benchmark, with_evidence
from icefloe.ensemble.rows import ImageRow
from icefloe.errors import IcefloeError


def row(dataset, index, experiment=None, **values):
    return ImageRow(dataset, f"stack_{index}", index, values, experiment)


def test_accepting_a_dataset_adds_its_experiment_and_accepting_it_again_replaces_it():
    benchmark = Benchmark.from_rows([row("D1", 0, uq_mean=0.1)])

    grown = benchmark.accept([row("D6", 0, uq_mean=0.2), row("D6", 1, uq_mean=0.2)])
    again = grown.accept([row("D6", 0, uq_mean=0.3)])

    assert grown.experiments == ("D1", "D6")
    assert [r.values["uq_mean"] for r in again.of("D6")] == [0.3]


def test_two_datasets_of_one_experiment_count_as_one():
    rows = [row("D1a", 1, uq_mean=0.1, experiment="monday"), row("D1b", 0, uq_mean=0.1, experiment="monday")]
    benchmark = Benchmark.from_rows(rows)

    assert benchmark.experiments == ("monday",)
    assert benchmark.of("monday") == (rows[1], rows[0])


def test_an_empty_benchmark_is_refused():
    with pytest.raises(IcefloeError, match="Drift benchmark: it holds no image"):
        Benchmark.from_rows([])


def test_evidence_is_added_to_each_row_in_order(rng):
    images = [rng.poisson(50, (64, 64)) for _ in range(2)]

    rows = with_evidence([row("D1", 0, uq_mean=0.1), row("D1", 1, uq_mean=0.2)], images, experiment="monday")

    assert [r.values["uq_mean"] for r in rows] == [0.1, 0.2]
    assert all(r.experiment == "monday" and r.values["noise"] > 0 for r in rows)
