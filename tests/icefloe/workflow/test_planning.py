"""What `--preset auto` comes to: a plan that a run which was interrupted finds again."""

from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.datasets.labels import write_mask
from icefloe.datasets.versions import init_workspace
from icefloe.errors import IcefloeError
from icefloe.registry.lineage import DataState, LabelledImage, Lineage
from icefloe.registry.registry import Registry
from icefloe.settings import load_settings
from icefloe.training import planner
from icefloe.training.speed import StepTime
from icefloe.workflow.planning import champions_params, plan_version, planned_params


class Told:
    """Progress that keeps what it is told."""

    def __init__(self):
        self.lines = []

    def advance(self, *_):
        pass

    def tell(self, line):
        self.lines.append(line)

    warn = tell


@pytest.fixture
def settings(tmp_path, rng):
    init_workspace(tmp_path / "study", "presets: {}\n")
    folder = tmp_path / "study" / "data" / "D1"
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    DatasetInfo(name="D1", experiment="D1").save(folder)
    mask = np.zeros((48, 64), np.uint8)
    mask[10:30, 10:40] = 1
    for index in range(5):
        tifffile.imwrite(folder / "images" / f"a{index}.tif", rng.integers(0, 60_000, mask.shape, np.uint16))
        write_mask(folder / "masks" / f"a{index}.png", mask)
    assert len(Dataset.load(folder).labelled) == 5
    return load_settings(tmp_path / "study")


@pytest.fixture
def machine(monkeypatch):
    """Say how long a step takes here."""

    def takes(seconds):
        monkeypatch.setattr(planner, "step_time", lambda *_: StepTime(seconds, "fp32"))

    return takes


def test_a_plan_is_told_with_the_reason_of_every_choice(settings, machine):
    machine(1.0)
    told = Told()

    plan = plan_version(settings, ["D1"], progress=told)

    assert told.lines[:2] == ["Planning: timing a training step.", plan.sentence()]
    assert len(told.lines) == 2 + len(plan.decisions)
    assert all(", because " in line for line in told.lines[2:])


def test_the_same_data_and_time_find_the_plan_made_before_however_fast_the_machine_is_now(settings, machine):
    machine(1.0)
    first = plan_version(settings, ["D1"])
    machine(3.0)
    told = Told()

    assert plan_version(settings, ["D1"], progress=told) == first
    assert told.lines[0] == first.sentence()
    assert plan_version(settings, ["D1"], minutes=20) != first


def test_a_run_that_goes_on_while_others_are_at_work_keeps_its_plan(settings, machine, monkeypatch):
    machine(1.0)
    quiet = plan_version(settings, ["D1"])
    monkeypatch.setattr("os.getloadavg", lambda: (99.0, 99.0, 99.0))

    assert plan_version(settings, ["D1"]) == quiet
    assert "other programs" in plan_version(settings, ["D1"], minutes=5).table().markdown()


def test_another_label_is_another_plan(settings, machine):
    machine(1.0)
    first = plan_version(settings, ["D1"])
    machine(3.0)
    (settings.data / "D1" / "masks" / "a0.png").unlink()

    assert plan_version(settings, ["D1"]).training.epochs < first.training.epochs


def test_a_plans_settings_are_those_of_a_preset(settings, machine):
    machine(1.0)

    params = planned_params(plan_version(settings, ["D1"]))

    assert set(params.sections()) >= {"split", "training", "pruning", "promotion"}
    assert params.split.folds == len(params.training.members)


def test_a_kept_plan_that_is_damaged_says_so(settings, machine):
    machine(1.0)
    plan_version(settings, ["D1"])
    (kept,) = (settings.state / "plans").iterdir()
    kept.write_text("{}")

    with pytest.raises(IcefloeError, match=rf"{kept}: .*Remove the file, and a plan is made anew\."):
        plan_version(settings, ["D1"])


def test_a_successor_is_trained_as_its_champion_was(settings, machine, monkeypatch):
    machine(1.0)
    training = plan_version(settings, ["D1"]).training
    images = tuple(
        LabelledImage(key=f"D1/a{index}", role="fold", fold=index % 3, image_sha256="", mask_sha256="")
        for index in range(5)
    )
    lineage = Lineage(
        data=DataState(rev="", md5=""),
        git_sha="",
        parameters=training.model_dump(mode="json"),
        seeds={},
        packages={},
        images=images,
        weights_sha256={},
        created="",
    )
    champion = SimpleNamespace(lineage=lineage, version=SimpleNamespace(name="EA-T3"))
    monkeypatch.setattr(Registry, "show", lambda _, name: champion if name == "champion" else None)
    told = Told()

    params = champions_params(settings, told)

    assert (params.training, params.split.folds) == (training, 3)
    assert told.lines == [
        f"Plan: as EA-T3 was trained: 3 members, {training.retraining.epochs} epochs from its weights."
    ]
