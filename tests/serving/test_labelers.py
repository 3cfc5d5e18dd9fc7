"""Many labelers at once: no image is leased twice, and no mask that was acknowledged is lost."""

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from benchmarks.service.labelers import check, fill, label_together
from benchmarks.service.postgresql import PostgreSQL
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


def test_a_server_that_restarts_again_and_again_loses_no_mask_of_twenty_labelers(settings):
    with tempfile.TemporaryDirectory(prefix="icefloe-postgresql-") as folder:
        server = PostgreSQL(Path(folder), fsync=True)
        url = server.new_url().render_as_string(hide_password=False)
        own = settings.model_copy(update={"database_url": SecretStr(url)})
        queue = fill(own, 4000)
        tokens = tokens_of(own, [f"labeler {number}" for number in range(20)])
        with serving(own, web=2) as running, ThreadPoolExecutor(1) as pool:
            labelling = pool.submit(label_together, running.url, tokens, 40, 0.2)
            for _ in range(3):
                time.sleep(5)
                server.restart()
            crowd = labelling.result()
        assert len(crowd.labelled) > 100
        check(queue, crowd.labelled)
        queue.database.close()
        server.stop()
