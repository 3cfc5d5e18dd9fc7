"""The pages in `docs/studies` are what the studies make of the numbers beside them."""

import json
from pathlib import Path

import pytest

from studies.ea_vs_er.result import EaVsErResult
from studies.gate.result import GateResult
from studies.kit.study import StudyResult, compact_json
from studies.label_cost.result import LabelCostResult
from studies.transfer.result import TransferResult
from studies.uncertainty.result import UncertaintyResult

DOCS = Path(__file__).parents[2] / "docs" / "studies"
STUDIES = [EaVsErResult, GateResult, LabelCostResult, TransferResult, UncertaintyResult]


def committed(study: type[StudyResult]) -> StudyResult:
    return study.model_validate_json((DOCS / f"{study.name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("study", STUDIES)
def test_a_committed_page_is_drawn_from_its_numbers(study):
    result, page = committed(study), (DOCS / f"{study.name}.md").read_text(encoding="utf-8")
    assert result.page() == page
    assert len(result.sentence()) < 400
    for figure in result.figures():
        assert f"({study.name}-{figure}.png)" in page
        assert (DOCS / f"{study.name}-{figure}.png").is_file()


@pytest.mark.parametrize("study", STUDIES)
def test_committed_numbers_are_written_again_as_they_are(study):
    numbers = json.loads(committed(study).model_dump_json())
    assert compact_json(numbers) + "\n" == (DOCS / f"{study.name}.json").read_text(encoding="utf-8")


@pytest.mark.integration  # thousands of resampled curves
def test_what_the_page_says_of_labels_follows_from_the_outcomes_beside_it():
    result = committed(LabelCostResult)
    how = result.model_dump(exclude={"datasets", "outcomes", "best", "comparisons", "best_cross_validated"})
    assert LabelCostResult.of(result.datasets, result.outcomes, **how) == result
