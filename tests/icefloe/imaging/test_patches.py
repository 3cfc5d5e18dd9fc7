import numpy as np

from icefloe.imaging.patches import squares


def test_an_image_of_4096_px_has_64_squares_of_512_px_that_cover_it_once():
    mask = np.ones((4096, 4096), np.uint8)
    covered = np.zeros(mask.shape, np.uint8)
    kept = list(squares(mask, 512, 400))
    for square in kept:
        covered[square] += 1
    assert len(kept) == 64
    assert (covered == 1).all()


def test_a_square_is_kept_if_more_than_400_pixels_are_labelled_and_not_at_400():
    mask = np.zeros((512, 1024), np.uint8)
    mask[0, :400] = 1
    mask[10, 512 : 512 + 401] = 2
    assert list(squares(mask, 512, 400)) == [(slice(0, 512), slice(512, 1024))]


def test_ignored_pixels_are_no_labels():
    assert not list(squares(np.full((512, 512), 255, np.uint8), 512, 0))


def test_what_is_left_beyond_the_last_whole_square_is_in_none():
    assert len(list(squares(np.ones((700, 1100), np.uint8), 512, 400))) == 2
