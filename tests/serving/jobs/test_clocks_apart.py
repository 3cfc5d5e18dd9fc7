"""Jobs of one table, taken by workers on machines whose clocks are 5 minutes apart."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from icefloe.database.open import open_url
from serving.jobs.bells import Bells
from serving.jobs.job import BATCH
from serving.jobs.table import LEASE_SECONDS, Jobs
from serving.jobs.workers import Workers, WorkerState
from tests.clock import run_off

pytestmark = pytest.mark.integration  # one machine has one clock, so SQLite's users have

TAKE = """
from pathlib import Path
from sqlalchemy.engine import make_url
from icefloe.database.open import open_url
from serving.jobs.bells import Bells
from serving.jobs.table import Jobs
from serving.jobs.workers import Workers
database = open_url(make_url(sys.argv[2]))
job = Jobs(database, Bells(Path(sys.argv[3]))).take("far")
print(json.dumps([job and job.id, [worker.name for worker in Workers(database).living()]]))
"""

APART_SECONDS = 300.0


@pytest.mark.parametrize("off", [APART_SECONDS, -APART_SECONDS])
def test_a_job_is_its_workers_while_that_lives_and_no_longer_where_the_clock_is_off(
    postgresql, tmp_path, off
):
    url, bells = postgresql.new_url(), tmp_path / "bells"
    database = open_url(url)
    jobs, workers = Jobs(database, Bells(bells)), Workers(database)
    job = jobs.ask("planes", {"dataset": "D1", "stem": "a"}, BATCH, "Ann")
    assert jobs.take("near").id == job.id

    far = (off, TAKE, url.render_as_string(hide_password=False), str(bells))
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(run_off, *far)
        while not asked.done():  # signs of life
            jobs.report(job.id, "near", "Segmenting", 1, 2)
            workers.beat(WorkerState(name="near", champion=None, problem=None))
            time.sleep(0.5)
    assert asked.result() == [None, ["near"]]
    time.sleep(LEASE_SECONDS + 1)  # it gives no sign of life any more
    assert run_off(*far) == [job.id, []]
    database.close()
