import numpy as np
import pytest
from scipy import ndimage

from icefloe.errors import IcefloeError
from icefloe.simulate.camera import Camera
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec

SMALL = ExperimentSpec(size_px=96, pixel_size_nm=5.0, n_composites=8)
STILL = Camera(drift_nm_per_s=0, jitter_nm=0)


def test_shapes_and_types_are_those_of_the_contract():
    experiment = simulate_experiment(SMALL, 3)
    assert experiment.images.shape == experiment.masks.shape == (8, 96, 96)
    assert experiment.images.dtype == np.uint16
    assert experiment.masks.dtype == np.uint8
    assert set(np.unique(experiment.masks)) == {0, 1}
    assert experiment.temperatures_c.shape == experiment.radii_nm.shape == (8,)


def test_same_seed_same_bytes_another_seed_another_sample():
    one, again, other = (simulate_experiment(SMALL, seed, [0]) for seed in (5, 5, 6))
    assert one.images.tobytes() == again.images.tobytes()
    assert one.masks.tobytes() == again.masks.tobytes()
    assert not np.array_equal(one.images, other.images)


def test_a_composite_does_not_depend_on_which_others_are_made():
    every = simulate_experiment(SMALL, 5)
    some = simulate_experiment(SMALL, 5, [6, 2])
    np.testing.assert_array_equal(some.images, every.images[[6, 2]])
    np.testing.assert_array_equal(some.masks, every.masks[[6, 2]])
    np.testing.assert_array_equal(some.radii_nm, every.radii_nm[[6, 2]])


@pytest.mark.parametrize("shape", ["round", "elongated", "lens", "faceted", "two"])
def test_mask_area_is_that_of_the_circle_with_the_equivalent_radius(shape):
    spec = ExperimentSpec(shape=shape, elongation=1.6, camera=STILL, water_extent=1.5)
    experiment = simulate_experiment(spec, 1, [0, 20])
    areas = experiment.masks.sum(axis=(1, 2)) * spec.pixel_size_nm**2
    np.testing.assert_allclose(areas, np.pi * experiment.radii_nm**2, rtol=0.01)


def test_mask_of_a_round_crystal_is_exactly_its_disc():
    spec = ExperimentSpec(elongation=1.0, roughness=0.0, camera=STILL)
    experiment = simulate_experiment(spec, 1, [10])
    rows, columns = np.nonzero(experiment.masks[0])
    distances = 2.0 * np.hypot(
        *(np.mgrid[:256, :256] - np.array([rows.mean(), columns.mean()])[:, None, None])
    )
    radius = experiment.radii_nm[0]
    assert experiment.masks[0][distances < radius - 1.5].all()
    assert not experiment.masks[0][distances > radius + 1.5].any()


def test_ice_that_would_reach_further_follows_the_waters_edge_inside_its_rim():
    spec = ExperimentSpec(water_extent=0.6, camera=STILL)  # the ice is all of the water
    filled, rimmed = (
        simulate_experiment(made, 1, [0]).masks[0] for made in (spec, spec.changed(water_rim_nm=20.0))
    )
    to_edge = ndimage.distance_transform_edt(filled) * spec.pixel_size_nm
    np.testing.assert_array_equal(rimmed == 1, to_edge > 20.0)


def test_arms_draw_the_water_out_and_leave_the_ice_alone():
    spec = SMALL.changed(camera=STILL)
    drop, hung = (simulate_experiment(made, 1, [0]) for made in (spec, spec.changed(water_arms=4)))
    np.testing.assert_array_equal(drop.masks, hung.masks)
    darker = hung.images[0].astype(float) < 0.8 * drop.images[0]
    assert 0.005 < darker[drop.masks[0] == 0].mean() < 0.4


def test_melting_ice_shrinks_and_growing_ice_grows():
    melting = simulate_experiment(SMALL, 1)
    cold = SMALL.changed(kinetics="grow", start_c=-3.0, rate_c_per_s=0.0, ice_radius_nm=80.0)
    growing = simulate_experiment(cold, 1)
    assert np.all(np.diff(melting.radii_nm) < 0)
    assert np.all(np.diff(growing.radii_nm) > 0)
    assert melting.masks[-1].sum() < melting.masks[0].sum()
    assert growing.masks[-1].sum() > growing.masks[0].sum()


def test_ice_is_in_water_and_both_are_darker_than_the_window():
    spec = ExperimentSpec(bend_contours=0, film_texture=0, illumination_gradient=0, camera=STILL)
    experiment = simulate_experiment(spec, 2, [0])
    image, ice = experiment.images[0].astype(float), experiment.masks[0] == 1
    rows, columns = np.mgrid[:256, :256] - 127.5
    from_middle = np.hypot(rows, columns) * spec.pixel_size_nm
    window = (from_middle > 215) & (from_middle < 228)
    assert image[ice].mean() < 0.8 * np.median(image[window])
    assert np.median(image[from_middle > 260]) < 0.3 * image[ice].mean()


def test_raw_frames_average_to_the_composite_within_their_noise():
    spec = SMALL.changed(camera=Camera(xrays_per_frame=0.0, drift_nm_per_s=4.0, frame_rate_hz=20))
    experiment = simulate_experiment(spec, 4, [3])
    frames = np.array(list(experiment.frames(3)), float)
    assert frames.shape == (20, 96, 96)
    difference = frames.mean(axis=0) - experiment.images[0]
    # the two are independent draws of one distribution, so their variances add; each is that of a mean
    deviation = np.sqrt(2.0 * frames.var(axis=0, ddof=1).mean() / 20)
    assert difference.std() == pytest.approx(deviation, rel=0.05)
    assert abs(difference.mean()) < 4 * deviation / 96
    # and nothing of the sample is left in it, as a displaced mean would leave its edges
    smooth = difference.reshape(12, 8, 12, 8).mean(axis=(1, 3))
    assert smooth.std() < 1.5 * deviation / 8


def test_drift_moves_the_sample_between_frames():
    spec = SMALL.changed(camera=Camera(drift_nm_per_s=100.0, jitter_nm=0.0, dose_e_per_A2=20.0))
    frames = [frame.astype(float) for frame in simulate_experiment(spec, 4, [3]).frames(3)]
    assert np.abs(frames[0] - frames[-1]).mean() > 2 * np.abs(frames[0] - frames[1]).mean()


def test_frames_of_one_seed_are_reproducible():
    experiment = simulate_experiment(SMALL, 4, [0])
    first, again = next(experiment.frames(2)), next(experiment.frames(2))
    np.testing.assert_array_equal(first, again)


def test_defocus_turns_the_fringe_round():
    def ring_brightness(defocus_um: float) -> float:
        spec = ExperimentSpec(
            elongation=1.0,
            roughness=0.0,
            ice_mfp_nm=320.0,
            bend_contours=0,
            film_texture=0.0,
            defocus_um=defocus_um,
            camera=STILL.changed(dose_e_per_A2=50.0, gain_variation=0.0, column_variation=0.0),
        )
        experiment = simulate_experiment(spec, 2, [0])
        ice, image = experiment.masks[0] == 1, experiment.images[0].astype(float)
        rows, columns = np.nonzero(ice)
        distance = 2.0 * np.hypot(
            *(np.mgrid[:256, :256] - np.array([rows.mean(), columns.mean()])[:, None, None])
        )
        edge = np.abs(distance - experiment.radii_nm[0]) < 2.0
        inside = np.abs(distance - experiment.radii_nm[0] + 20.0) < 2.0
        return float(image[edge].mean() / image[inside].mean())

    in_focus = ring_brightness(0.0)
    assert ring_brightness(3.0) < in_focus - 0.01
    assert ring_brightness(-3.0) > in_focus + 0.01


def test_a_second_beyond_the_end_is_refused():
    with pytest.raises(
        IcefloeError, match=r"^Second 8: the experiment has seconds 0 to 7. Take one of them.$"
    ):
        simulate_experiment(SMALL, 0, [8])
    with pytest.raises(IcefloeError, match=r"^Second -1: "):
        simulate_experiment(SMALL, 0, [0]).frames(-1)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("shape", "square", "Input should be 'round', 'elongated', 'lens', 'faceted' or 'two', not 'square'"),
        ("departure", 1.1, "Input should be less than or equal to 1, not 1.1"),
        ("kinetics", "boil", "Input should be 'melt' or 'grow', not 'boil'"),
        ("n_composites", 0, "Input should be greater than or equal to 1, not 0"),
        ("size_px", 8, "Input should be greater than or equal to 32, not 8"),
        ("pixel_size_nm", 0.0, "Input should be greater than 0, not 0.0"),
        ("aperture_radius_nm", -1.0, "Input should be greater than 0, not -1.0"),
        ("ice_radius_nm", 0.0, "Input should be greater than 0, not 0.0"),
        ("elongation", 0.5, "Input should be greater than or equal to 1, not 0.5"),
        ("roughness", 0.5, "Input should be less than or equal to 0.1, not 0.5"),
        ("ice_thickness_nm", 0.0, "Input should be greater than 0, not 0.0"),
        ("ice_edge_nm", 0.0, "Input should be greater than 0, not 0.0"),
        ("water_thickness_nm", 0.0, "Input should be greater than 0, not 0.0"),
        ("water_extent", 0.4, "Input should be greater than or equal to 0.5, not 0.4"),
        ("water_mfp_nm", 0.0, "Input should be greater than 0, not 0.0"),
        ("ice_mfp_nm", 0.0, "Input should be greater than 0, not 0.0"),
        ("bend_contours", -1, "Input should be greater than or equal to 0, not -1"),
        ("bend_strength", 2.0, "Input should be less than or equal to 1, not 2.0"),
        ("defocus_um", 50.0, "Input should be less than or equal to 20, not 50.0"),
        ("illumination_gradient", 1.0, "Input should be less than or equal to 0.8, not 1.0"),
        ("film_texture", 1.0, "Input should be less than or equal to 0.2, not 1.0"),
        ("start_c", 90.0, "Input should be less than or equal to 50, not 90.0"),
        ("rate_c_per_s", 20.0, "Input should be less than or equal to 10, not 20.0"),
        ("kinetic_coefficient_nm_per_s_k", 0.0, "Input should be greater than 0, not 0.0"),
        ("colour", "red", "Extra inputs are not permitted"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(name, value, complaint):
    with pytest.raises(IcefloeError) as caught:
        ExperimentSpec(**{name: value})
    assert str(caught.value) == f"ExperimentSpec.{name}: {complaint}. Choose another value."


def test_a_changed_spec_is_checked_like_a_new_one():
    with pytest.raises(IcefloeError, match=r"^ExperimentSpec.elongation: "):
        SMALL.changed(elongation=0.1)
    assert SMALL.changed(elongation=2.0).camera == SMALL.camera


def test_kinetics_that_contradict_the_temperature_are_refused():
    with pytest.raises(IcefloeError, match=r"^ExperimentSpec: `grow` above the crystal's melting point"):
        ExperimentSpec(kinetics="grow", start_c=1.0)
    with pytest.raises(IcefloeError, match=r"^ExperimentSpec: `melt` below the crystal's melting point"):
        ExperimentSpec(kinetics="melt", start_c=-5.0)


def test_ice_ends_where_the_water_does():
    apart = ExperimentSpec(size_px=64, pixel_size_nm=8.0, water_extent=1.2, water_shift=1.0)
    alike = apart.changed(water_shift=0.0)
    shares = [simulate_experiment(spec, 0, [0]).masks.mean() for spec in (apart, alike)]
    assert 0 < shares[0] < 0.9 * shares[1]
