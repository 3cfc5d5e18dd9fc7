"""Whole experiments: synthetic members, and simulated melts whose law is known."""

import json

import numpy as np
import pytest

from icefloe.errors import IcefloeError
from icefloe.physics.experiment import ExperimentPhysics
from icefloe.physics.image import measure_image
from icefloe.physics.quantity import Quantity
from icefloe.physics.rates import rate_of
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.kinetics import melting_point_c, radii
from icefloe.simulate.spec import ExperimentSpec

MELT = {"radius_nm": 60.0, "coefficient_nm_per_s_k": 0.5, "start_c": 0.5, "rate_c_per_s": 0.1}


def melting(disc, scales=(1.0,), n_seconds=15, pixel_size=1.5, **options) -> ExperimentPhysics:
    """A disc that follows the law of melting, each member's too large or small by its own factor."""
    law = radii(**MELT, n_seconds=n_seconds) / pixel_size
    images = [
        measure_image(
            f"second_{second}",
            float(second),
            disc(radius),
            [disc(scale * radius) for scale in scales],
            0.5,
            pixel_size,
            region=np.hypot(*(np.mgrid[:140, :140] - 69.5)) < 60,
        )
        for second, radius in enumerate(law)
    ]
    return ExperimentPhysics.from_images("melt", images, pixel_size_nm=pixel_size, **options)


@pytest.fixture(scope="module")
def simulated_melt():
    """Exact masks of simulated experiments of other habits and speeds, measured, with the law's radii."""
    found = []
    for seed, shape, coefficient in ((1, "round", 0.4), (2, "elongated", 0.8), (3, "faceted", 1.2)):
        spec = ExperimentSpec(
            shape=shape,
            size_px=128,
            pixel_size_nm=4.0,
            n_composites=20,
            elongation=1.4,
            kinetic_coefficient_nm_per_s_k=coefficient,
        )
        simulated = simulate_experiment(spec, seed)
        images = [
            measure_image(str(second), float(second), mask, [], 0.5, 4.0)
            for second, mask in zip(simulated.seconds, simulated.masks, strict=True)
        ]
        experiment = ExperimentPhysics.from_images(shape, images, pixel_size_nm=4.0)
        temperatures = simulated.temperatures_c
        speed = coefficient * (np.vectorize(melting_point_c)(simulated.radii_nm) - temperatures)
        found.append((experiment, simulated.radii_nm, speed))
    return found


def slope(times, values) -> float:
    return float(np.polyfit(times, values, 1)[0])


def test_rates_of_simulated_melts_hold_the_law(simulated_melt):
    for experiment, law, _ in simulated_melt:
        for name, truth in (("equivalent_radius", law), ("area", np.pi * law**2)):
            rate = experiment.rates[name].overall
            low, high = rate.interval(0.99)
            assert low <= slope(experiment.times_s, truth) <= high
            assert rate.values == pytest.approx(slope(experiment.times_s, truth), rel=0.02)


def test_local_rates_of_simulated_melts_follow_the_laws_speed(simulated_melt):
    inside = []
    for experiment, _, speed in simulated_melt:
        rate = experiment.rates["equivalent_radius"].local
        low, high = rate.interval()
        inside.extend((low <= speed) & (speed <= high))
        assert np.sqrt(np.mean((rate.values - speed) ** 2)) < 0.05 * np.abs(speed).max()
    assert np.mean(inside) >= 0.85


def test_areas_of_simulated_melts_are_the_laws(simulated_melt):
    for experiment, law, _ in simulated_melt:
        np.testing.assert_allclose(experiment.quantities["area"].values, np.pi * law**2, rtol=0.01)


def test_the_mean_front_of_a_round_melt_recedes_as_its_radius(disc):
    experiment = melting(disc)
    front, radius = (experiment.rates[name].overall.values for name in ("mean_front", "equivalent_radius"))
    assert front == pytest.approx(radius, rel=0.01)
    np.testing.assert_allclose(experiment.rates["front"].overall.values, front, rtol=0.02)


def test_spread_of_the_rate_is_that_of_the_members_rates(disc):
    scales = np.array([0.95, 1.0, 1.08])
    experiment = melting(disc, scales)
    law = slope(experiment.times_s, radii(**MELT, n_seconds=15))
    rate = experiment.overall_rate("equivalent_radius")
    assert rate["member_std"] == pytest.approx(abs(law) * np.std(scales, ddof=1), rel=0.02)
    assert rate["low"] < law < rate["high"]
    assert rate["unit"] == "nm_per_s"


def test_intervals_hold_the_truth_where_it_could_pass_for_a_member(rng):
    """Areas and rates of 300 experiments whose members and truth err alike, by a factor each."""
    times, law = np.arange(15.0), np.pi * radii(**MELT, n_seconds=15) ** 2
    areas, rates = [], []
    for _ in range(300):
        factors = 1 + 0.1 * rng.normal(size=4)
        members = factors[:3, None] * law + rng.normal(0, 60, (3, 15))
        truth = factors[3] * law
        quantity = Quantity("area", "nm2", members.mean(axis=0), members)
        low, high = quantity.interval()
        areas.append(np.mean((low <= truth) & (truth <= high)))
        low, high = rate_of(quantity, times, np.ones(15, bool)).overall.interval()
        rates.append(low <= slope(times, truth) <= high)
    assert np.mean(areas) == pytest.approx(0.95, abs=0.02)
    assert np.mean(rates) == pytest.approx(0.95, abs=0.03)


def test_phase_fraction_is_ice_over_ice_and_water(disc):
    fraction = melting(disc, (0.9, 1.1)).quantities["phase_fraction"]
    expected = (radii(**MELT, n_seconds=15) / 1.5) ** 2 / 60**2
    np.testing.assert_allclose(fraction.values, expected, rtol=0.01)
    np.testing.assert_allclose(fraction.std, expected * np.std([0.81, 1.21], ddof=1), rtol=0.01)


def test_melted_away_is_an_area_of_zero_and_no_error(disc):
    experiment = melting(disc, (0.95, 1.05), n_seconds=60)
    gone = radii(**MELT, n_seconds=60) == 0
    assert gone.any()
    for name in ("area", "phase_fraction", "equivalent_radius", "perimeter"):
        assert (experiment.quantities[name].values[gone] == 0).all()
    assert np.isnan(experiment.front.values[gone]).all()
    assert np.isnan(experiment.quantities["mean_curvature"].values[gone]).all()
    assert np.isnan(experiment.rates["area"].local.values[gone]).all()
    assert experiment.rates["area"].overall.values < 0
    assert f"{gone.sum()} of 60 images: no ice." in experiment.notes


def test_table_has_a_row_an_image_and_a_spread_for_every_quantity(disc):
    frame = melting(disc, (0.9, 1.0, 1.1)).to_frame()
    assert len(frame) == 15
    assert frame["image"][3] == "second_3"
    for label in (
        *("area_nm2", "centre_row_nm", "centre_column_nm", "equivalent_radius_nm", "perimeter_nm"),
        *("mean_front_nm", "mean_curvature_per_nm", "max_curvature_per_nm", "phase_fraction"),
        *("area_rate_nm2_per_s", "equivalent_radius_rate_nm_per_s"),
    ):
        columns = frame[[label, f"{label}_std", f"{label}_low", f"{label}_high"]].to_numpy()
        assert np.isfinite(columns).all(), label
        assert (columns[:, 2] <= columns[:, 0]).all()
        assert (columns[:, 0] <= columns[:, 3]).all()


def test_a_dict_is_json_with_nothing_where_nothing_is_known(disc):
    content = melting(disc, (0.95, 1.05), n_seconds=60, provenance={"ensemble": "EA-T1"}).to_dict()
    again = json.loads(json.dumps(content, allow_nan=False))
    assert again["provenance"] == {"ensemble": "EA-T1"}
    assert again["images"][-1]["area_nm2"] == 0
    assert again["images"][-1]["mean_front_nm"] is None
    assert again["rates"]["area"]["std"] > 0


def test_without_a_pixel_size_everything_is_in_pixels_and_says_so(disc):
    images = [measure_image(str(s), s, disc(40 - s), [], 0.5, 1.0) for s in range(4)]
    experiment = ExperimentPhysics.from_images("a", images, pixel_size_nm=None)
    assert experiment.quantities["area"].label == "area_px2"
    assert experiment.rates["mean_front"].unit == "px_per_s"
    assert experiment.notes[0] == "The pixel size is not known: lengths are in px, areas in px2."
    assert experiment.overall_rate("mean_front")["value"] == pytest.approx(-1, abs=0.01)


def test_few_members_and_widening_are_noted(disc):
    notes = melting(disc, (0.9, 1.1), widening=1.7).notes
    assert notes[0] == "Only 2 members: they say little about a spread, so intervals are wide."
    assert notes[1] == "The members' spread is widened by a factor of 1.7 in every interval."


def test_widening_reaches_quantities_fronts_and_rates(disc):
    plain, wide = (melting(disc, (0.99, 1.01), widening=factor) for factor in (1.0, 1.5))
    for name in ("area", "phase_fraction"):
        assert wide.quantities[name].interval()[1][-1] > plain.quantities[name].interval()[1][-1]
    assert wide.front.interval()[1][0, 0] > plain.front.interval()[1][0, 0]
    assert wide.overall_rate("area")["std"] == pytest.approx(
        1.5 * plain.overall_rate("area")["std"], rel=0.02
    )


def test_one_image_has_no_rate(disc):
    image = measure_image("a", 0.0, disc(40), [disc(39), disc(41)], 0.5, 1.0)
    experiment = ExperimentPhysics.from_images("a", [image], pixel_size_nm=1.0)
    assert experiment.overall_rate("area")["value"] is None
    # pi 40^2, and 12.706 sqrt(3 / 2) standard deviations of pi 39^2 and pi 41^2 to either side
    assert experiment.sentences() == ["a: area 5,026 (0 to 10,560) nm2 at 0 s."]


def test_no_image_is_refused():
    with pytest.raises(IcefloeError, match=r"^a: no image to measure"):
        ExperimentPhysics.from_images("a", [], pixel_size_nm=1.0)


def test_images_out_of_order_are_refused(disc):
    images = [measure_image(str(s), s, disc(40), [], 0.5, 1.0) for s in (1.0, 0.0)]
    with pytest.raises(IcefloeError, match=r"^a: times do not increase from image to image"):
        ExperimentPhysics.from_images("a", images, pixel_size_nm=1.0)


def test_a_widening_that_is_not_positive_is_refused(disc):
    images = [measure_image("0", 0.0, disc(40), [], 0.5, 1.0)]
    with pytest.raises(IcefloeError, match=r"^Widening 0: not positive"):
        ExperimentPhysics.from_images("a", images, pixel_size_nm=1.0, widening=0.0)
