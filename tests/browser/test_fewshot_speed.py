"""Grid and rubber band follow the hand over 2,116 chips, on a machine that does nothing else."""

import pytest

from benchmarks.service.chips import ChipSpeed, measure_chips
from serving.auth.roles import Role
from tests.browser.conftest import DESK, welcome

pytestmark = pytest.mark.quiet

MOST_CPU_MS = 12.0
"""Of the page's process a frame: what leaves room for the browser's other work in a frame's 16.7 ms."""


@pytest.fixture(scope="module")
def speed(browser, working) -> ChipSpeed:
    context = browser.new_context(base_url=working.url, viewport=DESK)
    page = context.new_page()
    welcome(page, working.app.state.people.add("Speedy", Role.LABELER, "test")[1])
    yield measure_chips(page)
    context.close()


def test_a_frame_takes_little_of_the_processor_even_where_others_use_it(speed):
    assert speed.n_chips == 2116
    assert max(speed.cpu_ms.values()) <= MOST_CPU_MS, speed.cpu_ms


@pytest.mark.parametrize("moved", ["drag", "slider", "band"])
def test_grid_and_rubber_band_are_smooth(speed, moved):
    busy = speed.busy()
    if busy is not None:
        pytest.skip(busy)
    motion = getattr(speed, moved)
    assert motion.frames_per_s >= 58
    assert motion.smooth >= 0.95
