from collections import Counter

import numpy as np
import pytest

from icefloe.simulate.wide import KINDS, micrographs, random_ice, random_wide_spec


def test_every_draw_is_an_experiment_that_can_be():
    rng = np.random.default_rng(0)
    specs = [random_wide_spec(rng, 96) for _ in range(200)]  # a contradiction would be refused
    assert {spec.shape for spec in specs} == {"round", "elongated", "lens", "faceted", "two"}
    assert min(spec.defocus_um for spec in specs) < -5 < 5 < max(spec.defocus_um for spec in specs)


def test_ice_is_of_many_sizes():
    rng = np.random.default_rng(0)
    shares = np.array([made.mask.mean() for _ in range(10) for made in random_ice(rng, 64)])
    assert np.mean(shares > 0.005) > 0.8
    assert np.percentile(shares, 90) > 2 * np.percentile(shares, 10)


def test_all_simulators_take_part_and_no_two_images_are_alike():
    rng = np.random.default_rng(0)
    specimens = [micrographs(rng, 64) for _ in range(40)]
    assert set(Counter(kind for kind, _ in specimens)) == set(KINDS)
    images = [made.image.tobytes() for _, several in specimens for made in several]
    assert len(set(images)) == len(images) > 40


@pytest.mark.parametrize("seed", range(3))
def test_the_clean_image_is_what_the_camera_sees_through_its_noise(seed):
    made = random_ice(np.random.default_rng(seed), 64)[0]
    signal, residual = made.clean - made.clean.mean(), made.image - made.clean
    # A noisy image is the clean one plus what does not depend on it.
    slope = (signal * (made.image - made.image.mean())).sum() / (signal**2).sum()
    assert slope == pytest.approx(1.0, abs=0.05)
    assert abs(residual.mean()) < 0.05 * made.clean.mean()
