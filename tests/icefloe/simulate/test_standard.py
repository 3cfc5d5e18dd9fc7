import hashlib

import numpy as np
import pytest

from icefloe.errors import IcefloeError
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.standard import random_standard_spec, shifted_spec, standard_datasets
from icefloe.simulate.workspace import experiment_seed

CAUSES = ["dose", "contrast", "defocus", "magnification", "gain", "xrays", "shape"]


def flat(spec) -> dict:
    values = spec.model_dump()
    return values | values.pop("camera")


def test_the_six_datasets_have_their_names_and_d1_and_d2_are_labelled_and_unshifted():
    datasets = standard_datasets(0)
    assert [d.name for d in datasets] == ["D1", "D2", "D3", "D4", "D5", "noisy"]
    assert [d.labelled for d in datasets] == [True, True, False, False, False, False]
    assert [bool(d.shifts) for d in datasets] == [False, False, True, True, True, True]
    assert all(25 <= d.spec.n_composites <= 40 for d in datasets)


def test_first_composite_of_d1_has_the_pinned_digest():
    image = simulate_experiment(standard_datasets(0)[0].spec, experiment_seed(0, 0), [0]).images[0]
    digest = int(hashlib.sha256(image.astype("<u2").tobytes()).hexdigest()[:12], 16)
    assert digest == 202873703483501, (
        "the committed data.dvc holds other bytes: `icefloe data simulate` has to be committed anew"
    )


@pytest.mark.parametrize("seed", range(3))
def test_ice_covers_the_share_of_the_image_that_real_ice_does(seed):
    for index, dataset in enumerate(standard_datasets(seed)):
        # shares do not depend on the sampling, and a quarter of the pixels per axis is quick
        coarse = dataset.spec.changed(size_px=64, pixel_size_nm=4 * dataset.spec.pixel_size_nm)
        masks = simulate_experiment(coarse, experiment_seed(seed, index), [0, 15, 29]).masks
        assert 0.05 < masks[0].mean() < 0.25, dataset.name
        assert 0.02 < masks.mean() < 0.2, dataset.name
        assert masks.reshape(3, -1).any(axis=1).all(), dataset.name


def test_another_seed_is_another_set_of_experiments():
    assert standard_datasets(0) == standard_datasets(0)
    assert standard_datasets(0)[0].spec != standard_datasets(1)[0].spec


def test_a_standard_experiment_keeps_camera_and_magnification():
    rng = np.random.default_rng(0)
    specs = [random_standard_spec(rng) for _ in range(50)]
    assert {spec.pixel_size_nm for spec in specs} == {2.0}
    assert {spec.camera.serial for spec in specs} == {1}
    assert {spec.shape for spec in specs} == {"round", "elongated"}
    assert len({spec.ice_radius_nm for spec in specs}) == 50


@pytest.mark.parametrize("cause", CAUSES)
def test_a_shift_of_strength_0_is_a_standard_experiment(cause):
    shifted = flat(shifted_spec(cause, 0.0, np.random.default_rng(1)))
    standard = flat(random_standard_spec(np.random.default_rng(1)))
    if cause == "shape":  # the habit is named but not departed to
        assert (shifted.pop("shape"), shifted.pop("departure")) == ("faceted", 0.0)
    for name, value in shifted.items():
        assert value == pytest.approx(standard[name]) if isinstance(value, float) else value == standard[name]


@pytest.mark.parametrize(
    ("cause", "changed"),
    [
        ("dose", {"dose_e_per_A2"}),
        ("contrast", {"ice_mfp_nm"}),
        ("defocus", {"defocus_um"}),
        ("magnification", {"pixel_size_nm"}),
        ("gain", {"gain_variation", "column_variation"}),
        ("xrays", {"xrays_per_frame"}),
        ("shape", {"shape", "departure", "elongation"}),
    ],
)
def test_a_shift_changes_its_one_cause_in_proportion_and_nothing_else(cause, changed):
    none, weak, strong = (flat(shifted_spec(cause, s, np.random.default_rng(3))) for s in (0.0, 0.3, 1.0))
    assert {name for name in none if none[name] != strong[name]} == changed - {"shape"}
    for name in changed - {"shape"}:
        assert 0 < abs(weak[name] - none[name]) < abs(strong[name] - none[name])


def test_an_unknown_cause_is_refused_with_the_known_ones():
    with pytest.raises(IcefloeError) as caught:
        shifted_spec("colour", 0.5, np.random.default_rng(0))
    assert str(caught.value) == (
        "Shift 'colour': unknown. Choose one of dose, contrast, defocus, magnification, gain, xrays, shape."
    )


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_strength_outside_0_to_1_is_refused(strength):
    with pytest.raises(IcefloeError, match=r"^Strength .* of shift 'dose': not in \[0, 1\]"):
        shifted_spec("dose", strength, np.random.default_rng(0))
