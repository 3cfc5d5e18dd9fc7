"""Fixtures that every test may use, small ensembles of real networks with random weights among them."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path

# Before torch is loaded, which reads them then. Networks here are small and processes many: threads that wait
# for each other on busy cores take ten times the time of one alone.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from safetensors.torch import save_file
from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL

from icefloe.database.engine import Database
from icefloe.database.open import open_url
from icefloe.database.url import sqlite_url
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.manifest import Manifest, Member
from icefloe.files import sha256_file
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build

# `pytest --hypothesis-profile long tests/icefloe/datasets/test_import_any_labels.py`
settings.register_profile("long", max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))

REPOSITORY = Path(__file__).resolve().parents[1]


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


class PostgreSQL:
    """A PostgreSQL server of the tests' own, on a socket in its folder.

    The user `guarded` needs the password `s3cret`, `postgres` none. Without `fsync` it is quicker, and loses
    what it has in a power cut.
    """

    def __init__(self, folder: Path, fsync: bool = False) -> None:
        self.folder = folder
        self._numbers = count(1)
        # PostgreSQL refuses to run as root.
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user is not None:
            owner = pwd.getpwnam(self._user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        self._call(
            "initdb", "-D", "data", "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"
        )
        rules = folder / "data" / "pg_hba.conf"
        rules.write_text("local all guarded scram-sha-256\n" + rules.read_text())
        options = f"-c listen_addresses='' -c unix_socket_directories={folder}"
        options += "" if fsync else " -c fsync=off"
        self._call("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")
        self.execute("CREATE ROLE guarded LOGIN PASSWORD 's3cret'")

    def url(self, user: str = "postgres", password: str | None = None, **query: str) -> URL:
        return URL.create(
            "postgresql+psycopg",
            user,
            password,
            database="postgres",
            query={"host": str(self.folder), **query},
        )

    def new_url(self) -> URL:
        """URL of an empty schema, which takes milliseconds; a database would take megabytes."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE SCHEMA {name}")
        return self.url(options=f"-csearch_path={name}")

    def execute(self, statement: str) -> None:
        engine = create_engine(self.url(), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def stop(self) -> None:
        self._call("pg_ctl", "-D", "data", "-m", "immediate", "stop")

    def _call(self, program: str, *arguments: str) -> None:
        # Debian keeps the server's programs off the path.
        places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), reverse=True)
        found = shutil.which(program) or next(iter(places), None)
        if found is None:
            pytest.fail(
                f"{program} is missing: these tests start PostgreSQL. Install it: apt-get install postgresql"
            )
        done = subprocess.run(
            [found, *arguments],
            cwd=self.folder,
            user=self._user,
            extra_groups=None if self._user is None else [],
            stdout=subprocess.DEVNULL,  # the server keeps it, so a pipe would never end
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode != 0:
            log = self.folder / "log"
            pytest.fail(f"{program} failed; {log.read_text() if log.is_file() else 'there is no log'}")


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
