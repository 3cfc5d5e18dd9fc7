"""A domain of its own through the whole gate: lattice fringes, with two quantities, two causes, a model."""

from dataclasses import replace

import numpy as np
import pytest
import yaml

from icefloe.drift.attribution import attribute
from icefloe.drift.benchmark import Benchmark, with_evidence
from icefloe.drift.comparison import compare_rows, ratios
from icefloe.drift.config import GateConfig, Spread
from icefloe.drift.domain import Cause, Domain, NoiseRule
from icefloe.drift.gate import check
from icefloe.drift.ice import ICE
from icefloe.drift.patterns import UNKNOWN, AttributionModel, CauseModel
from icefloe.drift.quantities import Quantity
from icefloe.drift.report import GateReport
from icefloe.ensemble.rows import ImageRow
from icefloe.errors import IcefloeError

SIZE = 128
MODEL = AttributionModel(
    source="a test",
    quantities=("grain", "fringes"),
    correlation=((1.0, 0.0), (0.0, 1.0)),
    causes={
        "electrons": CauseModel(strengths=(1.0,), effects=((1.5, 0.0),), scatter=((0.0, 0.0),)),
        "pixels": CauseModel(strengths=(1.0,), effects=((0.0, -1.5),), scatter=((0.0, 0.0),)),
    },
)


def fringes(rng, dose=100.0, period=8.0):
    """Lattice fringes across the columns, with shot noise."""
    lattice = 1 + 0.5 * np.sin(2 * np.pi * np.arange(SIZE) / period)
    return rng.poisson(dose * np.broadcast_to(lattice, (SIZE, SIZE))).astype(np.float32)


def measure(image, mask=None):
    """Noise between rows, which fringes leave alone; and the period of the fringes in pixels."""
    power = np.abs(np.fft.rfft(image.mean(axis=0) - image.mean())) ** 2
    frequency = (power * np.fft.rfftfreq(SIZE)).sum() / power.sum()
    return {"row_noise": float(np.diff(image, axis=0).std() / image.mean()), "period": float(1 / frequency)}


@pytest.fixture
def lattice(tmp_path):
    path = tmp_path / "lattice.yaml"
    path.write_text(yaml.safe_dump(MODEL.model_dump(mode="json")))
    return Domain(
        name="lattice",
        uncertainty=Quantity("doubt", "doubt", ("uq_mean",), Spread(scale=0.2), alternative="greater"),
        evidence=(
            Quantity("grain", "grain", ("row_noise",), Spread(scale=0.05)),
            Quantity("fringes", "period of the fringes", ("period",), Spread(scale=0.03)),
        ),
        causes=(
            Cause(
                "electrons",
                "beam",
                lambda ratios: f"{ratios['grain'] ** -2:.2g} times the electrons",
                "{grain:.1f} times the grain",
            ),
            Cause("pixels", "pixel size", "another pixel size", "Fringes are {fringes:.2f} times as wide"),
        ),
        model_file=path,
        measure=measure,
    )


def table(rng, domain, name, n=8, **acquisition):
    scores = [ImageRow(name, f"s{i}", i, {"uq_mean": 0.01 * np.exp(0.05 * rng.normal())}) for i in range(n)]
    return with_evidence(scores, [fringes(rng, **acquisition) for _ in range(n)], domain=domain)


@pytest.fixture
def benchmark(rng, lattice):
    return Benchmark.from_rows(table(rng, lattice, "A") + table(rng, lattice, "B"))


def test_a_dataset_of_the_same_kind_is_accepted(rng, lattice, benchmark):
    report = check(benchmark, table(rng, lattice, "C"), domain=lattice)

    assert report.outcome == "accept"
    assert [result.name for result in report.evidence] == ["doubt", "grain", "fringes"]
    assert report.noise is None


@pytest.mark.parametrize(
    ("acquisition", "decided_by", "told"),
    [
        ({"dose": 25.0}, ("grain",), "most likely 0.25 times the electrons ("),
        ({"period": 4.0}, ("fringes",), "most likely another pixel size ("),
    ],
)
def test_a_shift_is_told_in_the_domains_words(rng, lattice, benchmark, acquisition, decided_by, told):
    rows = table(rng, lattice, "C", **acquisition)
    report = check(benchmark, rows, domain=lattice)

    assert (report.outcome, report.decided_by) == ("shifted", decided_by)
    assert f"C is shifted: its {report.result(decided_by[0]).words} is " in report.sentence()
    assert told in report.sentence()
    assert GateReport.model_validate_json(report.model_dump_json()) == report
    assert report.attribution == attribute(ratios(compare_rows(benchmark, rows, domain=lattice)), lattice)


def test_its_groups_are_those_of_its_table_of_causes(rng, lattice, benchmark):
    attribution = check(benchmark, table(rng, lattice, "C", dose=25.0), domain=lattice).attribution

    assert set(attribution.groups) == {"beam", "pixel size", UNKNOWN}
    assert (attribution.group, attribution.cause) == ("beam", "electrons")
    assert attribution.sentence().startswith("2.0 times the grain (probability ")


def test_a_rule_for_noise_reads_the_domains_own_column(rng, lattice):
    rule = NoiseRule(snr="steps", higher=("grain",), lower=())
    domain = replace(
        lattice,
        noise=rule,
        measure=lambda image, mask=None: measure(image) | {"steps": 0.2 / measure(image)["row_noise"]},
    )
    benchmark = Benchmark.from_rows(table(rng, domain, "A") + table(rng, domain, "B"))
    report = check(benchmark, table(rng, domain, "C", dose=1.0), domain=domain)

    assert (report.outcome, report.decided_by) == ("noisy", ("grain",))
    assert report.noise.reference_snr == pytest.approx(0.2 / 0.14, rel=0.05)


def test_settings_widen_the_spread_of_a_quantity_by_its_name(rng, lattice, benchmark):
    rows = table(rng, lattice, "C", dose=60.0)
    tolerant = GateConfig(spreads={"grain": Spread(scale=0.5)})

    assert check(benchmark, rows, domain=lattice).outcome == "shifted"
    assert check(benchmark, rows, tolerant, lattice).outcome == "accept"


def test_a_spread_for_a_quantity_that_is_not_there_is_refused(rng, lattice, benchmark):
    config = GateConfig(spreads={"sharpness": Spread(scale=0.5)})

    with pytest.raises(
        IcefloeError, match=r"there is no quantity `sharpness`.* There are: doubt, grain, fringes"
    ):
        check(benchmark, table(rng, lattice, "C"), config, lattice)


def test_keys_of_earlier_settings_are_read_as_spreads():
    former = GateConfig.model_validate(
        {
            "alpha": 0.01,
            "uncertainty": "uq_mean",
            "noise_spread": {"scale": 0.1},
            "facets_spread": {"scale": 0.3},
        }
    )
    spreads = {quantity.name: quantity.spread.scale for quantity in ICE.deciding(former)}

    assert former == GateConfig(
        alpha=0.01, uncertainty="uq_mean", spreads={"noise": Spread(scale=0.1), "facets": Spread(scale=0.3)}
    )
    assert GateConfig.model_validate(former.model_dump(mode="json")) == former
    assert (spreads["noise"], spreads["boundary_facets"], spreads["contrast"]) == (0.1, 0.3, 0.075)


def test_another_score_may_decide_and_the_others_are_shown():
    config = GateConfig(uncertainty="uq_boundary", spreads={"uncertainty": Spread(scale=0.4)})
    decides, *_ = ICE.deciding(config)
    shown = ICE.other_scores(config, ["uq_mean", "uq_boundary", "entropy"])

    assert (decides.name, decides.columns, decides.words) == (
        "uncertainty", ("uq_boundary",), "uncertainty per boundary pixel",
    )  # fmt: skip
    assert [(q.name, q.columns, q.spread.scale) for q in shown] == [
        ("uq_mean", ("uq_mean",), 0.4),
        ("entropy", ("entropy",), 0.4),
    ]


def test_two_quantities_of_one_name_are_refused(lattice):
    with pytest.raises(IcefloeError, match="Domain lattice: there are two of the quantity `grain`"):
        replace(lattice, evidence=lattice.evidence[:1] * 2)


def test_a_rule_for_noise_on_a_quantity_that_is_not_there_is_refused(lattice):
    with pytest.raises(IcefloeError, match="the noise rule names `noise`, and there is no such quantity"):
        replace(lattice, noise=NoiseRule("snr", ("noise",), ()))


def test_a_model_of_other_causes_or_quantities_is_refused(lattice):
    for changed, message in (
        ({"causes": lattice.causes[:1]}, r"the lattice\.yaml names `pixels`, and there is no such cause"),
        (
            {"evidence": lattice.evidence[:1]},
            r"the lattice\.yaml names `fringes`, and there is no such quantity",
        ),
        (
            {"causes": (*lattice.causes, Cause("stage", "stage", "a", "b"))},
            r"the table of causes names `stage`, and there is no such cause in lattice\.yaml",
        ),
    ):
        with pytest.raises(IcefloeError, match=message):
            _ = replace(lattice, **changed).model


def test_a_quantity_whose_columns_do_not_fit_its_transformation_is_refused():
    spread = Spread(scale=0.1)
    with pytest.raises(IcefloeError, match="a logarithm is read from one column, not from 2"):
        Quantity("noise", "noise", ("a", "b"), spread)
    with pytest.raises(IcefloeError, match="a distribution is read from several columns, not from 1"):
        Quantity("light", "light", ("a",), spread, "distribution")
    with pytest.raises(IcefloeError, match="a distribution is not larger or smaller"):
        Quantity("light", "light", ("a", "b"), spread, "distribution", "greater")
