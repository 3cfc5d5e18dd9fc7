"""The editor on an image of 4096 x 4096 pixels is as quick as a hand, on a machine that does nothing else."""

from collections.abc import Iterator

import pytest

from benchmarks.service.editor import EditorSpeed, large_images, measure_editor

pytestmark = pytest.mark.quiet


@pytest.fixture(scope="module")
def speed(browser) -> Iterator[EditorSpeed]:
    with large_images() as url:
        yield measure_editor(browser, url)


@pytest.fixture
def quiet(speed) -> EditorSpeed:
    """What was measured; where an empty page stutters, too, it says nothing of the editor."""
    busy = speed.busy()
    if busy is not None:
        pytest.skip(busy)
    return speed


def test_a_hundred_steps_can_be_undone_and_take_64_mib_at_most(speed):
    assert speed.undo_steps == 100
    assert speed.undo_bytes <= 64 * 2**20


@pytest.mark.parametrize("zoom", ["fit", "100 %", "400 %"])
def test_strokes_are_smooth(quiet, zoom):
    stroke = quiet.strokes[zoom]
    assert stroke.frames_per_s >= 58
    assert stroke.smooth >= 0.95
    assert stroke.paint_p95_ms <= 34


def test_pan_and_window_are_smooth(quiet):
    assert quiet.pan.frames_per_s >= 50
    assert quiet.window.frames_per_s >= 50


def test_an_image_is_soon_there_and_a_mask_soon_handed_in(quiet):
    assert quiet.first_s <= 1
    assert quiet.all_s <= 3
    assert quiet.accept_s <= 1
