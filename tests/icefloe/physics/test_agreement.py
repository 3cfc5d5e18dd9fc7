import numpy as np
import pytest

from icefloe.physics.agreement import compare
from icefloe.physics.crystal import measure
from icefloe.physics.experiment import ExperimentPhysics
from icefloe.physics.image import measure_image


def agreement(disc, errors, widening=1.0):
    """Of the equivalent radius: three members at 39, 40, 41 px, labels at 40 px plus the errors."""
    images = [
        measure_image(str(s), float(s), disc(40), [disc(39), disc(40), disc(41)], 0.5, 1.0)
        for s in range(len(errors) + 1)
    ]
    experiment = ExperimentPhysics.from_images("a", images, pixel_size_nm=1.0, widening=widening)
    labels = {str(s): measure(disc(40 + error), 0.5, 1.0) for s, error in enumerate(errors)}
    return next(a for a in compare(experiment, labels) if a.quantity == "equivalent_radius")


HALF_WIDTH = 4.302653 * np.sqrt(4 / 3)  # of Student's interval about members at 39, 40, 41


def test_labels_within_the_interval_are_counted(disc):
    found = agreement(disc, [0.0, 2.0, -4.5, 5.5, -8.0])
    assert (found.n_images, found.n_inside) == (5, 3)
    assert found.mean_error == pytest.approx(1.0, abs=0.02)
    assert found.typical_error == pytest.approx(4.5, abs=0.02)
    assert found.sentence() == (
        "Against 5 labels: equivalent radius within its interval on 3, mean error 1 nm."
    )


def test_few_labels_ask_for_the_greatest_error(disc):
    assert agreement(disc, [1.0, -8.0]).widening == pytest.approx(8 / HALF_WIDTH, rel=0.01)


def test_twenty_labels_ask_for_the_conformal_quantile(disc):
    errors = np.linspace(0.5, 10, 20)  # ceil(21 x 0.95) = 20: the greatest again
    assert agreement(disc, errors).widening == pytest.approx(10 / HALF_WIDTH, rel=0.01)


def test_forty_labels_leave_the_greatest_out(disc):
    errors = np.linspace(0.25, 10, 40)  # ceil(41 x 0.95) = 39
    assert agreement(disc, errors).widening == pytest.approx(9.75 / HALF_WIDTH, rel=0.01)


def test_the_factor_asked_for_makes_the_intervals_hold_and_is_asked_for_again(disc):
    wide = agreement(disc, [2.0, -8.0], widening=8.01 / HALF_WIDTH)
    assert wide.n_inside == 2
    assert wide.widening == pytest.approx(8 / HALF_WIDTH, rel=0.01)


def test_masks_have_no_intervals_to_compare(disc):
    images = [measure_image("0", 0.0, disc(40), [], 0.5, 1.0)]
    experiment = ExperimentPhysics.from_images("a", images, pixel_size_nm=1.0)
    assert compare(experiment, {"0": images[0].ensemble}) == ()
