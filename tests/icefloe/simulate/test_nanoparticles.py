import numpy as np
import pytest
from scipy import ndimage

from icefloe.errors import IcefloeError
from icefloe.simulate.nanoparticles import NanoparticleSpec, simulate_nanoparticles

PLAIN = NanoparticleSpec(
    size_px=128, spread=0.0, elongation=1.0, faceting=0.0, roughness=0.0, overlap=0.0, diffraction=0.0
)
"""Spheres of one size that do not touch."""


def test_particles_cover_what_was_asked_for():
    shares = [simulate_nanoparticles(PLAIN, np.random.default_rng(seed)).mask.mean() for seed in range(20)]
    # Centres up to a radius beyond the field are counted though only a part of their disc is seen.
    assert 0.7 * PLAIN.coverage < np.mean(shares) < 1.05 * PLAIN.coverage


def test_the_beam_through_a_sphere_falls_off_with_its_thickness():
    spec = PLAIN.changed(potential_v=0.0, support_texture=0.0, thickness_variation=0.0)
    spec = spec.changed(
        radius_nm=8.0, camera=spec.camera.changed(blur_px=0.0, jitter_nm=0.0, drift_nm_per_s=0.0)
    )
    made = simulate_nanoparticles(spec, np.random.default_rng(1))
    signal = made.clean - spec.camera.offset_counts
    support = signal[made.mask == 0].max()
    depth = np.exp(-2.0 * spec.radius_nm / spec.mfp_nm)
    assert signal.min() == pytest.approx(depth * support, rel=0.02)


def test_separate_particles_are_discs_of_the_radius():
    made = simulate_nanoparticles(PLAIN, np.random.default_rng(3))
    labels, _ = ndimage.label(made.mask)
    inner = np.setdiff1d(labels, np.r_[labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    areas = np.bincount(labels.ravel())[inner]
    assert len(areas) >= 5
    np.testing.assert_allclose(areas, np.pi * (PLAIN.radius_nm / PLAIN.pixel_size_nm) ** 2, rtol=0.05)


@pytest.mark.parametrize("dark", [True, False])
def test_particles_are_darker_in_bright_field_and_brighter_in_dark_field(dark):
    made = simulate_nanoparticles(PLAIN.changed(dark=dark), np.random.default_rng(0))
    assert (made.image[made.mask == 1].mean() < made.image[made.mask == 0].mean()) == dark


def test_the_same_generator_makes_the_same_bytes():
    first, again = (simulate_nanoparticles(PLAIN, np.random.default_rng(5)) for _ in range(2))
    assert first.image.tobytes() == again.image.tobytes()
    assert first.mask.tobytes() == again.mask.tobytes()


def test_a_value_out_of_range_is_refused():
    with pytest.raises(IcefloeError, match=r"^NanoparticleSpec\.coverage: .* not 0\.9\. Choose"):
        PLAIN.changed(coverage=0.9)
