import numpy as np
import pytest
from scipy import ndimage

from icefloe.simulate.lattice import HALF_MAXIMUM, LatticeSpec, simulate_lattice

PERFECT = LatticeSpec(
    size_px=192, a_nm=0.4, basis=0.0, strain=0.0, vacancies=0.0, amorphous=0.0, thickness_variation=0.0
)
"""Columns 20 px apart, nothing missing."""


def n_columns(spec: LatticeSpec, seed: int = 0) -> int:
    return ndimage.label(simulate_lattice(spec, np.random.default_rng(seed)).mask)[1]


@pytest.mark.parametrize(
    ("changes", "columns_per_cell"), [({}, 1), ({"angle_deg": 60.0}, 1), ({"ratio": 1.5, "basis": 0.6}, 2)]
)
def test_there_are_as_many_columns_as_cells_in_the_field(changes, columns_per_cell):
    spec = PERFECT.changed(**changes)
    cell_nm2 = spec.a_nm**2 * spec.ratio * np.sin(np.deg2rad(spec.angle_deg))
    expected = columns_per_cell * (spec.size_px * spec.pixel_size_nm) ** 2 / cell_nm2
    found = np.mean([n_columns(spec.changed(rotation_deg=11.0 * seed), seed) for seed in range(6)])
    assert found == pytest.approx(expected, rel=0.1)


def test_columns_repeat_at_the_cells_edge():
    made = simulate_lattice(PERFECT.changed(size_px=200), np.random.default_rng(0))
    spectrum = np.abs(np.fft.fft2(made.clean - made.clean.mean()))
    strongest = np.unravel_index(spectrum.argmax(), spectrum.shape)
    frequency = np.hypot(*(np.fft.fftfreq(200)[index] for index in strongest))
    assert 1 / frequency == pytest.approx(PERFECT.a_nm / PERFECT.pixel_size_nm)


def test_the_mask_is_where_a_column_is_above_half_its_height():
    made = simulate_lattice(PERFECT, np.random.default_rng(0))
    labels, n = ndimage.label(made.mask)
    inner = np.setdiff1d(np.arange(1, n + 1), np.r_[labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    radius = HALF_MAXIMUM * PERFECT.column_nm / PERFECT.pixel_size_nm
    assert np.bincount(labels.ravel())[inner].mean() == pytest.approx(np.pi * radius**2, rel=0.03)


def test_vacancies_are_missing_columns():
    whole, sparse = n_columns(PERFECT), n_columns(PERFECT.changed(vacancies=0.3))
    assert 0.55 < sparse / whole < 0.85


def test_outside_its_grain_there_is_no_column():
    made = simulate_lattice(PERFECT.changed(grain_nm=0.8), np.random.default_rng(2))
    assert 0 < made.mask.mean() < 0.5 * simulate_lattice(PERFECT, np.random.default_rng(2)).mask.mean()
