import itertools

import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef

from icefloe.errors import IcefloeError
from icefloe.scoring.diversity import ErrorCounts


@pytest.fixture
def reference(rng):
    return (rng.random((40, 30)) < 0.3).astype(np.uint8)


@pytest.fixture
def masks(rng, reference):
    common = rng.random(reference.shape) < 0.1
    wrong = [
        common & (rng.random(reference.shape) < 0.7) | (rng.random(reference.shape) < 0.05) for _ in "abc"
    ]
    return np.stack([reference ^ w for w in wrong])


def test_disagreement_is_the_share_of_pixels_on_which_masks_differ(reference, masks):
    found = ErrorCounts.of_masks(reference, masks).disagreement
    for i, j in itertools.product(range(3), repeat=2):
        assert found[i, j] == pytest.approx(np.mean(masks[i] != masks[j]))


def test_error_correlation_is_sklearns_matthews_correlation_of_errors(reference, masks):
    found = ErrorCounts.of_masks(reference, masks).error_correlation
    wrong = masks != reference
    for i, j in itertools.product(range(3), repeat=2):
        assert found[i, j] == pytest.approx(matthews_corrcoef(wrong[i].ravel(), wrong[j].ravel()))


def test_double_fault_and_q_count_the_four_cases(reference, masks):
    counts = ErrorCounts.of_masks(reference, masks)
    a, b = (mask == reference for mask in masks[:2])
    n11, n00, n10, n01 = (int(case.sum()) for case in (a & b, ~a & ~b, a & ~b, ~a & b))
    assert counts.double_fault[0, 1] == n00 / reference.size
    assert counts.q_statistic[0, 1] == pytest.approx((n11 * n00 - n01 * n10) / (n11 * n00 + n01 * n10))


def test_counts_of_images_add_up_and_ignored_pixels_are_left_out(reference, masks):
    half = reference.copy()
    half[20:] = 255
    other = reference.copy()
    other[:20] = 255
    both = ErrorCounts.of_masks(half, masks) + ErrorCounts.of_masks(other, masks)
    whole = ErrorCounts.of_masks(reference, masks)
    assert both.n_pixels == whole.n_pixels
    np.testing.assert_array_equal(both.both_wrong, whole.both_wrong)


def test_a_member_that_never_errs_has_no_correlation(reference, masks):
    counts = ErrorCounts.of_masks(reference, np.stack([reference, masks[0]]))
    assert np.isnan(counts.error_correlation[0, 1])
    assert np.isnan(counts.q_statistic[0, 1])
    assert counts.double_fault[0, 1] == 0


def test_one_member_is_refused(reference):
    with pytest.raises(IcefloeError, match="Diversity needs at least two members"):
        ErrorCounts.of_masks(reference, reference[None])
