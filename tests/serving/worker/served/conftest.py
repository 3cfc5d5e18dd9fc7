"""One real worker, started once, for the tests of this folder, which leave it as it is.

Other tests start their own. All files of this folder go to one process of xdist: see tests/conftest.py.
"""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile
from fastapi import FastAPI
from fastapi.testclient import TestClient

from icefloe.datasets.dataset import DatasetInfo
from icefloe.ensemble.ensemble import Ensemble
from icefloe.settings import load_settings
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import write_dataset
from serving.app import create_app
from serving.options import Options
from tests.icefloe.cli.conftest import workspace_with_version
from tests.serving.worker.processes import start, until

SECONDS = (0, 1, 2, 4)


@dataclass(frozen=True)
class Served:
    """A workspace with a champion, an application without sign-in, and a worker that has loaded it."""

    workspace: Path
    app: FastAPI
    worker: subprocess.Popen[bytes]


@pytest.fixture(scope="session")
def served(
    tmp_path_factory: pytest.TempPathFactory, make_ensemble: Callable[..., Ensemble]
) -> Iterator[Served]:
    """D1 has three images, one of them cut off; D2 is two seconds of a simulated melt."""
    workspace, registry = workspace_with_version(tmp_path_factory.mktemp("served"), make_ensemble())
    registry.promote("EA-T1", force=True, reason="a test", by="ada")
    images = workspace / "data" / "D1" / "images"
    images.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for stem in ("a", "b", "it's 50%"):
        tifffile.imwrite(images / f"{stem}.tif", rng.integers(0, 4000, (80, 96)).astype(np.uint16))
    content = (images / "b.tif").read_bytes()
    (images / "b.tif").write_bytes(content[:200])
    DatasetInfo(name="D1", experiment="D1", pixel_size_nm=0.5).save(workspace / "data" / "D1")
    info = DatasetInfo(name="D2", experiment="melting", pixel_size_nm=8.0, frame_rate_hz=2.0)
    spec = ExperimentSpec(size_px=64, pixel_size_nm=8.0, n_composites=5)
    write_dataset(simulate_experiment(spec, 3, SECONDS), workspace / "data" / "D2", info, labelled=True)
    app = create_app(load_settings(workspace), Options(no_auth=True))
    worker = start(workspace)
    until(lambda: any(each.champion == "EA-T1" for each in app.state.workers.living()))
    yield Served(workspace, app, worker)
    worker.kill()


@pytest.fixture(scope="session")
def workspace(served: Served) -> Path:
    return served.workspace


@pytest.fixture(scope="session")
def app(served: Served) -> FastAPI:
    return served.app


@pytest.fixture(scope="session")
def worker(served: Served) -> subprocess.Popen[bytes]:
    return served.worker


@pytest.fixture
def client(app: FastAPI, browse: Callable[..., TestClient]) -> TestClient:
    return browse(app)
