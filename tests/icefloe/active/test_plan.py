"""Lots: the share that was chosen, the same for the same seed, and each image by itself."""

import pytest
from pydantic import ValidationError

from icefloe.active.plan import LabellingPlan

KEYS = [f"D3/stack_{number}" for number in range(2000)]
PLAN = LabellingPlan(two_labelers=0.2, third_below=0.75, without_presegmentation=0.1)


def test_about_the_share_is_drawn_and_both_lots_are_independent():
    twice = [PLAN.third_below_of(key, "EA-T1", 0) is not None for key in KEYS]
    hidden = [PLAN.arm_of(key, "EA-T1", 0) == "without" for key in KEYS]
    assert sum(twice) == pytest.approx(400, abs=60)
    assert sum(hidden) == pytest.approx(200, abs=45)
    assert sum(a and b for a, b in zip(twice, hidden, strict=True)) == pytest.approx(40, abs=20)
    assert {PLAN.third_below_of(key, "EA-T1", 0) for key in KEYS} == {None, 0.75}


def test_the_seed_the_round_and_the_image_decide():
    def drawn(plan, round="EA-T1", seed=0):
        return [plan.third_below_of(key, round, seed) for key in KEYS]

    assert drawn(PLAN) == drawn(PLAN)
    assert drawn(PLAN) != drawn(PLAN, seed=1)
    assert drawn(PLAN) != drawn(PLAN, round="EA-T2")
    larger = PLAN.model_copy(
        update={"two_labelers": 0.4}
    )  # more images, those of the smaller share among them
    assert all(b is not None for a, b in zip(drawn(PLAN), drawn(larger), strict=True) if a is not None)


def test_where_nobody_compares_no_image_is_in_an_arm():
    plan = LabellingPlan()
    assert {plan.arm_of(key, "EA-T1", 0) for key in KEYS} == {None}
    assert {plan.third_below_of(key, "EA-T1", 0) for key in KEYS} == {None}


@pytest.mark.parametrize("entry", [{"two_labelers": 1.1}, {"third_below": -0.1}, {"blind": 0.1}])
def test_a_share_that_can_not_be_is_refused(entry):
    with pytest.raises(ValidationError):
        LabellingPlan(**entry)
