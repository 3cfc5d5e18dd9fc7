"""Objects on Ceph's gateway: an object is replaced by who has seen it, and by nobody else."""

import boto3
import pytest

from icefloe.errors import ConflictError
from icefloe.files import sha256_file
from icefloe.s3.folder import S3Folder
from icefloe.training.store import S3Store
from tests.ceph import ceph, missing_programs

pytestmark = pytest.mark.integration

IN_PARTS = 9 << 20


@pytest.fixture(scope="module")
def address():
    if missing := missing_programs():
        pytest.fail(f"{', '.join(missing)}: not here. `make servers` installs them.")
    with pytest.MonkeyPatch.context() as patch, ceph() as store:
        for name, value in store.environment.items():
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket="objects")
        yield "s3://objects"


def test_an_object_is_replaced_only_by_who_has_seen_it(address, make_file):
    folder = S3Folder(f"{address}/seen")
    first, second, third = (make_file(1000, name) for name in ("first", "second", "third"))
    folder.upload(first, "a")
    seen = folder.find("a").etag

    folder.upload(second, "a", replaces=seen)
    with pytest.raises(ConflictError, match="somebody else has written it"):
        folder.upload(third, "a", replaces=seen)
    with pytest.raises(ConflictError, match="somebody else has written it"):
        folder.upload(third, "a")

    assert folder.find("a").sha256 == sha256_file(second)


@pytest.mark.parametrize("size", [1000, IN_PARTS])
def test_a_checkpoint_is_written_again_and_again(address, make_file, size, rng):
    store = S3Store(f"{address}/{size}")
    for _ in range(3):
        content = rng.bytes(size)
        store.write("state", content)
        assert S3Store(f"{address}/{size}").local("state").read_bytes() == content
