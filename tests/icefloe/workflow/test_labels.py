"""Waiting images out to a bucket, as to a folder."""

import numpy as np
import pytest
import tifffile

from icefloe.active.items import NewItem, Purpose
from icefloe.active.queue import open_queue
from icefloe.active.uploads import encode_png
from icefloe.datasets.dataset import DatasetInfo
from icefloe.errors import IcefloeError
from icefloe.workflow.labels import export_labels


@pytest.fixture
def queued(workspace_settings):
    """Two images of D3 wait, with a predicted mask."""
    folder = workspace_settings.data / "D3"
    (folder / "images").mkdir(parents=True)
    DatasetInfo(name="D3", experiment="D3").save(folder)
    purpose = Purpose("random", 0.5, 1, "drawn at random")
    for stem in ("a", "b"):
        tifffile.imwrite(folder / "images" / f"{stem}.tif", np.arange(1024, dtype=np.uint16).reshape(32, 32))
        mask = encode_png(np.eye(32, dtype=np.uint8))
        item = NewItem("D3", stem, "EA-T1", (32, 32), ("background", "ice"), purpose, presegmentation=mask)
        open_queue(workspace_settings).add([item])
    return workspace_settings


@pytest.mark.parametrize("format_name", ["coco", "png"])
def test_a_bucket_gets_the_files_that_a_folder_gets(queued, bucket, tmp_path, format_name):
    assert export_labels(queued, format_name, tmp_path / "out") == 2
    assert export_labels(queued, format_name, f"s3://{bucket.name}/to-label/1") == 2
    here = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    there = {one.key.removeprefix("to-label/1/"): one.get()["Body"].read() for one in bucket.objects.all()}
    assert set(there) == here
    assert all((tmp_path / "out" / name).read_bytes() == content for name, content in there.items())

    written = {one.key: one.last_modified for one in bucket.objects.all()}
    assert export_labels(queued, format_name, f"s3://{bucket.name}/to-label/1") == 2  # as after it broke off
    assert {one.key: one.last_modified for one in bucket.objects.all()} == written


def test_other_files_of_these_names_are_left_as_they_are(queued, bucket):
    export_labels(queued, "coco", f"s3://{bucket.name}/to-label")
    first = bucket.objects.all()
    name = next(one.key for one in first if one.key.endswith(".json"))
    bucket.Object(name).put(Body=b"mine")
    with pytest.raises(IcefloeError, match="somebody else has written it"):
        export_labels(queued, "coco", f"s3://{bucket.name}/to-label")
    assert bucket.Object(name).get()["Body"].read() == b"mine"
