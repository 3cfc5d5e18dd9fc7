"""Objects against a real server: whole, unchanged, and nobody's work written over."""

import boto3
import pytest

from icefloe.errors import ConflictError, IcefloeError
from icefloe.files import sha256_file
from icefloe.s3.address import is_on_s3, open_s3
from icefloe.s3.folder import S3Folder
from tests.s3_faults import faulty_store

MIB = 1 << 20
IN_PARTS = 9 * MIB


@pytest.fixture
def folder(bucket):
    return S3Folder(f"s3://{bucket.name}/study/")


@pytest.mark.parametrize("size", [0, 1, 1000, 8 * MIB, IN_PARTS, 2 * 8 * MIB])
def test_what_is_written_is_read_again(folder, make_file, tmp_path, size):
    file = make_file(size)

    folder.upload(file, "members/a.bin")
    found = folder.find("members/a.bin")
    folder.download(found, tmp_path / "new" / "a.bin")

    assert found.key == "study/members/a.bin"
    assert (found.size, found.sha256) == (size, sha256_file(file))
    assert (tmp_path / "new" / "a.bin").read_bytes() == file.read_bytes()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.bin"]


def test_what_is_not_there_is_none(folder):
    assert folder.find("members/a.bin") is None


@pytest.mark.parametrize("size", [1000, IN_PARTS])
def test_the_same_content_may_be_written_twice_and_another_may_not(folder, make_file, size):
    first, other = make_file(size), make_file(size, "other")
    folder.upload(first, "a")
    folder.upload(first, "a")

    with pytest.raises(
        ConflictError, match=r"^s3://bucket-\d+/study/a: somebody else has written it\. Use that"
    ):
        folder.upload(other, "a")

    assert folder.find("a").sha256 == sha256_file(first)


def test_an_object_is_replaced_only_by_who_has_seen_it(folder, make_file):
    first, second, third = (make_file(1000, name) for name in ("first", "second", "third"))
    folder.upload(first, "a")
    seen = folder.find("a").etag

    folder.upload(second, "a", replaces=seen)
    with pytest.raises(ConflictError, match="somebody else has written it"):
        folder.upload(third, "a", replaces=seen)

    assert folder.find("a").sha256 == sha256_file(second)


def test_an_object_in_parts_is_replaced_under_the_same_condition(s3_address, bucket, make_file, monkeypatch):
    """Which the store decides when the parts are put together; moto does not."""
    with faulty_store(s3_address) as store:
        monkeypatch.setenv("AWS_ENDPOINT_URL", store.address)
        folder = S3Folder(f"s3://{bucket.name}")
        folder.upload(make_file(IN_PARTS), "a")
        folder.upload(make_file(IN_PARTS, "other"), "a", replaces="seen")
    ends = [r.headers for r in store.requests if r.method == "POST" and "uploadId" in r.path]
    assert [(end.get("If-None-Match"), end.get("If-Match")) for end in ends] == [
        ("*", None),
        (None, '"seen"'),
    ]


def replacing(method, path):
    return method == "PUT" and path.endswith("/a")


def test_a_store_that_takes_quotes_for_a_part_of_the_etag_gets_none(
    s3_address, bucket, make_file, monkeypatch
):
    """As Ceph 16 does, which refuses every replacement otherwise."""
    with faulty_store(s3_address) as store:
        monkeypatch.setenv("AWS_ENDPOINT_URL", store.address)
        folder = S3Folder(f"s3://{bucket.name}")
        folder.upload(make_file(1000), "a")
        seen = folder.find("a").etag
        store.fail("changed", 1, replacing)
        folder.upload(make_file(1000, "second"), "a", replaces=seen)
        then = folder.find("a").etag
        folder.upload(third := make_file(1000, "third"), "a", replaces=then)
        asked = [r.headers.get("If-Match") for r in store.requests if replacing(r.method, r.path)]
        assert asked == [None, f'"{seen}"', seen, then]
        assert folder.find("a").sha256 == sha256_file(third)


def test_a_store_that_refuses_every_replacement_is_an_error_and_no_conflict(
    s3_address, bucket, make_file, monkeypatch
):
    with faulty_store(s3_address) as store:
        monkeypatch.setenv("AWS_ENDPOINT_URL", store.address)
        folder = S3Folder(f"s3://{bucket.name}")
        folder.upload(make_file(1000), "a")
        store.fail("changed", 1000, replacing)
        with pytest.raises(
            IcefloeError, match=r"/a: the store says that it has changed, which it has not\."
        ) as error:
            folder.upload(make_file(1000, "second"), "a", replaces=folder.find("a").etag)
        assert not isinstance(error.value, ConflictError)


def test_one_that_was_removed_is_not_replaced(folder, bucket, make_file):
    folder.upload(make_file(10), "a")
    seen = folder.find("a").etag
    bucket.Object("study/a").delete()

    with pytest.raises(IcefloeError, match=r"^s3://bucket-\d+/study/a: "):
        folder.upload(make_file(20), "a", replaces=seen)

    assert folder.find("a") is None


@pytest.mark.parametrize("size", [1000, IN_PARTS])
def test_one_that_was_replaced_since_it_was_found_is_not_read_for_it(folder, make_file, tmp_path, size):
    folder.upload(make_file(size), "a")
    found = folder.find("a")
    folder.upload(make_file(size, "other"), "a", replaces=found.etag)

    with pytest.raises(ConflictError, match="somebody else has written it meanwhile"):
        folder.download(found, tmp_path / "copy")

    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("size", [0, 1000, IN_PARTS])
def test_objects_of_other_programs_are_verified_by_their_etag(folder, bucket, make_file, tmp_path, size):
    """Of which those in parts have one made of the parts' hashes."""
    file = make_file(size)
    bucket.upload_file(str(file), "study/theirs")

    found = folder.find("theirs")
    folder.download(found, tmp_path / "copy")

    assert found.sha256 == ""
    assert ("-" in found.etag) == (size == IN_PARTS)
    assert (tmp_path / "copy").read_bytes() == file.read_bytes()


@pytest.mark.parametrize("size", [1000, IN_PARTS])
def test_a_damaged_object_is_never_accepted(folder, bucket, make_file, tmp_path, size):
    """As if the store itself had changed bytes, with the hash of what once was written."""
    file = make_file(size)
    bucket.upload_file(str(file), "study/a", ExtraArgs={"Metadata": {"sha256": "0" * 64}})

    with pytest.raises(IcefloeError, match=r"/study/a: its bytes are not those that were written\. Write it"):
        folder.download(folder.find("a"), tmp_path / "copy")

    assert not (tmp_path / "copy").exists()


def test_a_store_of_another_address_is_asked_by_path_and_without_newer_checksums_if_so_set(
    s3_address, bucket, make_file, tmp_path, monkeypatch
):
    """What older stores need, in boto3's own settings."""
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    monkeypatch.setenv("AWS_RESPONSE_CHECKSUM_VALIDATION", "when_required")
    with faulty_store(s3_address) as store:
        monkeypatch.setenv("AWS_ENDPOINT_URL", store.address)
        older = S3Folder(f"s3://{bucket.name}")
        older.upload(make_file(IN_PARTS), "a")
        older.download(older.find("a"), tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == (tmp_path / "file").read_bytes()
    assert all(request.path.startswith(f"/{bucket.name}/a") for request in store.requests)
    sent = {name.lower() for request in store.requests for name in request.headers}
    assert not [name for name in sent if name.startswith("x-amz-checksum") or name == "x-amz-sdk-checksum"]


def test_a_profile_of_the_user_gives_the_credentials_and_the_way_of_asking(
    s3_address, bucket, make_file, tmp_path, monkeypatch
):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    config = tmp_path / "config"
    config.write_text(
        f"[profile lab]\naws_access_key_id = ana\naws_secret_access_key = s3cret\n"
        f"endpoint_url = {s3_address}\ns3 =\n  addressing_style = path\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "lab")

    S3Folder(f"s3://{bucket.name}").upload(make_file(10), "a")

    assert boto3.Session().client("s3").get_object(Bucket=bucket.name, Key="a")["ContentLength"] == 10


def test_an_address_without_a_bucket_is_refused():
    with pytest.raises(IcefloeError, match=r"^s3://: there is no bucket in it\. Write s3://bucket/prefix"):
        open_s3("s3://")
    assert is_on_s3("s3://b/p")
    assert not is_on_s3("/srv/s3")
