"""Chips: whole ones, in raster order, views of an image that stays as it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icefloe.errors import IcefloeError
from icefloe.fewshot.grid import MOST_CHIPS, Grid, constant_chips


@st.composite
def grids(draw):
    height, width = draw(st.integers(2, 40)), draw(st.integers(2, 40))
    top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
    edge = draw(st.integers(1, min(height - top, width - left)))
    return Grid(height=height, width=width, edge=edge, top=top, left=left)


@settings(max_examples=50, deadline=None)
@given(grids())
def test_reassembled_chips_are_the_cropped_image(grid):
    image = np.random.default_rng(0).normal(size=(grid.height, grid.width)).astype(np.float32)
    before = image.copy()

    chips = grid.chips(image)

    assert chips.shape == (grid.rows, grid.columns, grid.edge, grid.edge)
    assert np.shares_memory(chips, image)
    np.testing.assert_array_equal(grid.assembled(chips), grid.crop(image))
    np.testing.assert_array_equal(image, before)


@settings(max_examples=50, deadline=None)
@given(grids())
def test_chips_are_counted_whole_and_numbered_along_the_rows(grid):
    assert grid.rows == (grid.height - grid.top) // grid.edge
    assert grid.columns == (grid.width - grid.left) // grid.edge
    image = np.arange(grid.height * grid.width, dtype=np.float32).reshape(grid.height, grid.width)
    chips = grid.chips(image).reshape(grid.n_chips, grid.edge, grid.edge)
    for chip in range(grid.n_chips):
        top, left = grid.corner(chip)
        assert grid.place(chip) == divmod(chip, grid.columns)
        np.testing.assert_array_equal(chips[chip], image[top : top + grid.edge, left : left + grid.edge])


@settings(max_examples=50, deadline=None)
@given(grids())
def test_a_value_for_each_chip_is_painted_over_its_pixels(grid):
    painted = grid.painted(np.arange(grid.n_chips), -1)

    assert painted.shape == (grid.height, grid.width)
    chips = grid.chips(painted).reshape(grid.n_chips, -1)
    assert (chips == np.arange(grid.n_chips)[:, None]).all()
    assert np.count_nonzero(painted >= 0) == grid.n_chips * grid.edge**2


@pytest.mark.parametrize("edge", [-1, 0, 513])
def test_an_edge_that_does_not_fit_is_refused_with_the_permitted_range(edge):
    with pytest.raises(IcefloeError, match=r"takes an edge of 3 to 512 px \(at most 50,000 chips\)"):
        Grid(height=512, width=600, edge=edge)


def test_the_least_permitted_edge_makes_no_more_chips_than_allowed():
    low, high = Grid.permitted(2000, 1000)

    assert high == 1000
    assert Grid(height=2000, width=1000, edge=low).n_chips <= MOST_CHIPS
    with pytest.raises(IcefloeError, match="Choose one of these"):
        Grid(height=2000, width=1000, edge=low - 1)


def test_an_offset_beyond_the_image_is_refused():
    with pytest.raises(IcefloeError, match="begins outside"):
        Grid(height=64, width=64, edge=8, left=64)


def test_a_chip_outside_the_grid_is_named():
    with pytest.raises(IcefloeError, match=r"chip 64: the grid has chips 0 to 63 \(8 rows of 8\)"):
        Grid(height=64, width=64, edge=8).corner(64)


def test_an_image_of_another_size_is_refused():
    with pytest.raises(IcefloeError, match="of 64x64 px, this one has 64x32"):
        Grid(height=64, width=64, edge=8).chips(np.zeros((32, 64), np.float32))


def test_chips_of_one_value_are_found(rng):
    image = rng.normal(size=(16, 16)).astype(np.float32)
    image[8:, :8] = 3
    assert constant_chips(image, Grid(height=16, width=16, edge=8)).tolist() == [False, False, True, False]
