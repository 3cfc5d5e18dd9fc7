import pytest

from icefloe.drift.config import GateConfig
from icefloe.statistics.rates import Rate
from studies.gate.design import CAUSES
from studies.gate.result import GateResult, JudgedDataset
from studies.gate.rows import AlarmRate, Confusion, SmallestShift, UncertaintyPower
from studies.kit.tables import tables_in


def made(hits, total=200, smallest=0.1, **fields):
    def rates(evidence):
        yield AlarmRate(
            evidence=evidence, n_images=10, cause=None, strength=0.0, rate=Rate(hits=hits, total=total)
        )
        for cause in CAUSES:
            yield AlarmRate(
                evidence=evidence, n_images=10, cause=cause, strength=0.5, rate=Rate(hits=3, total=4)
            )

    confusion = Confusion.of(("a",), [("a", "a"), ("none", "accepted")])
    return GateResult(
        ensemble="EA-T1",
        experiments=("D1", "D2"),
        config=GateConfig(),
        per_day=4,
        rates=(*rates("all"), *rates("older benchmark")),
        raised_by={"noise": 0.01},
        by_size={1: Rate(hits=1, total=10)},
        smallest=tuple(
            SmallestShift(
                cause=cause,
                n_images=10,
                strength=None if cause == "defocus" else smallest,
                low=0.05,
                high=None,
            )
            for cause in CAUSES
        ),
        groups=confusion,
        causes=confusion,
        by_strength={0.5: Rate(hits=1, total=2), 0.05: Rate(hits=0, total=0)},
        spreads=(),
        datasets=(),
        fitted="a test",
        **fields,
    )


@pytest.mark.parametrize(
    ("hits", "finding"), [(0, "holds"), (8, "is compatible with what was counted"), (60, "does not hold")]
)
def test_the_stated_rate_is_judged_by_the_whole_interval(hits, finding):
    assert finding in made(hits).sentence()


def test_causes_that_are_not_detected_are_named():
    assert made(0).findings()[1].endswith("**Not** up to the strongest shift measured: defocus.")


def test_a_month_is_as_many_tests_as_its_days_have():
    result = made(20)
    assert result.a_month(result.rate()).mean == pytest.approx(0.1 * 4 * 365.25 / 12)
    assert result.stated_a_month == pytest.approx(0.05 * 4 * 365.25 / 12)


def test_the_page_has_a_cell_for_every_column_and_comes_back_from_json():
    result = made(0)
    tables = [part for part in result.page().split("\n\n") if part.startswith("|")]
    assert len(tables) == 6
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1
    assert "All are in the benchmark." in result.page()
    assert GateResult.model_validate_json(result.model_dump_json()).page() == result.page()
    assert set(result.figures()) == {"power", "groups", "causes"}


def test_a_confusion_matrix_has_a_row_a_truth_and_a_column_an_answer():
    (table,) = (found for found in tables_in(made(0).page()) if found.columns[0] == "simulated")
    assert table.columns == ("simulated", "says a", "several or unknown", "accepted")
    assert table.rows == (("a", "1", "0", "0"), ("none", "0", "0", "1"))


def test_strengths_without_an_alarm_are_left_out():
    (table,) = (found for found in tables_in(made(0).page()) if found.columns[0] == "strength")
    assert table.columns == ("strength", "0.5")


def test_what_moved_is_the_clear_cause_or_the_likely_groups():
    def moved(**causes):
        return JudgedDataset(dataset="D3", outcome="shifted", decided_by=(), causes=causes).moved

    assert moved(dose=0.9, unknown=0.1) == "dose (90%)"
    assert moved(unknown=0.7, gain=0.2, xrays=0.06, shape=0.04) == "several or unknown: gain or X-rays 26%"
    assert moved() == ""


def test_the_page_says_what_uncertainty_alone_shows_before_and_now():
    def power(cause, strength, *hits):
        rates = (Rate(hits=h, total=20) for h in hits)
        names = ("before", "now", "before_at_level", "now_at_level")
        return UncertaintyPower(cause=cause, strength=strength, **dict(zip(names, rates, strict=True)))

    result = made(0, uncertainty=(power(None, 0, 0, 1, 1, 1), power("dose", 1, 5, 18, 16, 18)))

    (table,) = (found for found in tables_in(result.page()) if "before" in found.columns)
    assert table.rows == (
        ("none", "0", "20", "0% (5%)", "5% (5%)"),
        ("dose", "1", "20", "25% (80%)", "90% (90%)"),
    )
    assert "at as many false alarms: 80.0% (56.3%–94.3%) before, 90.0% (68.3%–98.8%) now." in result.page()
