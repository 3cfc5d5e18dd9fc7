"""The pages in `docs/studies` are what the studies make of the numbers beside them."""

from pathlib import Path

import pytest

from studies.ea_vs_er.result import EaVsErResult
from studies.gate.result import GateResult
from studies.label_cost.result import LabelCostResult
from studies.transfer.result import TransferResult
from studies.uncertainty.result import UncertaintyResult

DOCS = Path(__file__).parents[2] / "docs" / "studies"
SLOW = pytest.param(LabelCostResult, marks=pytest.mark.integration)  # thousands of resampled curves


@pytest.mark.parametrize("study", [EaVsErResult, GateResult, SLOW, TransferResult, UncertaintyResult])
def test_a_committed_page_is_drawn_from_its_numbers(study):
    result = study.model_validate_json((DOCS / f"{study.name}.json").read_text(encoding="utf-8"))
    page = (DOCS / f"{study.name}.md").read_text(encoding="utf-8")
    assert result.page() == page
    assert len(result.sentence()) < 400
    for figure in result.figures():
        assert f"({study.name}-{figure}.png)" in page
        assert (DOCS / f"{study.name}-{figure}.png").is_file()
