"""A session as the next version FS-Tn: lineage, scores, and the same classification from the registry."""

import mlflow
import numpy as np
import pytest
import yaml
from PIL import Image

from icefloe.datasets.dataset import DatasetInfo, load_datasets
from icefloe.datasets.readers import read_image, read_mask
from icefloe.datasets.versions import commit, init_workspace
from icefloe.errors import IcefloeError
from icefloe.fewshot.model import FewShotModel
from icefloe.fewshot.source import read_picture
from icefloe.files import sha256_file
from icefloe.registry.families import FS
from icefloe.registry.loading import load_version
from icefloe.registry.registry import Registry
from icefloe.settings import load_settings
from icefloe.workflow.fewshot_begin import begin_session, fitted
from icefloe.workflow.fewshot_registration import register_session
from icefloe.workflow.prediction import predict_files
from tests.stores import new_store


@pytest.fixture
def image(tmp_path, save_texture):
    save_texture(tmp_path / "t0.tif")
    return tmp_path / "t0.tif"


@pytest.fixture
def session(image, session_of, tmp_path):
    return session_of(image, tmp_path / "t0.session.json")


@pytest.fixture
def committed(tmp_path, save_texture):
    """Settings of a workspace with D1: six images whose first is `image`, labelled."""
    folder = tmp_path / "study"
    init_workspace(folder, "presets: {}\n")
    new_store(folder / ".icefloe")
    dataset = folder / "data/D1"
    for number in range(6):
        label = save_texture(dataset / f"images/t{number}.tif", 48 + 4 * number, seed=number)
        (dataset / "masks").mkdir(exist_ok=True)
        Image.fromarray(label).save(dataset / f"masks/t{number}.png")
    DatasetInfo(name="D1", experiment="D1", classes=["blobs", "stripes"]).save(dataset)
    commit(folder, "D1")
    return load_settings(folder)


def test_a_version_from_the_registry_gives_the_same_classification(
    workspace_settings, session, image, tmp_path, save_texture
):
    registered = register_session(workspace_settings, session, author="ada")
    assert registered.sentence() == "FS-T1 is registered; no labelled dataset was named to judge it on."
    assert registered.version.aliases == ("challenger",)

    loaded = load_version(workspace_settings, "FS-T1")
    assert isinstance(loaded, FewShotModel)
    model = fitted(workspace_settings, begin_session(session, ()))
    save_texture(tmp_path / "t1.tif", 70, seed=1)
    for path in (image, tmp_path / "t1.tif"):
        picture = read_picture(path)
        assert loaded.classify(picture) == model.classify(picture)
    assert loaded.session.result == model.classify(read_picture(image))

    lineage = Registry(workspace_settings).show("FS-T1").lineage
    (supports,) = lineage.images
    assert (supports.key, supports.author, supports.source) == ("few-shot/t0", "ada", "few-shot")
    assert supports.image_sha256 == sha256_file(image)
    of_session = lineage.parameters["session"]
    assert of_session["image"]["sha256"] == read_picture(image).reference.sha256
    assert [one["chips"] for one in of_session["sets"]["sets"]] == [[4, 17, 35], [0, 12, 25]]
    assert set(lineage.weights_sha256) == {"vectors", "efficientnet-lite0"}

    assert register_session(workspace_settings, session, author="ada").version.name == "FS-T1"  # the same
    assert [version.name for version in Registry(workspace_settings, FS).list()] == ["FS-T1"]
    assert Registry(workspace_settings).list() == []


def test_predicting_with_a_version_and_mlflow_serve_it(workspace_settings, session, image, tmp_path):
    register_session(workspace_settings, session)
    segmented = predict_files(workspace_settings, [image], tmp_path / "out", "FS-T1")
    mask = read_mask(tmp_path / "out/t0_mask.png")
    loaded = load_version(workspace_settings, "FS-T1")
    (prediction,) = loaded.predict_images([read_image(image)])
    np.testing.assert_array_equal(mask, prediction.mask)
    assert "FS-T1" in segmented.table.read_text()

    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(workspace_settings.tracking_uri)
    try:
        served = mlflow.pyfunc.load_model("models:/icefloe-fs@challenger")
        found = served.predict({"image": read_image(image)[None]})
    finally:
        mlflow.set_tracking_uri(before)
    np.testing.assert_array_equal(found["mask"][0], prediction.mask)
    np.testing.assert_allclose(found["mean"][0], prediction.mean)


def test_scores_on_labelled_images_are_judged_beside_the_champion(
    committed, session, image, session_of, tmp_path
):
    registered = register_session(committed, session, datasets=["D1"])
    evaluation = Registry(committed).evaluation("FS-T1")
    assert [one.stem for one in evaluation.images] == [f"t{number}" for number in range(1, 6)]
    assert evaluation.datasets["D1"].dice > 0.9
    assert registered.report.champion is None
    assert registered.report.verdict == "pass"
    assert registered.version.data_rev
    assert Registry(committed).promote("FS-T1").champion == "FS-T1"

    other = session_of(load_datasets(committed.data)["D1"].samples[5].image_path, tmp_path / "b.session.json")
    (tmp_path / "t5.tif").write_bytes((committed.data / "D1/images/t5.tif").read_bytes())
    second = register_session(committed, other, datasets=["D1"])
    assert (second.version.name, second.report.champion) == ("FS-T2", "FS-T1")
    assert second.report.verdict in ("inconclusive", "fail")


def test_what_cannot_be_scored_or_registered_is_refused(committed, session, session_of, image, tmp_path):
    swapped = session_of(image, tmp_path / "swapped.session.json", ("stripes", "blobs"))
    with pytest.raises(IcefloeError) as error:
        register_session(committed, swapped, datasets=["D1"])
    assert str(error.value) == (
        "D1: its classes are blobs, stripes, the session's sets stripes, blobs. "
        "Name the sets alike, in this order, to score it there."
    )
    image.unlink()
    with pytest.raises(IcefloeError, match="which is neither beside it nor among the images"):
        register_session(committed, session)
    assert Registry(committed, FS).list() == []


def test_a_folder_whose_files_were_changed_is_not_registered(workspace_settings, session, tmp_path):
    version = register_session(workspace_settings, session).version.name
    registry = Registry(workspace_settings, FS)
    folder = registry.download(version, tmp_path / "copy")
    manifest = folder / "fewshot.yaml"
    content = yaml.safe_load(manifest.read_text())
    (folder / "session.json").write_text("{}")
    details = registry.show(version)
    with pytest.raises(IcefloeError, match=r"session\.json: not the file that fewshot\.yaml names"):
        registry.register(folder, details.lineage, registry.evaluation(version))
    assert content["format"] == 1
