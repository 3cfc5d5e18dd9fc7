"""A real worker beside the API: pixels, maps, series, uploads, failures."""

import io
import json
import shutil
import struct
import time

import numpy as np
import pytest
import tifffile
from PIL import Image

from icefloe.settings import load_settings
from serving.jobs.job import BATCH
from serving.jobs.kinds import LIMITS, RUN_KINDS


def test_pixels_arrive_as_they_are(client, worker, workspace):
    answer = client.get("/api/v1/images/D1/a/pixels", headers={"Prefer": "wait=30"})
    assert answer.status_code == 200
    shape = int(answer.headers["icefloe-height"]), int(answer.headers["icefloe-width"])
    image = tifffile.imread(workspace / "data" / "D1" / "images" / "a.tif")
    assert np.array_equal(np.frombuffer(answer.content, "<u2").reshape(shape), image)
    assert answer.headers["icefloe-pixel-size-nm"] == "0.5"
    assert client.get("/api/v1/images/D1/a/pixels?max=256").content == answer.content
    assert client.get("/api/v1/images/D1/a/pixels?max=7").status_code == 422
    again = client.get("/api/v1/images/D1/a/pixels", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_maps_are_those_of_the_champion(client, worker, workspace):
    from icefloe.datasets.dataset import Dataset
    from icefloe.registry.loading import load_version

    path = "/api/v1/images/D1/it's 50%25/maps"
    about = client.get(path, headers={"Prefer": "wait=30"}).json()
    assert (about["version"], about["classes"]) == ("EA-T1", ["background", "ice"])
    with np.load(io.BytesIO(client.get(f"{path}/maps").content)) as numbers:
        found = dict(numbers)
    sample = Dataset.load(workspace / "data" / "D1").samples[2]
    ((_, prediction),) = load_version(load_settings(workspace), "EA-T1").predict([sample])
    assert np.allclose(found["probability"], prediction.mean, atol=1e-5)
    assert np.allclose(found["std"], prediction.std, atol=1e-5)
    assert np.array_equal(found["mask"], prediction.mask)
    shown = client.get(f"{path}/std")
    scale = float(shown.headers["icefloe-scale"])
    picture = np.asarray(Image.open(io.BytesIO(shown.content)))
    assert np.abs(picture * scale - prediction.std).max() <= scale / 2 + 1e-5


def test_pictures_of_maps_are_drawn_again_where_they_are_missing(client, worker, workspace):
    path = "/api/v1/images/D1/a/maps"
    names = ("probability", "std", "entropy", "thumbnail")
    assert client.get(f"{path}/std", headers={"Prefer": "wait=30"}).status_code == 200
    before = {name: client.get(f"{path}/{name}").content for name in names}
    maps = load_settings(workspace).state / "served" / "maps" / "D1" / "a"
    (pictures,) = maps.glob("*/EA-T1/pictures")
    shutil.rmtree(pictures)
    assert {name: client.get(f"{path}/{name}").content for name in names} == before
    shapes = {name: Image.open(io.BytesIO(content)).size for name, content in before.items()}
    assert shapes == dict.fromkeys(names, (96, 80))


def test_an_image_that_cannot_be_read_is_refused_with_the_reason(client, worker):
    answer = client.get("/api/v1/images/D1/b/pixels", headers={"Prefer": "wait=30"})
    assert answer.status_code == 422
    assert "b.tif" in answer.json()["detail"]
    assert client.get("/readyz").json()["status"] == "ready"


def test_a_version_that_is_not_there_is_refused_by_its_name(client, worker):
    answer = client.get("/api/v1/images/D1/a/maps?version=EA-T9", headers={"Prefer": "wait=30"})
    assert answer.status_code == 422
    assert "EA-T9" in answer.json()["detail"]


@pytest.mark.parametrize(
    "path", ["D1/c", "D9/a", "D1/..%2f..%2ficefloe.toml", "../a", "D1/a%00", "D1/%2e%2e"]
)
def test_an_image_that_is_not_there_is_404(client, path):
    assert client.get(f"/api/v1/images/{path}/pixels").status_code == 404


def test_a_series_is_segmented_with_progress_and_areas(client, worker, workspace):
    wanted = {"dataset": "D1", "stems": ["a", "it's 50%"]}
    answer = client.post("/api/v1/segmentations", json=wanted, headers={"Prefer": "wait=30"})
    assert answer.status_code == 200
    found = answer.json()
    assert (found["job"]["done"], found["job"]["total"]) == (2, 2)
    assert [image["stem"] for image in found["images"]] == ["a", "it's 50%"]
    for image in found["images"]:
        assert sum(image["fractions"]) == pytest.approx(1)
        assert sum(image["areas_px"]) == pytest.approx(80 * 96)
        assert sum(image["areas_nm2"]) == pytest.approx(80 * 96 * 0.25)
    table = client.get(answer.headers["location"] + "/table").text.splitlines()
    assert table[0].startswith("image,index,background fraction,ice fraction,background px2,ice px2")
    assert len(table) == 3


def test_a_series_with_a_damaged_image_fails_with_its_name_and_keeps_the_others(client, worker):
    answer = client.post("/api/v1/segmentations", json={"dataset": "D1"}, headers={"Prefer": "wait=30"})
    assert answer.status_code == 200
    found = answer.json()
    assert found["job"]["state"] == "failed"
    assert "b.tif" in found["job"]["problem"]
    assert "a" in [image["stem"] for image in found["images"]]


def upload(client, name, content):
    return client.post("/api/v1/uploads", params={"name": name}, content=content)


def test_a_stack_that_is_sent_is_segmented_and_its_senders_alone(client, worker, app, tmp_path):
    frames = np.random.default_rng(1).integers(0, 200, (3, 64, 64)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "s.tif", frames, photometric="minisblack")
    made = upload(client, "my series.tif", (tmp_path / "s.tif").read_bytes())
    assert made.status_code == 201, made.text
    assert made.json()["n_images"] == 3
    wanted = {"dataset": made.json()["name"]}
    answer = client.post("/api/v1/segmentations", json=wanted, headers={"Prefer": "wait=30"})
    assert [image["stem"] for image in answer.json()["images"]] == [f"my series_{n}" for n in range(3)]
    pixels = client.get(
        f"/api/v1/images/{made.json()['name']}/my series_1/pixels", headers={"Prefer": "wait=30"}
    )
    assert np.array_equal(np.frombuffer(pixels.content, "<u2").reshape(64, 64), frames[1])
    assert made.json()["name"] not in client.get("/api/v1/datasets").text


def bomb():
    """A PNG of some kilobytes that would fill 81 MB."""
    file = io.BytesIO()
    Image.new("L", (9000, 9000)).save(file, "PNG")
    return file.getvalue()


def looping_tiff():
    """A TIFF whose first directory says that it is its own successor."""
    return b"II*\0" + struct.pack("<IHHHII", 8, 1, 256, 3, 1, 64) + struct.pack("<I", 8)


@pytest.mark.parametrize(
    ("name", "content", "status", "words"),
    [
        ("a.png", bomb(), 413, "a.png: 9000x9000 px is more than 8192 a side"),
        ("a.tif", looping_tiff(), 422, "a.tif"),
        ("a.tif", b"II*\0" + b"\xff" * 100, 422, "a.tif"),
        ("a.png", b"", 422, "nothing was sent"),
        ("a.exe", b"MZ", 415, "not an image format"),
        ("../a.png", b"x", 422, "slash"),
    ],
)
def test_a_file_that_is_no_good_is_refused_in_words_and_at_once(
    client, worker, workspace, name, content, status, words
):
    began = time.monotonic()
    answer = upload(client, name, content)
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
    assert str(workspace) not in answer.text
    assert time.monotonic() - began < 60  # a limit of 15 s, and a process that may have to begin first
    assert client.get("/readyz").status_code == 200


def test_events_tell_of_a_job_until_it_is_over(app, client, worker):
    job = app.state.jobs.ask("planes", {"dataset": "D1", "stem": "it's 50%"}, BATCH, "ada")
    with client.stream("GET", f"/api/v1/jobs/{job.id}/events") as answer:
        told = [json.loads(line[5:]) for line in answer.iter_lines() if line.startswith("data:")]
    assert told[-1]["state"] == "done"
    assert client.get("/api/v1/jobs?state=done").json()[0]["id"] == job.id


def test_every_kind_of_job_has_a_limit_and_somebody_who_does_it():
    from serving.worker.runs import PIPELINES
    from serving.worker.tasks import TASKS

    assert {*TASKS, *PIPELINES} == set(LIMITS)
    assert set(PIPELINES) == set(RUN_KINDS)
