import numpy as np
import pytest

from icefloe.statistics.means import mean_interval
from studies.ea_vs_er.claims import HERE, HOLDS, NOT, UNDECIDED, Effect, verdict

UP, DOWN, UNSURE = (0.02, 0.021, 0.022), (-0.02, -0.021, -0.022), (-0.02, 0.0, 0.03)


def effect(per_seed, per_image=None, rises=True, **more):
    """With the interval over images that such values have."""
    images = None
    if per_image is not None:
        found = mean_interval(per_image, rng=np.random.default_rng(0))
        images = (found.low, found.high)
    return Effect(
        claim="c", test="D1", what="EA - ER", rises=rises, per_seed=per_seed, over_images=images, **more
    )


@pytest.mark.parametrize(
    ("per_seed", "per_image", "word"),
    [
        (UP, None, HOLDS),
        (UP, UP, HOLDS),
        (UP, UNSURE, HERE),
        (UP, DOWN, HERE),
        (DOWN, UP, NOT),
        (UNSURE, UP, UNDECIDED),
    ],
)
def test_a_word_for_every_pair_of_intervals(per_seed, per_image, word):
    assert effect(per_seed, per_image).word == word
    flipped = None if per_image is None else tuple(-value for value in per_image)
    assert effect(tuple(-value for value in per_seed), flipped, rises=False).word == word


def test_a_claim_holds_only_if_all_its_effects_do():
    assert verdict((effect(UP), effect(UP, UP))) == HOLDS
    assert verdict((effect(UP), effect(UP, UNSURE))) == HERE
    assert verdict((effect(UP), effect(UNSURE))) == UNDECIDED
    assert verdict((effect(UP), effect(DOWN))) == NOT


def test_one_contrary_effect_of_many_must_be_clear_at_the_shared_level():
    # Against the claim at 95 % alone (t = 4.9, 2 degrees of freedom), not at 99 %.
    borderline = effect((-0.010, -0.015, -0.022))
    assert borderline.word == NOT
    assert verdict((borderline,)) == NOT
    assert verdict((borderline, *[effect(UP)] * 4)) == UNDECIDED


def test_two_seeds_of_one_value_are_an_interval_and_one_seed_is_undecided():
    assert effect((0.1,)).word == UNDECIDED


def test_one_image_tells_nothing_about_others():
    alone = Effect(claim="c", test="D1", what="w", rises=True, per_seed=UP, over_images=(None, None))
    assert alone.word == HERE
    assert alone.image_interval == "[no interval]"


def test_ratios_are_shown_as_ratios_and_judged_on_the_scale_of_logarithms():
    ratio = effect((1.5, 1.6, 1.7), is_ratio=True, published=1.8)
    assert ratio.size.startswith("×1.60 [1.")
    assert ratio.published_size == "×1.80"
    assert ratio.interval().mean == pytest.approx(np.mean(np.log([1.5, 1.6, 1.7])))
    assert ratio.word == HOLDS
    assert effect((0.5, 0.6, 0.7), is_ratio=True).word == NOT
    images = ratio.model_copy(update={"over_images": (0.9, 1.2)})
    assert (images.word, images.image_interval) == (HERE, "[0.90, 1.20]")


def test_differences_are_shown_with_their_signs():
    found = effect(UP, UP)
    assert found.size == "+0.021 [+0.019, +0.023]"
    assert found.image_interval.startswith("[+0.0")
    assert effect(UP).image_interval == found.published_size == "-"
