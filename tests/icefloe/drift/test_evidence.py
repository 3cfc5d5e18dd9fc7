"""Input evidence on synthetic micrographs: each cause moves its own measure."""

import numpy as np
import pytest
from scipy import ndimage

from icefloe.drift.evidence import QUANTILE_COLUMNS, measure_evidence
from icefloe.errors import IcefloeError


def micrograph(seed=0, size=192, dose=100.0, contrast=0.3, blur=1.0, radius=0.5, gamma=1.0):
    """A dark disc in a bright aperture, Poisson noise, float32 (H, W)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] - size / 2
    disc = ndimage.gaussian_filter((np.hypot(x, y) < radius * size / 2).astype(float), blur)
    texture = ndimage.gaussian_filter(rng.normal(size=(size, size)), 6)
    specimen = (1 - contrast * disc) * (1 + 0.05 * texture / texture.std()) ** gamma
    beam = np.where(np.hypot(x, y) < 0.47 * size, specimen, 0.02)
    return rng.poisson(beam * dose).astype(np.float32)


def mean_features(**changes):
    values = [measure_evidence(micrograph(seed, **changes)) for seed in range(4)]
    return {
        name: np.mean([getattr(v, name) for v in values])
        for name in ("noise", "contrast", "snr", "sharpness")
    }


def test_noise_equals_the_shot_noise_of_the_dose():
    assert mean_features(dose=100.0)["noise"] == pytest.approx(0.1, rel=0.1)
    assert mean_features(dose=25.0)["noise"] == pytest.approx(0.2, rel=0.1)


def test_contrast_equals_the_step_at_the_edge():
    assert mean_features(contrast=0.3)["contrast"] == pytest.approx(0.3, rel=0.1)
    assert mean_features(contrast=0.5)["contrast"] == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize(
    ("change", "moves"),
    [({"dose": 25.0}, "noise"), ({"contrast": 0.5}, "contrast"), ({"blur": 4.0}, "sharpness")],
)
def test_a_cause_moves_its_own_measure_most(change, moves):
    before, after = mean_features(), mean_features(**change)
    ratios = {name: abs(np.log(after[name] / before[name])) for name in ("noise", "contrast", "sharpness")}

    others = [ratio for name, ratio in ratios.items() if name != moves]
    assert ratios[moves] > 0.3
    assert max(others) < 0.6 * ratios[moves]


def test_the_edge_contrast_does_not_depend_on_how_much_ice_is_left():
    assert mean_features(radius=0.3)["contrast"] == pytest.approx(
        mean_features(radius=0.6)["contrast"], rel=0.15
    )


def test_gain_and_offset_of_the_camera_change_nothing():
    image = micrograph()
    one, other = measure_evidence(image), measure_evidence(7.5 * image - 300)

    assert other.to_features() == pytest.approx(one.to_features(), rel=1e-2, abs=1e-2)


def test_xray_spikes_do_not_count_as_noise():
    image = micrograph()
    rng = np.random.default_rng(1)
    spiked = image.copy()
    spiked[rng.integers(0, 192, 40), rng.integers(0, 192, 40)] += 5000

    assert measure_evidence(spiked).noise == pytest.approx(measure_evidence(image).noise, rel=0.05)


def test_quantiles_rise_and_are_standardised():
    features = measure_evidence(micrograph()).to_features()
    quantiles = np.array([features[name] for name in QUANTILE_COLUMNS])

    assert (np.diff(quantiles) >= 0).all()
    assert abs(quantiles.mean()) < 0.2
    assert 0.7 < quantiles.std() < 1.1


@pytest.mark.parametrize("image", [np.full((64, 64), 3.0), np.full((64, 64), np.nan)])
def test_a_constant_or_non_finite_image_is_refused(image):
    with pytest.raises(IcefloeError, match=r"constant or has NaN or infinite pixels\. Set that image aside"):
        measure_evidence(image)


def test_an_image_that_is_too_small_is_refused():
    with pytest.raises(
        IcefloeError, match=r"shape \(8, 64\): a grey image of at least 32 x 32 pixels is needed"
    ):
        measure_evidence(np.zeros((8, 64)))
