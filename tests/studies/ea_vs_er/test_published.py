"""The paper's numbers say what is said about them."""

import pytest

from studies.ea_vs_er.published import RESULTS, published, published_effect


def test_d4_calls_for_retraining_by_a_margin_of_two_thousandths():
    assert published("EA-T1", 2).uq - published("EA-T1", 0).uq == pytest.approx(0.002)


def test_three_of_four_ers_are_surer_on_d4_and_less_accurate():
    blind = [
        who
        for who, (standard, _, d4) in RESULTS.items()
        if who.startswith("ER") and d4.uq < standard.uq and d4.pca < standard.pca
    ]
    assert blind == ["ER vgg19", "ER resnet18", "ER densenet201"]


def test_retraining_three_times_forgets_a_fiftieth():
    forgotten = published_effect("pca", published("EA-T4", 0), published("EA-T1", 0))
    assert forgotten == pytest.approx(-0.022)


@pytest.mark.parametrize(
    ("who", "test"),
    [("EA-T1", 3), ("EA-T9", 0), ("ER mobilenet_v2", 0), ("all networks", 0), ("one resnet18", 0)],
)
def test_what_is_not_published_is_none(who, test):
    assert published(who, test) is None
