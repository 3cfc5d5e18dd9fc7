"""Killed at any write, or at any moment, a command leaves the old state or the new; the next one cleans up.

Every kill is a real SIGKILL of a forked process: at each of its writes in turn (system calls on files, writes
into them, child processes, statements of MLflow's database), and at moments drawn at random, there with the
git that it runs.
"""

import os
import random
import shutil
import signal
import sys
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaml
from mlflow.tracking._tracking_service import utils
from sqlalchemy import event
from sqlalchemy.engine import Engine

from icefloe.datasets.dataset import DatasetInfo, load_datasets
from icefloe.datasets.importer import import_folder
from icefloe.datasets.labels import write_mask
from icefloe.datasets.versions import commit, current_version, init_workspace, is_clean, snapshot
from icefloe.ensemble.ensemble import Ensemble
from icefloe.errors import IcefloeError
from icefloe.evaluation.evaluate import Evaluation
from icefloe.registry.lineage import DataState, LabelledImage, Lineage, member_hashes
from icefloe.registry.registry import Registry
from icefloe.scratch import SCRATCH, clean_scratch
from icefloe.settings import Settings

pytestmark = pytest.mark.integration

AT_WRITES, AT_RANDOM = int(os.environ.get("ICEFLOE_KILLS", "45")), 15

_EVENTS = {
    *("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod"),
    *("shutil.copyfile", "shutil.copytree", "shutil.rmtree", "subprocess.Popen"),
}
_CALLS = {"write", "writelines", "fsync", "sendfile", "copy_file_range", "ftruncate"}


def forked(
    work: Callable[[], object], kill_at: int | None = None, after: float | None = None
) -> tuple[int, int]:
    """Run `work` in a process that is killed at its `kill_at`-th write, or after so many seconds.

    Returns how the process ended (0, or minus the signal), and how many writes it made.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            os.setsid()
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(1, 2)
            counted = [0]

            def count() -> None:
                counted[0] += 1
                if counted[0] == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)

            def audit(name: str, arguments: tuple) -> None:
                opens_to_write = name == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
                if name in _EVENTS or (opens_to_write and str(arguments[0]) != os.devnull):
                    count()

            def profile(_frame: object, what: str, function: object) -> None:
                if what == "c_return" and getattr(function, "__name__", "") in _CALLS:
                    count()

            if after is None:
                event.listen(Engine, "before_cursor_execute", lambda *_: count())
                event.listen(Engine, "commit", lambda *_: count())
                sys.addaudithook(audit)
                threading.setprofile(profile)
                sys.setprofile(profile)
            work()
            sys.setprofile(None)
            os.write(writing, str(counted[0]).encode())
        finally:
            os._exit(0 if sys.exc_info()[0] is None else 1)
    os.close(writing)
    if after is not None:
        time.sleep(after)
        os.killpg(child, signal.SIGKILL)
    with os.fdopen(reading, "rb") as pipe:
        n_writes = int(pipe.read() or b"0")
    _, status = os.waitpid(child, 0)
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), n_writes


@dataclass
class Kills:
    """A command to be killed, on fresh copies of a workspace.

    `check` looks at what the kill left, ends with the state that is to be, and returns `old` or `new`.
    """

    template: Path
    folder: Path
    work: Callable[[Path], object]
    check: Callable[[Path], str]

    def run(self) -> Counter[str]:
        self.work(self._copy("first"))  # which makes the imports
        place = self._copy("counted")
        began = time.monotonic()
        self.work(self._copy("timed"))
        seconds = time.monotonic() - began
        ended, n_writes = forked(lambda: self.work(place))
        assert ended == 0
        # Their number varies by one or two, as threads do.
        points = sorted({round(point) for point in np.linspace(1, n_writes - 5, AT_WRITES)})
        found: Counter[str] = Counter()
        for point in points:
            place = self._copy(f"at_write_{point}")
            ended = forked(lambda place=place: self.work(place), kill_at=point)[0]
            assert ended == -signal.SIGKILL
            found[f"at a write: {self.check(place)}"] += 1
            shutil.rmtree(place)
        moments = random.Random(0)
        for index in range(AT_RANDOM):
            place = self._copy(f"at_moment_{index}")
            forked(lambda place=place: self.work(place), after=moments.uniform(0, seconds))
            found[f"at random: {self.check(place)}"] += 1
            shutil.rmtree(place)
        print(f"\n{self.work.__name__}: {n_writes} writes; killed {found.total()} times: {dict(found)}")
        return found

    def _copy(self, name: str) -> Path:
        place = self.folder / name
        shutil.copytree(self.template, place, symlinks=True)
        return place


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with D1 in a data version."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "dvc"))
    workspace = tmp_path / "template"
    init_workspace(workspace, "seed: 0\n")
    folder = workspace / "data" / "D1"
    write_images(folder / "images", folder / "masks")
    DatasetInfo(name="D1", experiment="D1").save(folder)
    commit(workspace, "D1")
    return workspace


@pytest.fixture
def source(tmp_path: Path) -> Path:
    write_images(tmp_path / "source" / "images", tmp_path / "source" / "masks")
    return tmp_path / "source"


def write_images(images: Path, masks: Path) -> None:
    images.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for index in range(6):
        tifffile.imwrite(images / f"frame_{index}.tif", rng.integers(0, 999, (48, 64)).astype(np.uint16))
        write_mask(masks / f"frame_{index}.png", rng.integers(0, 2, (48, 64)).astype(np.uint8))


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check_version(workspace: Path) -> None:
    """The version is the data: in DVC's manifest, in the cache and in the remote; nothing else lies about."""
    assert is_clean(workspace)
    md5 = current_version(workspace).md5
    for store in (workspace / ".dvc" / "cache", workspace / ".icefloe" / "dvc-remote"):
        objects = store / "files" / "md5"
        manifest = yaml.safe_load((objects / md5[:2] / md5[2:]).read_text())
        kept = {e["relpath"]: (objects / e["md5"][:2] / e["md5"][2:]).read_bytes() for e in manifest}
        assert kept == content(workspace / "data")
        assert not list(objects.rglob("*.tmp"))
    assert not list((workspace / ".git").rglob("*.lock"))
    clean_scratch(workspace)
    left = [entry.name for entry in (workspace / SCRATCH).glob("*") if entry.is_dir()]
    assert all(name.startswith(f"{os.getpid()}-") for name in left)


def test_an_import_killed_at_any_write_left_nothing_or_the_dataset(template, source, tmp_path):
    whole: dict[str, bytes] = {}

    def importing(workspace: Path) -> None:
        import_folder(source, "D9", workspace / "data", author="Ada")

    reference = tmp_path / "reference"
    import_folder(source, "D9", reference, author="Ada")
    whole = content(reference / "D9")

    def same(found: dict[str, bytes]) -> bool:
        return found.keys() == whole.keys() and all(
            found[name] == whole[name] for name in whole if name != "labels.csv"
        )

    def check(workspace: Path) -> str:
        names = {entry.name for entry in (workspace / "data").iterdir()}
        assert names in ({"D1"}, {"D1", "D9"})
        if "D9" in names:
            with pytest.raises(IcefloeError, match="there is a dataset of this name"):
                importing(workspace)
        else:
            importing(workspace)
        assert same(content(workspace / "data" / "D9"))
        assert commit(workspace, "D9").is_new
        check_version(workspace)
        return "new" if "D9" in names else "old"

    found = Kills(template, tmp_path, importing, check).run()
    assert found["at a write: old"]


def test_a_commit_killed_at_any_write_left_the_old_version_or_the_new(template, source, tmp_path):
    before = content(template / "data")
    old = current_version(template)
    import_folder(source, "D9", template / "data", author="Ada")
    after = content(template / "data")

    def committing(workspace: Path) -> None:
        commit(workspace, "D9")

    def check(workspace: Path) -> str:
        version = current_version(workspace)
        state = "old" if version.rev == old.rev else "new"
        assert content(workspace / "data") == after
        out = tmp_path / f"{workspace.name}-snapshot"
        snapshot(workspace, None, None, out)
        assert content(out) == (before if state == "old" else after)
        if state == "new":
            check_version(workspace)
        assert commit(workspace, "D9").is_new == (state == "old")
        check_version(workspace)
        assert list(load_datasets(workspace / "data")) == ["D1", "D9"]
        return state

    found = Kills(template, tmp_path, committing, check).run()
    assert found["at a write: old"]


def test_a_promotion_killed_at_any_write_left_the_old_champion_or_the_new(
    tmp_path, make_ensemble, monkeypatch
):
    # MLflow remembers where a run's artifacts are; a process of our own sees one workspace.
    monkeypatch.setattr(utils, "_artifact_repos_cache", Forgetful())
    settings = Settings(workspace=tmp_path / "template")
    register_three(settings, [make_ensemble(threshold=threshold) for threshold in (0.4, 0.5, 0.6)])

    def promoting(workspace: Path) -> None:
        Registry(Settings(workspace=workspace)).promote("EA-T3", force=True, reason="tried")

    def check(workspace: Path) -> str:
        registry = Registry(Settings(workspace=workspace))
        champion, newest = registry.champion(), registry.history()[-1]
        assert champion is not None
        state = "new" if champion.name == "EA-T3" else "old"
        assert champion.name in ("EA-T2", "EA-T3")
        assert newest.champion in ("EA-T2", "EA-T3")
        registry.promote("EA-T3", force=True, reason="tried")
        aliases = {version.name: version.aliases for version in registry.list()}
        assert aliases == {"EA-T1": (), "EA-T2": ("previous",), "EA-T3": ("champion",)}
        assert registry.rollback().champion == "EA-T2"
        assert registry.rollback().champion == "EA-T1"
        return state

    found = Kills(settings.workspace, tmp_path, promoting, check).run()
    assert found["at a write: old"]
    assert found["at a write: new"]


class Forgetful(OrderedDict):
    """Keeps nothing."""

    def __setitem__(self, key: object, value: object) -> None:
        pass


def register_three(settings: Settings, ensembles: Sequence[Ensemble]) -> None:
    """EA-T1, EA-T2 (the champion, after EA-T1) and EA-T3 (the challenger), never trained."""
    settings.workspace.mkdir(parents=True)
    (settings.workspace / "icefloe.toml").touch()
    registry = Registry(settings)
    for index, ensemble in enumerate(ensembles):
        folder = settings.workspace / f"files-{index}"
        ensemble.save(folder)
        registry.register(folder, lineage_of(folder), evaluation_of(ensemble))
    for name in ("EA-T1", "EA-T2"):
        registry.promote(name, force=True, reason="first")


def evaluation_of(ensemble: Ensemble) -> Evaluation:
    classes = ensemble.manifest.classes
    return Evaluation(ensemble="EA", classes=classes, threshold=0.5, images=(), datasets={}, baselines={})


def lineage_of(folder: Path) -> Lineage:
    image = LabelledImage(
        key="D1/a", role="train", image_sha256="i", mask_sha256="m", author="ada", labelled_at="2026-01-01"
    )
    return Lineage(
        data=DataState(rev="rev", md5="md5"),
        git_sha="c0de",
        parameters={},
        seeds={},
        packages={},
        images=(image,),
        weights_sha256=member_hashes(folder),
        start_sha256={},
        parent=None,
        created="2026-01-01T00:00:00+00:00",
    )
