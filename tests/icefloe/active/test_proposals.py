import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icefloe.active.proposals import RandomRegions, UncertainRegions, candidates_of, propose_regions, tiles
from icefloe.active.region import Region
from icefloe.errors import IcefloeError


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def proposed(maps, k, strategy, rng, labelled=None):
    candidates = [each for key, map_ in maps.items() for each in candidates_of(key, map_)]
    return propose_regions(candidates, k, strategy, rng, labelled)


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 9))
def test_tiles_cover_every_pixel_once(height, width, along):
    count = sum(tile.mask((height, width)).astype(int) for tile in tiles((height, width), along))
    np.testing.assert_array_equal(count, 1)


def test_tiles_are_about_square_and_so_many_along_the_longer_side():
    found = tiles((894, 960))
    assert len(found) == 16
    assert {tile.width for tile in found} == {240}
    assert {tile.height for tile in found} <= {223, 224}
    assert len(tiles((100, 400))) == 4


def test_the_tile_where_members_disagree_comes_first(rng):
    disagreement = np.zeros((40, 40), np.float32)
    disagreement[20:30, 30:40] = 0.3
    disagreement[0:10, 0:10] = 0.1
    first, second = proposed({"D3/a": disagreement}, 2, UncertainRegions(), rng)
    assert (first.region, first.score) == (Region(20, 30, 10, 10), pytest.approx(0.3))
    assert second.region == Region(0, 0, 10, 10)
    assert first.reason == "the members disagree here, by 0.3 on average over the tile"


def test_a_round_has_several_images_even_where_one_is_the_most_uncertain(rng):
    maps = {"D3/a": np.full((40, 40), 0.4, np.float32), "D3/b": np.full((40, 40), 0.1, np.float32)}
    keys = [each.key for each in proposed(maps, 6, UncertainRegions(), rng)]
    assert keys == ["D3/a", "D3/a", "D3/b", "D3/b", "D3/a", "D3/a"]


def test_what_overlaps_a_labelled_region_is_not_proposed(rng):
    disagreement = np.zeros((40, 40), np.float32)
    disagreement[:10] = 0.2
    labelled = {"D3/a": [Region(5, 5, 10, 10)], "D3/b": [Region(0, 0, 40, 40)]}
    found = proposed({"D3/a": disagreement, "D3/b": disagreement}, 99, UncertainRegions(), rng, labelled)
    assert len(found) == 12
    assert {each.key for each in found} == {"D3/a"}
    assert not any(each.region.top < 20 and each.region.left < 20 for each in found)


def test_the_control_draws_tiles_with_equal_chances_whatever_members_say(rng):
    disagreement = np.zeros((40, 40), np.float32)
    disagreement[:10] = 0.5
    drawn = [proposed({"D3/a": disagreement}, 1, RandomRegions(), rng)[0].region.top for _ in range(800)]
    counts = np.array([drawn.count(top) for top in (0, 10, 20, 30)])
    assert np.all(np.abs(counts - 200) < 60)


def test_one_member_has_nothing_to_disagree_with():
    with pytest.raises(IcefloeError, match=r"^D3/a: where the members disagree is not known\. Predict it"):
        candidates_of("D3/a", np.full((8, 8), np.nan, np.float32))
