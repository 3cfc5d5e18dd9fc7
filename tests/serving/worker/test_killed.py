"""A worker that is killed while it segments a series: another goes on where it stood."""

import os
import signal
import time
import zipfile

import numpy as np
import pytest
import tifffile
from PIL import Image
from sqlalchemy import select

from icefloe.database.schema import jobs as jobs_table
from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.registry.loading import load_version
from icefloe.settings import load_settings
from serving.app import create_app
from serving.options import Options
from serving.prepared import Prepared, read_maps
from serving.worker.maps import MASK
from tests.icefloe.cli.conftest import workspace_with_version
from tests.serving.worker.processes import start, until

pytestmark = pytest.mark.integration

N_FRAMES = 30
TAKEN_UP_SECONDS = 30
BUSY_SECONDS = 400  # for what has no limit of its own, on a machine that does other things, too
SHAPE = (512, 512)


@pytest.fixture
def workspace(tmp_path, make_ensemble):
    """A champion, and a series of frames that it has not seen yet."""
    folder, registry = workspace_with_version(tmp_path, make_ensemble())
    registry.promote("EA-T1", force=True, reason="a test", by="ada")
    images = folder / "data" / "D1" / "images"
    images.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(N_FRAMES):
        tifffile.imwrite(images / f"frame_{number}.tif", rng.integers(0, 4000, SHAPE).astype(np.uint16))
    DatasetInfo(name="D1", experiment="D1", pixel_size_nm=0.5).save(folder / "data" / "D1")
    return folder


@pytest.fixture
def workers(workspace):
    processes = [start(workspace) for _ in range(2)]
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def test_another_worker_goes_on_within_30_s_and_does_no_finished_frame_again(workspace, workers, browse):
    settings = load_settings(workspace)
    app = create_app(settings, Options(no_auth=True))
    client = browse(app)
    until(lambda: [each.champion for each in app.state.workers.living()] == ["EA-T1", "EA-T1"], BUSY_SECONDS)
    samples = Dataset.load(settings.data / "D1").samples
    folders = [Prepared(settings).maps(sample, "EA-T1") for sample in samples]

    def finished():
        # What a folder is about is touched by whoever asks for it; its mask never.
        return {folder: (folder / MASK).stat() for folder in folders if (folder / MASK).is_file()}

    asked = client.post("/api/v1/segmentations", json={"dataset": "D1"}, headers={"Prefer": "wait=0"})
    assert asked.status_code == 202
    job_id = asked.json()["job"]["id"]
    until(lambda: len(finished()) >= 5)
    with app.state.database.reading() as connection:
        name = connection.execute(select(jobs_table.c.worker).where(jobs_table.c.id == job_id)).scalar_one()
    (killed,) = (process for process in workers if name.endswith(f":{process.pid}"))
    os.kill(killed.pid, signal.SIGKILL)
    before, began = finished(), time.monotonic()
    assert len(before) < N_FRAMES

    until(lambda: app.state.jobs.job(job_id).attempts == 2)
    assert time.monotonic() - began <= TAKEN_UP_SECONDS
    until(lambda: app.state.jobs.job(job_id).state == "done", BUSY_SECONDS)
    assert app.state.jobs.job(job_id).attempts == 2

    after = finished()
    for folder, state in before.items():
        assert (after[folder].st_ino, after[folder].st_mtime_ns) == (state.st_ino, state.st_mtime_ns)
    result = client.get(f"/api/v1/segmentations/{job_id}").json()
    assert [image["stem"] for image in result["images"]] == [f"frame_{number}" for number in range(N_FRAMES)]
    assert (result["job"]["done"], result["job"]["total"]) == (N_FRAMES, N_FRAMES)
    for folder in folders:
        assert [each.name for each in folder.parent.iterdir()] == ["EA-T1"]  # once, and nothing half-written
        assert read_maps(folder) is not None
        assert zipfile.ZipFile(folder / "maps.npz").testzip() is None
    segmenter = load_version(settings, "EA-T1")
    for (_, prediction), folder in zip(segmenter.predict(samples), folders, strict=True):
        # Several images at a time are rounded otherwise than one.
        assert np.mean(np.asarray(Image.open(folder / MASK)) != prediction.mask) < 1e-3
