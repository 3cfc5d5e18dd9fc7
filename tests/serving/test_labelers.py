"""Fifty labelers at once: no image is leased twice, and no mask that was acknowledged is lost."""

import pytest
from pydantic import SecretStr

from benchmarks.service.labelers import check, fill, label_together
from benchmarks.service.running import serving, tokens_of

pytestmark = pytest.mark.integration

LABELERS, SECONDS, THINK_SECONDS = 50, 10, 0.5


@pytest.mark.parametrize("web", [1, 2])
def test_fifty_labelers_never_share_an_image_and_lose_no_mask(settings, new_url, web):
    url = new_url().render_as_string(hide_password=False)
    own = settings.model_copy(update={"database_url": SecretStr(url)})
    queue = fill(own, int(2 * LABELERS * SECONDS / THINK_SECONDS))
    tokens = tokens_of(own, [f"labeler {number}" for number in range(LABELERS)])
    with serving(own, web=web) as running:
        crowd = label_together(running.url, tokens, SECONDS, THINK_SECONDS)
    assert len(crowd.labelled) >= LABELERS
    check(queue, crowd.labelled)
    queue.database.close()
