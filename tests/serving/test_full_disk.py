"""A service whose disk is really full: 507 says where and what to do, and nothing is left half."""

import io

import numpy as np
import pytest
import tifffile

from serving.auth.roles import Role
from tests.serving.worker.inline import working
from tests.small_disk import small_disk

pytestmark = pytest.mark.integration


@pytest.fixture
def disk(settings):
    """The disk of what people send; what else the workspace has is on another."""
    with small_disk(settings.state / "served", 1000) as disk:
        yield disk


@pytest.fixture
def image(rng):
    file = io.BytesIO()
    tifffile.imwrite(file, rng.integers(0, 60_000, (512, 512)).astype(np.uint16))
    return file.getvalue()


def files(disk) -> list[str]:
    return [path.name for path in disk.path.rglob("*") if path.is_file()]


def test_an_upload_that_there_is_no_room_for_is_507_and_leaves_nothing(disk, image, signed_in):
    labeler = signed_in(Role.LABELER)
    disk.fill()
    answer = labeler.post("/api/v1/uploads", params={"name": "a.tif"}, content=image)
    assert answer.status_code == 507
    said = answer.json()["detail"]
    assert said.startswith(f"{disk.path}/arriving/")
    assert said.endswith("/a.tif: No space left on device. Make room there, then run the command again.")
    assert files(disk) == ["fills it"]


def test_an_image_that_there_is_no_room_to_unpack_is_507_and_is_taken_once_there_is(
    app, disk, image, signed_in
):
    labeler = signed_in(Role.LABELER)

    def send():
        return labeler.post("/api/v1/uploads", params={"name": "a.tif"}, content=image)

    with working(app):
        refused = send()
        disk.resize(20_000)
        taken = send()
    assert refused.status_code == 507
    assert refused.json()["detail"].startswith(f"{disk.path}/uploads/")
    assert "No space left on device. Make room there" in refused.json()["detail"]
    assert taken.status_code == 201
    assert taken.json()["name"].startswith("upload-")
