"""Pre-segmentations with errors are mended with the editor's own tools, in few actions."""

import numpy as np
import pytest

from benchmarks.service.correction import correct_all, tasks_served
from benchmarks.service.correction_tasks import GOOD_DICE, make_task
from icefloe.active.uploads import decode_png

pytestmark = pytest.mark.browser


def test_simulated_images_are_corrected_in_few_actions_and_handed_in_as_they_are_seen(browser):
    tasks = [make_task(seed) for seed in range(3)]
    with tasks_served(tasks) as (url, queue):
        corrected = correct_all(browser, url, tasks)
        labels = [decode_png(label.png) for label in queue.labels()]
    assert max(done.person_s for done in corrected) < 20
    for task, done, label in zip(tasks, corrected, labels, strict=True):
        errors = task.missed + task.borders + (task.false > 0)
        assert done.before < GOOD_DICE <= done.after
        assert done.actions <= 3 + 3 * errors  # specks, lasso, Enter; a stroke or two an error
        assert np.array_equal(label, done.mask)
