"""The component `fewshot` in kfp's local runner: by a session's file, and by a registered version."""

import csv
import json
import shutil

import numpy as np
import pytest
import tifffile
from kfp import dsl
from kfp.dsl import Artifact, Output

from components.base import component
from components.fewshot.component import fewshot as classify_chips
from components.get_data.component import get_data
from components.resolve.component import resolve
from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.versions import commit, init_workspace
from icefloe.errors import IcefloeError
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.session import Session
from icefloe.fewshot.sets import SupportSets
from icefloe.fewshot.source import read_picture
from icefloe.progress import SILENT
from icefloe.registry.runs import RunRecord, list_runs
from icefloe.settings import load_settings
from icefloe.workflow.fewshot import classify_images
from icefloe.workflow.fewshot_registration import register_session
from pipelines.local import run_locally
from pipelines.names import PipelineName
from pipelines.run import run_pipeline
from tests.stores import new_store

pytestmark = pytest.mark.integration  # a minute each, by processes of their own


@component
def hand_over(source: str, session: Output[Artifact]) -> str:
    import shutil

    shutil.copyfile(source, session.path)
    return source


@dsl.pipeline(name="by-session")
def by_session(source: str) -> int:
    given = hand_over(source=source)
    current = resolve()
    data = get_data(version=current.outputs["data"], names=["D1"], split={})
    done = classify_chips(session=given.outputs["session"], data=data.outputs["data"])
    return done.outputs["Output"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Settings of a workspace whose D1 has three images, and a session beside a copy of the first."""
    folder = tmp_path_factory.mktemp("fewshot")
    workspace = folder / "study"
    init_workspace(workspace, "presets: {}\n")
    new_store(workspace / ".icefloe")
    images = workspace / "data/D1/images"
    images.mkdir(parents=True)
    y, x = np.mgrid[:96, :96]
    for number, boundary in enumerate((32, 48, 64)):
        texture = np.where(x < boundary, np.sin(x + y), 1.4 * np.sin(x / 2) * np.sin(y / 2))
        noise = np.random.default_rng(number).normal(0, 0.2, x.shape)
        tifffile.imwrite(images / f"t{number}.tif", (1000 * (3 + texture + noise)).astype(np.uint16))
    DatasetInfo(name="D1", experiment="D1").save(images.parent)
    commit(workspace, "D1")
    shutil.copyfile(images / "t0.tif", folder / "t0.tif")
    sets = SupportSets().added("blobs", [4, 17, 35]).added("stripes", [0, 12, 25])
    reference = read_picture(folder / "t0.tif").reference
    session = Session(image=reference, grid=Grid(height=96, width=96, edge=16), sets=sets)
    session.save(folder / "t0.session.json")
    return load_settings(workspace), folder / "t0.session.json"


def expected_rows(settings, session, tmp_path):
    images = sorted((settings.data / "D1/images").iterdir())
    batch = classify_images(settings, images, session, tmp_path / "batch")
    return [{**row, "image": f"D1/{row['image'].removesuffix('.tif')}"} for row in batch.series.rows()]


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_sessions_file_classifies_a_dataset(study, process, tmp_path):
    settings, session = study
    ran = run_locally(by_session, {"source": str(session)}, settings, SILENT, process, trains=False)

    (counts,) = ran.artifacts("counts")
    expected = expected_rows(settings, session, tmp_path)
    assert read(counts) == [{name: str(value) for name, value in row.items()} for row in expected]
    (figure,), (findings,) = ran.artifacts("figure"), ran.artifacts("findings")
    assert "<img" in figure.read_text()
    assert findings.read_text().startswith("108 chips of 3 images, from first to last: blobs ")
    (executed,) = ran.directory.glob("steps/*/fewshot/executor_output.json")
    numbers = json.loads(executed.read_text())["artifacts"]["numbers"]["artifacts"][0]["metadata"]
    assert numbers["stripes.last"] == pytest.approx(expected[-1]["stripes fraction"], abs=1e-6)
    assert "far.most" in numbers


def test_the_pipeline_classifies_by_a_registered_version_and_keeps_the_series(study, tmp_path):
    settings, session = study
    with pytest.raises(IcefloeError, match="Register one with `icefloe fewshot register SESSION`"):
        run_pipeline(settings, PipelineName.FEWSHOT, "auto", ["D1"])
    register_session(settings, session)
    with pytest.raises(IcefloeError, match=r"FS-T9: no such few-shot version\. There are FS-T1\."):
        run_pipeline(settings, PipelineName.FEWSHOT, "auto", ["D1"], version="FS-T9")

    ran = run_pipeline(settings, PipelineName.FEWSHOT, "auto", ["D1"])

    assert ran.report.is_file()
    (run,) = list_runs(settings)
    series = RunRecord(settings, run["id"]).read_json("fewshot/D1.json")
    expected = expected_rows(settings, session, tmp_path)
    assert [image["classes"][1]["fraction"]["mean"] for image in series["images"]] == pytest.approx(
        [row["stripes fraction"] for row in expected], abs=1e-6
    )


def test_a_session_of_an_image_that_is_not_there_is_refused_by_name(study, process, tmp_path):
    settings, session = study
    image = tmp_path / "other.tif"
    tifffile.imwrite(image, np.random.default_rng(9).integers(0, 255, (96, 96)).astype(np.uint8))
    other = tmp_path / "other.session.json"
    Session.load(session).model_copy(update={"image": read_picture(image).reference}).save(other)
    with pytest.raises(IcefloeError) as error:
        run_locally(by_session, {"source": str(other)}, settings, SILENT, process, trains=False)
    assert str(error.value) == (
        "The session's image other.tif is not among the data. "
        "Add it to the dataset, or register the session and name its version FS-Tn."
    )
