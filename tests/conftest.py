"""Fixtures that every test may use, small ensembles of real networks with random weights among them."""

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

# Before torch is loaded, which reads them then. Networks here are small and processes many: threads that wait
# for each other on busy cores take ten times the time of one alone.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from safetensors.torch import save_file
from sqlalchemy.engine import URL

from benchmarks.service.postgresql import PostgreSQL
from icefloe.database.engine import Database
from icefloe.database.open import open_url
from icefloe.database.url import sqlite_url
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.manifest import Manifest, Member
from icefloe.evaluation.evaluate import Evaluation
from icefloe.evaluation.scores import Baseline, ImageScores
from icefloe.files import sha256_file
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build

# `pytest --hypothesis-profile long tests/icefloe/datasets/test_import_any_labels.py`
settings.register_profile("long", max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))

REPOSITORY = Path(__file__).resolve().parents[1]


BUCKETS = count(1)

AT_ONCE = ("tests/pipelines/", "tests/serving/worker/served/")
"""Folders whose files share a process that takes long to start."""


@pytest.hookimpl(optionalhook=True)  # there is none without xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """As `--dist loadfile`, but a folder whose files share what is costly goes to one process as well."""
    from xdist.scheduler import LoadFileScheduling

    class ByFileOrFolder(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            shared = (folder for folder in AT_ONCE if nodeid.startswith(folder))
            return next(shared, super()._split_scope(nodeid))

    return ByFileOrFolder(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def real_data() -> Path:
    """The real micrographs beside the project; tests that need them are skipped where they are absent."""
    folder = Path(os.environ.get("ICEFLOE_REAL_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the real micrographs are not on this machine (set ICEFLOE_REAL_DATA)")
    return folder


def untrained_specs(seeds: tuple[int, ...]) -> tuple[MemberSpec, ...]:
    channels = (16, 16, 8, 8, 8)
    return tuple(MemberSpec(encoder="mobilenet_v2", seed=seed, decoder_channels=channels) for seed in seeds)


@pytest.fixture(scope="session")
def member_weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Path]]:
    """Weights files of untrained members, for a number of classes."""

    @cache
    def make(n_classes: int, seeds: tuple[int, ...] = (0, 1)) -> list[Path]:
        folder = tmp_path_factory.mktemp("members")
        paths = []
        for spec in untrained_specs(seeds):
            paths.append(folder / f"{spec.name}.safetensors")
            save_file(build(spec, n_classes).state_dict(), paths[-1])
        return paths

    return make


@pytest.fixture(scope="session")
def make_ensemble(member_weights: Callable[..., list[Path]]) -> Callable[..., Ensemble]:
    """An ensemble of untrained members at 64 px; keywords go to its manifest."""

    @cache
    def plain(n_classes: int, seeds: tuple[int, ...]) -> Ensemble:
        paths = member_weights(n_classes, seeds)
        members = tuple(
            Member(spec=spec, sha256=sha256_file(path))
            for spec, path in zip(untrained_specs(seeds), paths, strict=True)
        )
        manifest = Manifest(
            name="EA-T1",
            members=members,
            preprocessing=Preprocessing(size=64),
            classes=("background", "ice", "gas", "grid")[:n_classes],
        )
        return Ensemble(manifest, paths, device="cpu")

    def make(n_classes: int = 2, seeds: tuple[int, ...] = (0, 1), **entries: object) -> Ensemble:
        ensemble = plain(n_classes, seeds)
        return ensemble.with_manifest(ensemble.manifest.model_copy(update=entries))

    return make


@pytest.fixture(scope="session")
def evaluation_of():
    """Build an evaluation: dataset -> (mean Dice, number of images), scattering about the means."""

    def build(dice, seed=0, spread=0.005, uq=0.01, baseline=0.3):
        rng = np.random.default_rng(seed)
        images = [
            ImageScores(
                dataset=dataset,
                stem=f"frame_{index}",
                index=index,
                dice=float(np.clip(mean + spread * rng.normal(), 0, 1)),
                pca=0.98 + 0.001 * rng.normal(),
                ece=0.01 + 0.001 * rng.normal(),
                uq=uq + 0.0001 * rng.normal(),
                iou=0.9,
                brier=0.01,
                mae=0.02,
                uq_boundary=0.1,
                uq_foreground=0.05,
            )
            for dataset, (mean, n_images) in dice.items()
            for index in range(n_images)
        ]
        trivial = {
            "all background": Baseline(pca=0.9, iou=0.0, dice=0.0),
            "Otsu": Baseline(pca=0.9, iou=baseline / (2 - baseline), dice=baseline),
        }
        return Evaluation(
            ensemble="EA",
            classes=("background", "ice"),
            threshold=0.4,
            images=tuple(images),
            datasets={},
            baselines=dict.fromkeys(dice, trivial),
        )

    return build


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server, started when a test first asks for it."""
    # Not pytest's folder: the path of a socket may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="icefloe-postgresql-") as folder:
        server = PostgreSQL(Path(folder))
        yield server
        server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.integration)])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], URL]:
    """Make URLs of empty databases; a test that uses it runs on both engines."""
    if request.param == "postgresql":
        server: PostgreSQL = request.getfixturevalue("postgresql")
        return server.new_url
    numbers = count(1)
    return lambda: sqlite_url(tmp_path / "state" / f"queue{next(numbers)}.db")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables and nothing in them; copied, as migrations take longer than a test."""
    path = tmp_path_factory.mktemp("empty_database") / "queue.db"
    open_url(sqlite_url(path)).close()
    return path


@pytest.fixture
def database(new_url: Callable[[], URL], empty_database: Path) -> Iterator[Database]:
    """A new database, once on each engine."""
    url = new_url()
    if url.drivername == "sqlite":
        path = Path(str(url.database))
        path.parent.mkdir(exist_ok=True)
        shutil.copyfile(empty_database, path)
    opened = open_url(url)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    """Address of a real S3 server: moto's, which speaks HTTP like any other."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_address: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A new bucket of that server, which boto3 and what uses it finds by the environment."""
    import boto3

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return boto3.Session().resource("s3").create_bucket(Bucket=f"bucket-{next(BUCKETS)}")


@pytest.fixture
def container(tmp_path: Path) -> Path:
    """A control group of one core and 1 GiB."""
    (tmp_path / "cpu.max").write_text("100000 100000\n", encoding="ascii")
    (tmp_path / "memory.max").write_text(f"{1 << 30}\n", encoding="ascii")
    return tmp_path
