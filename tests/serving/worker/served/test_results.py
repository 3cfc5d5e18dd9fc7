"""Results of a series, by a real worker: measurements, curves, table, figures, TIFF."""

import csv
import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from icefloe.datasets.dataset import Dataset
from icefloe.datasets.readers import load_raw, read_metadata
from icefloe.settings import load_settings
from icefloe.workflow.physics import PhysicsOptions, measure_physics
from serving.prepared import MEASURED, Prepared
from tests.serving.worker.served.test_worker import upload

WAIT = {"Prefer": "wait=30"}


@pytest.fixture
def measured(client, worker):
    """D2, segmented and measured."""
    wanted = {"dataset": "D2", "measure": True}
    answer = client.post("/api/v1/segmentations", json=wanted, headers=WAIT)
    assert answer.json()["job"]["state"] == "done", answer.text
    return client


@pytest.fixture(scope="module")
def expected(workspace, tmp_path_factory):
    """What `icefloe physics` finds."""
    output = tmp_path_factory.mktemp("physics")
    return measure_physics(load_settings(workspace), "D2", PhysicsOptions(), output)


def test_before_anything_is_segmented_it_says_what_there_is_to_do(client, worker):
    found = client.get("/api/v1/results/D2").json()
    assert (found["version"], found["pixel_size_nm"], found["job"]) == ("EA-T1", 8.0, None)
    assert (len(found["stems"]), found["images"], found["n_measured"], found["gate"]) == (4, [], 0, None)
    for path in ("series", "series/table", "figures/series"):
        answer = client.get(f"/api/v1/results/D2/{path}")
        assert answer.status_code == 404
        assert answer.json()["detail"].startswith("D2: 0 of 4 images are measured with EA-T1.")


def test_maps_that_were_there_before_are_kept_and_measured_beside(client, worker, app, workspace):
    stem = Dataset.load(workspace / "data" / "D2").samples[0].stem
    assert client.get(f"/api/v1/images/D2/{stem}/maps", headers=WAIT).status_code == 200
    folder = Prepared(app.state.settings).maps(Dataset.load(workspace / "data" / "D2").samples[0], "EA-T1")
    before = (folder / "maps.npz").stat().st_mtime_ns
    assert not (folder / MEASURED).exists()
    client.post("/api/v1/segmentations", json={"dataset": "D2", "measure": True}, headers=WAIT)
    assert (folder / MEASURED).is_file()
    assert (folder / "maps.npz").stat().st_mtime_ns == before


def test_curves_are_those_of_icefloe_physics(measured, expected):
    found = measured.get("/api/v1/results/D2/series", headers=WAIT).json()
    experiment = expected.experiment
    assert found["times_s"] == [0, 0.5, 1.0, 1.5]
    assert found["stems"] == [image.name for image in experiment.images]
    for name, quantity in experiment.quantities.items():
        low, high = quantity.interval()
        curve = found["curves"][name]
        assert curve["unit"] == quantity.unit
        ends = {"values": quantity.values, "std": quantity.std, "low": low, "high": high}
        for part, numbers in ends.items():
            as_numbers = np.array(curve[part], np.float64)  # None becomes NaN
            np.testing.assert_allclose(as_numbers, numbers, rtol=1e-4, atol=1e-6, err_msg=f"{name} {part}")
    assert found["sentences"] == expected.sentences()
    assert set(found["notes"]) == set(experiment.notes)


def test_the_table_is_that_of_icefloe_physics_with_its_units(measured, expected):
    answer = measured.get("/api/v1/results/D2/series/table", headers=WAIT)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="D2-EA-T1.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    frame = expected.experiment.to_frame()
    assert list(rows[0]) == list(frame.columns)
    np.testing.assert_allclose([float(row["area_nm2"]) for row in rows], frame["area_nm2"], rtol=1e-4)


def test_masks_in_numbers_are_there_as_soon_as_masks_are(measured):
    rows = list(csv.DictReader(io.StringIO(measured.get("/api/v1/results/D2/table").text)))
    images = measured.get("/api/v1/results/D2").json()["images"]
    assert [float(row["ice nm2"]) for row in rows] == [image["areas_nm2"][1] for image in images]
    assert float(rows[0]["ice nm2"]) == 64 * float(rows[0]["ice px2"])


@pytest.mark.parametrize("name", ["series", "fronts", "outlines"])
def test_figures_are_drawn_in_both_formats(measured, name):
    path = f"/api/v1/results/D2/figures/{name}"
    drawn = measured.get(path, headers=WAIT)
    assert drawn.headers["content-type"] == "image/png"
    picture = Image.open(io.BytesIO(drawn.content))
    assert picture.width > 1500
    assert len(np.unique(np.asarray(picture.convert("L")))) > 50
    vector = measured.get(f"{path}?format=svg", headers=WAIT)
    assert vector.headers["content-type"] == "image/svg+xml"
    assert b"<svg" in vector.content[:1000]
    assert vector.headers["content-disposition"] == f'attachment; filename="D2-EA-T1-{name}.svg"'
    known = measured.get(path, headers={"If-None-Match": drawn.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")


def test_another_frame_rate_makes_other_times_and_keeps_the_measurements(measured, workspace):
    path = workspace / "data" / "D2" / "dataset.yaml"
    text = path.read_text()
    path.write_text(text.replace("frame_rate_hz: 2.0", "frame_rate_hz: 4.0"))
    try:
        found = measured.get("/api/v1/results/D2/series", headers=WAIT).json()
        assert found["times_s"] == [0, 0.25, 0.5, 0.75]
    finally:
        path.write_text(text)


@pytest.mark.parametrize("name", ["probability", "std", "entropy"])
def test_a_maps_numbers_come_as_tiff_with_the_pixel_size(measured, workspace, tmp_path, name):
    stem = Dataset.load(workspace / "data" / "D2").samples[1].stem
    path = f"/api/v1/images/D2/{stem}/maps"
    asked = measured.get(f"{path}/{name}", headers={**WAIT, "Accept": "image/tiff"})
    assert asked.headers["content-type"] == "image/tiff"
    (tmp_path / "map.tif").write_bytes(asked.content)
    with np.load(io.BytesIO(measured.get(f"{path}/maps").content)) as numbers:
        expected = numbers[name]
    values = tifffile.imread(tmp_path / "map.tif")
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, expected)
    assert read_metadata(tmp_path / "map.tif").pixel_size_nm == pytest.approx(8.0)
    np.testing.assert_array_equal(load_raw(tmp_path / "map.tif").data, expected)
    assert measured.get(f"{path}/{name}?format=tiff", headers=WAIT).content == asked.content
    assert (
        measured.get(f"{path}/{name}", headers={"Accept": "image/*"}).headers["content-type"] == "image/png"
    )


def test_a_mask_is_no_tiff_and_says_so(measured, workspace):
    stem = Dataset.load(workspace / "data" / "D2").samples[1].stem
    answer = measured.get(f"/api/v1/images/D2/{stem}/maps/mask?format=tiff", headers=WAIT)
    assert answer.status_code == 422
    assert answer.json()["detail"] == "mask: there is no TIFF of it. Ask for one of a map, or for PNG."


def test_a_single_image_without_pixel_size_is_measured_in_px(client, worker, workspace, tmp_path):
    sample = Dataset.load(workspace / "data" / "D2").samples[0]
    tifffile.imwrite(tmp_path / "one.tif", sample.image())
    sent = upload(client, "my melt.tif", (tmp_path / "one.tif").read_bytes()).json()
    assert sent["pixel_size_nm"] is None
    wanted = {"dataset": sent["name"], "measure": True}
    done = client.post("/api/v1/segmentations", json=wanted, headers=WAIT)
    assert done.json()["job"]["state"] == "done"
    path = f"/api/v1/results/{sent['name']}"
    found = client.get(f"{path}/series", headers=WAIT).json()
    assert found["curves"]["area"]["unit"] == "px2"
    assert found["times_s"] == [0]
    assert any("pixel size is not known" in note for note in found["notes"])
    for name in ("series", "fronts", "outlines"):
        assert client.get(f"{path}/figures/{name}", headers=WAIT).status_code == 200
    page = client.get("/results", params={"dataset": sent["name"]}, headers={"Accept": "text/html"})
    assert "my melt, segmented by EA-T1" in page.text
    page = client.get("/results", headers={"Accept": "text/html"})
    assert "my melt</option>" in page.text
