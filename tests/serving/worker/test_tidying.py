"""What nobody needs any more is removed, and nothing else."""

import os
from pathlib import Path

import pytest

from icefloe.datasets.dataset import INFO_FILE
from serving.jobs.bells import Bells
from serving.jobs.job import BATCH
from serving.jobs.table import Jobs
from serving.prepared import ABOUT, find_dataset, read_maps
from serving.worker.tidying import LEFT_SECONDS, UNUSED_SECONDS, tidy

NOW = 2_000_000_000.0


@pytest.fixture
def jobs(database, tmp_path):
    return Jobs(database, Bells(tmp_path / "bells"))


@pytest.fixture
def settings(workspace_settings, tmp_path):
    (tmp_path / "icefloe.toml").touch()
    return workspace_settings.model_copy(update={"folder": tmp_path})


def make(path: Path, age: float) -> Path:
    """A file that somebody asked for so many seconds ago, and one beside it; their folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "content").write_text("x")
    path.write_text("{}")
    for each in (path, path.parent):
        os.utime(each, (NOW - age, NOW - age))
    return path.parent


def test_what_nobody_has_asked_for_is_removed_after_two_weeks_with_its_empty_parents(settings):
    served = settings.state / "served"
    old = make(served / "maps" / "D1" / "a" / "stamp" / "EA-T1" / ABOUT, UNUSED_SECONDS + 1)
    young = make(served / "maps" / "D1" / "b" / "stamp" / "EA-T1" / ABOUT, UNUSED_SECONDS - 1)
    plane = make(served / "planes" / "D1" / "a" / "stamp" / ABOUT, UNUSED_SECONDS + 1)
    upload = make(served / "uploads" / "3" / "upload-1" / INFO_FILE, UNUSED_SECONDS + 1)
    assert tidy(settings, [], NOW) == 3
    assert young.is_dir()
    assert not any(each.exists() for each in (old, old.parents[1], plane, upload))


def test_what_a_request_that_was_cut_off_has_left_is_removed_after_a_day(settings):
    served = settings.state / "served"
    for name, age in (("old", LEFT_SECONDS + 1), ("young", LEFT_SECONDS - 1)):
        make(served / "tensors" / name / "images.npy", age)
        make(served / "arriving" / "3" / name / "a.tif", age)
    assert tidy(settings, [], NOW) == 2
    assert sorted(path.name for path in served.rglob("*") if path.is_dir()) == [
        "3",
        "arriving",
        "tensors",
        "young",
        "young",
    ]


def test_what_a_live_job_works_on_stays(settings, jobs):
    served = settings.state / "served"
    kept = [
        make(served / "maps" / "D1" / "a" / "stamp" / "EA-T1" / ABOUT, UNUSED_SECONDS * 2),
        make(served / "uploads" / "3" / "upload-1" / INFO_FILE, UNUSED_SECONDS * 2),
        make(served / "arriving" / "3" / "upload-2" / "a.tif", UNUSED_SECONDS * 2),
        make(served / "tensors" / "t1" / "images.npy", UNUSED_SECONDS * 2),
    ]
    jobs.ask("segment", {"dataset": "D1", "stems": None}, BATCH, "ada")
    jobs.ask("segment", {"dataset": "upload-1", "stems": None}, BATCH, "ada")
    jobs.ask("unpack", {"upload": "upload-2"}, BATCH, "ada")
    jobs.ask("infer", {"tensors": "t1"}, BATCH, "ada")
    assert tidy(settings, jobs.live(), NOW) == 0
    assert all(each.is_dir() for each in kept)


def test_data_labels_drafts_and_models_are_never_touched(settings):
    kept = [
        make(settings.data / "D1" / "masks" / "a.png", UNUSED_SECONDS * 9),
        make(settings.state / "queue.db", UNUSED_SECONDS * 9),
        make(settings.state / "mlartifacts" / ABOUT, UNUSED_SECONDS * 9),
        make(settings.state / "served" / "registry.json", UNUSED_SECONDS * 9),
    ]
    before = sorted(path for folder in kept for path in folder.rglob("*"))
    assert tidy(settings, [], NOW) == 0
    assert sorted(path for folder in kept for path in folder.rglob("*")) == before


def test_asking_for_it_keeps_it(settings):
    served = settings.state / "served"
    maps = make(served / "maps" / "D1" / "a" / "stamp" / "EA-T1" / ABOUT, UNUSED_SECONDS * 2)
    about = '{"version": "EA-T1", "classes": ["a", "b"], "largest": {}, "height": 1, "width": 1'
    (maps / ABOUT).write_text(about + ', "fractions": [1, 0], "scores": {}}')
    upload = make(served / "uploads" / "3" / "upload-1" / INFO_FILE, UNUSED_SECONDS * 2)
    (upload / INFO_FILE).write_text("name: upload-1\nexperiment: a\n")
    (upload / "images").mkdir()
    (upload / "images" / "a.tif").touch()
    for path in (maps / ABOUT, upload / INFO_FILE):
        os.utime(path, (0, 0))
    assert read_maps(maps) is not None
    find_dataset(settings, "upload-1", 3)
    assert tidy(settings, []) == 0
