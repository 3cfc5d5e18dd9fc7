"""Attribution: a made-up model whose answers are known, and the one that comes with the package."""

from typing import get_args

import numpy as np
import pytest
from scipy import stats

from icefloe.drift.attribution import Attribution, attribute
from icefloe.drift.ice import ICE
from icefloe.drift.patterns import UNKNOWN, AttributionModel, CauseModel
from icefloe.simulate.standard import Cause

QUANTITIES = ("noise", "spikes", "lines")
SD = 0.1


def cause(*full):
    """Effects that grow in proportion to the strength, alike in every experiment."""
    strengths = (0.5, 1.0)
    return CauseModel(
        strengths=strengths,
        effects=tuple(tuple(s * e for e in full) for s in strengths),
        scatter=((0.0,) * len(full),) * 2,
    )


MODEL = AttributionModel(
    source="a test",
    quantities=QUANTITIES,
    correlation=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    causes={"dose": cause(2.0, 0.3, 0.0), "xrays": cause(0.0, 3.0, 0.0), "gain": cause(0.5, 0.0, 2.0)},
)


def effects(*values):
    return {name: (value, SD) for name, value in zip(QUANTITIES, values, strict=True)}


@pytest.mark.parametrize(
    ("shift", "name"),
    [((1.2, 0.2, 0.0), "dose"), ((0.05, 0.9, -0.1), "xrays"), ((0.2, 0.0, 0.8), "gain")],
)
def test_a_pattern_on_a_causes_curve_is_given_to_that_cause_at_any_strength(shift, name):
    found = attribute(effects(*shift), model=MODEL)

    assert found.cause == name
    assert found.probabilities[name] > 0.9
    assert sum(found.probabilities.values()) == pytest.approx(1.0)


def test_two_causes_at_once_are_not_given_to_one_of_them():
    found = attribute(effects(0.5, 2.5, 2.0), model=MODEL)

    assert found.group == found.cause == UNKNOWN
    assert found.sentence().startswith("What changed is not clear: several properties at once")


def test_the_probability_is_bayes_rule_with_t_densities_over_strengths():
    shift = np.array([0.3, 0.4, 0.1])
    strengths = np.linspace(0.05, 1, 20)
    scale = np.eye(3) * SD**2

    def density(location, scale=scale):
        return stats.multivariate_t(location, scale, df=5).pdf(shift)

    curves = {"dose": (2.0, 0.3, 0.0), "xrays": (0.0, 3.0, 0.0), "gain": (0.5, 0.0, 2.0)}
    likelihood = {n: np.mean([density(s * np.array(full)) for s in strengths]) for n, full in curves.items()}
    sizes = [[(np.square(s * np.array(full))) for s in (0.5, 1.0)] for full in curves.values()]
    likelihood[UNKNOWN] = density(np.zeros(3), scale + np.diag(np.mean(sizes, axis=(0, 1))))
    expected = {n: value / sum(likelihood.values()) for n, value in likelihood.items()}

    assert MODEL.probabilities(effects(*shift)) == pytest.approx(expected, rel=1e-6)


def test_few_images_make_it_careful():
    sure = MODEL.probabilities({"noise": (0.6, 0.05), "spikes": (0.1, 0.05), "lines": (0.0, 0.05)})
    vague = MODEL.probabilities({"noise": (0.6, 0.6), "spikes": (0.1, 0.6), "lines": (0.0, 0.6)})

    assert sure["dose"] > 0.9
    assert vague["dose"] < 0.6


def test_a_quantity_that_was_not_measured_is_left_out_of_model_and_effects():
    smaller = AttributionModel(
        source="a test",
        quantities=QUANTITIES[:2],
        correlation=((1.0, 0.0), (0.0, 1.0)),
        causes={"dose": cause(2.0, 0.3), "xrays": cause(0.0, 3.0), "gain": cause(0.5, 0.0)},
    )
    shift = {"noise": (0.4, SD), "spikes": (0.9, SD)}

    assert MODEL.probabilities(shift) == pytest.approx(smaller.probabilities(shift))
    assert attribute(shift | {"intensity": (9.0, 1.0)}, model=MODEL) == attribute(shift, model=MODEL)


def test_groups_add_up_their_causes_and_the_likeliest_is_named():
    found = Attribution.of({"gain": 0.4, "xrays": 0.35, "dose": 0.2, UNKNOWN: 0.05}, {"lines": 3.0}, ICE)

    assert found.groups["gain or X-rays"] == pytest.approx(0.75)
    assert (found.group, found.cause) == ("gain or X-rays", "gain")
    assert found.sentence() == (
        "Columns or rows differ 3 times as much as the benchmark's: check the gain reference, or whether the "
        "camera changed (probability 75%)."
    )


def test_the_dose_is_told_as_a_fraction():
    found = Attribution.of({"dose": 1.0}, {"noise": np.sqrt(6)}, ICE)

    assert found.sentence() == (
        "The images are noisier: about 1/6 of the benchmark's dose (probability 100%)."
    )
    assert found.summary() == "most likely about 1/6 of the dose (100%)"


def test_an_attribution_survives_json():
    found = attribute(effects(1.2, 0.2, 0.0), model=MODEL)

    assert Attribution.model_validate_json(found.model_dump_json()) == found


def test_the_stored_model_knows_every_cause_that_can_be_simulated_and_each_has_a_group_and_words():
    grouped = [name for causes in ICE.groups.values() for name in causes]

    assert sorted(ICE.model.causes) == sorted(grouped) == sorted(get_args(Cause))
    found = [Attribution.of({name: 1.0}, {}, ICE) for name in grouped]
    assert len({attribution.sentence() for attribution in found}) == len(grouped)
    assert len({attribution.summary() for attribution in found}) == len(grouped)


@pytest.mark.parametrize("name", get_args(Cause))
def test_the_stored_models_own_curves_are_named(name):
    model = ICE.model
    effect, _ = model.causes[name].at(0.8)

    found = attribute({q: (e, 0.1) for q, e in zip(model.quantities, effect.tolist(), strict=True)})

    assert found.cause == name
