import numpy as np
import pytest

from studies.ea_vs_er.claims import (
    FALLS,
    HERE,
    HOLDS,
    NOT,
    RISES,
    UNDECIDED,
    Claim,
    Effect,
    effects_table,
    matrix,
)

UP, DOWN, UNSURE = (0.02, 0.021, 0.022), (-0.02, -0.021, -0.022), (-0.02, 0.0, 0.03)


def effect(per_seed, per_image=None, expected=RISES, **more):
    return Effect("EA - ER", expected, per_seed, per_image, **more)


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
    assert effect(tuple(-value for value in per_seed), flipped, expected=FALLS).word == word


def test_a_claim_holds_only_if_all_its_effects_do():
    assert Claim("c", "D1", (effect(UP), effect(UP, UP))).word == HOLDS
    assert Claim("c", "D1", (effect(UP), effect(UP, UNSURE))).word == HERE
    assert Claim("c", "D1", (effect(UP), effect(UNSURE))).word == UNDECIDED
    assert Claim("c", "D1", (effect(UP), effect(DOWN))).word == NOT


def test_one_contrary_effect_of_many_must_be_clear_at_the_shared_level():
    # Against the claim at 95 % alone (t = 4.9, 2 degrees of freedom), not at 99 %.
    borderline = effect((-0.010, -0.015, -0.022))
    assert borderline.word == NOT
    assert Claim("c", "D1", (borderline,)).word == NOT
    assert Claim("c", "D1", (borderline, *[effect(UP)] * 4)).word == UNDECIDED


def test_two_seeds_of_one_value_are_an_interval_and_one_seed_is_undecided():
    assert effect((0.1,)).word == UNDECIDED


def test_ratios_are_shown_and_saved_as_ratios():
    ratio = effect(tuple(np.log([1.5, 1.6, 1.7])), is_ratio=True, published=1.8)
    assert ratio.size().startswith("×1.60 [1.")
    assert ratio.published_text() == "×1.80"
    saved = ratio.to_dict()
    assert saved["per_seed"] == pytest.approx([1.5, 1.6, 1.7])
    assert saved["over_seeds"][0] > 1
    assert saved["over_images"] is None


def test_tables_have_a_cell_for_every_test_set_and_a_line_for_every_effect():
    claims = [Claim("c", "D1", (effect(UP), effect(UNSURE, UP))), Claim("d", "D3", (effect(DOWN),))]
    assert matrix(claims, ["D1", "D3"]).splitlines()[2:] == [
        "| c | undecided | - |",
        "| d | - | does not hold |",
    ]
    lines = effects_table(claims).splitlines()[2:]
    assert lines[0].startswith("| c | D1 | EA - ER | +0.021 [+0.019, +0.023] | - | - | holds |")
    assert len(lines) == 3
