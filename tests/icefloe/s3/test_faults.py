"""What networks and stores do: retried, or told in one line; nothing damaged or half is ever accepted."""

import time

import pytest

from icefloe.errors import BusyError, IcefloeError
from icefloe.files import sha256_file
from icefloe.s3.folder import Limits, S3Folder
from tests.s3_faults import faulty_store

pytestmark = pytest.mark.integration  # they wait for a store that does not answer

LIMITS = Limits(connect_seconds=1, read_seconds=0.5, attempts=3)
"""A tenth of a user's patience, so that a test takes seconds."""

IN_PARTS = 9 << 20
SIZES = (1000, IN_PARTS)
"""Written and read in one request, and in parts."""

ALWAYS = 1000


def reading(method, path):
    return method == "GET"


def looking(method, path):
    return method == "HEAD"


def writing(method, path):
    return method == "PUT"


def a_part(method, path):
    return "partNumber=2" in path


def completing(method, path):
    return method == "POST" and "uploadId" in path


@pytest.fixture
def store(s3_address, bucket, monkeypatch):
    with faulty_store(s3_address) as store:
        monkeypatch.setenv("AWS_ENDPOINT_URL", store.address)
        yield store


@pytest.fixture
def folder(store, bucket):
    return S3Folder(f"s3://{bucket.name}/study", LIMITS)


@pytest.fixture(params=SIZES, ids=["small", "in-parts"])
def file(request, make_file):
    return make_file(request.param)


def told(error):
    """The message, which is one line and names the object."""
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("s3://bucket-")
    return str(error.value)


@pytest.mark.parametrize("fault", ["busy", "silent", "short", "lost", "wrong"])
def test_a_read_that_fails_for_a_while_succeeds(folder, store, file, tmp_path, fault):
    folder.upload(file, "a")
    found = folder.find("a")
    store.fail(fault, 1 if fault in ("short", "wrong") else 2, reading)

    folder.download(found, tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("busy", r"/study/a: the store can't answer now \(.*SlowDown.*\)\. Try again later\."),
        ("silent", r"/study/a: the store does not answer \(.*\)\. Check AWS_ENDPOINT_URL and"),
        ("short", r"/study/a: the store does not answer \(.*\)\. Check AWS_ENDPOINT_URL and"),
        ("lost", r"/study/a: the store does not answer \(.*\)\. Check AWS_ENDPOINT_URL and"),
        ("wrong", r"/study/a: its bytes are not those that were written\. Write it again"),
        ("expired", r"/study/a: the credentials have expired \(.*ExpiredToken.*\)\. Renew them\."),
        ("skewed", r"/study/a: this machine's clock is wrong \(.*RequestTimeTooSkewed.*\)\. Set it\."),
    ],
)
def test_a_read_that_goes_on_failing_is_told_in_one_line_and_leaves_no_file(
    folder, store, file, tmp_path, fault, words
):
    folder.upload(file, "a")
    found = folder.find("a")
    store.fail(fault, ALWAYS, reading)

    began = time.monotonic()
    with pytest.raises(IcefloeError, match=words) as error:
        folder.download(found, tmp_path / "copy")

    told(error)
    assert isinstance(error.value, BusyError) == (fault not in ("wrong", "expired", "skewed"))
    assert time.monotonic() - began < 60
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("fault", ["busy", "silent", "lost", "unheard"])
@pytest.mark.parametrize(("size", "where"), [(1000, writing), (IN_PARTS, a_part), (IN_PARTS, completing)])
def test_a_write_that_fails_for_a_while_succeeds_once(folder, store, bucket, make_file, fault, size, where):
    """Also where the store did it and its answer got lost: the repetition finds the work done."""
    file = make_file(size)
    store.fail(fault, 2, where)

    folder.upload(file, "a")

    assert folder.find("a").sha256 == sha256_file(file)
    assert [entry.key for entry in bucket.objects.all()] == ["study/a"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("busy", "the store can't answer now"),
        ("silent", "the store does not answer"),
        ("lost", "the store does not answer"),
        ("expired", "the credentials have expired"),
        ("skewed", "this machine's clock is wrong"),
    ],
)
def test_a_write_that_goes_on_failing_leaves_nothing_to_be_seen(folder, store, bucket, file, fault, words):
    store.fail(fault, ALWAYS, writing)

    began = time.monotonic()
    with pytest.raises(IcefloeError, match=words) as error:
        folder.upload(file, "a")

    told(error)
    assert time.monotonic() - began < 60
    store.faults.clear()
    assert list(bucket.objects.all()) == []
    assert list(bucket.multipart_uploads.all()) == []


@pytest.mark.parametrize("fault", ["expired", "busy", "silent"])
def test_the_cause_is_named_although_an_answer_to_head_has_no_words(folder, store, fault):
    store.fail(fault, ALWAYS)
    with pytest.raises(IcefloeError, match=r"/study/a: (the credentials have expired|the store)") as error:
        folder.find("a")
    assert ("expired" in told(error)) == (fault == "expired")


def test_a_bucket_that_is_missing_is_named_on_reading_and_on_writing(store, bucket, file):
    folder = S3Folder("s3://bucket-of-nobody/study", LIMITS)
    words = r"^s3://bucket-of-nobody/study/a: there is no such bucket \(.*\)\. Make it, or name another\."
    with pytest.raises(IcefloeError, match=words):
        folder.find("a")
    with pytest.raises(IcefloeError, match=words):
        folder.upload(file, "a")


def test_without_credentials_the_error_says_which_to_set(folder, bucket, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(
        IcefloeError, match=r"there are no credentials \(.*\)\. Set AWS_ACCESS_KEY_ID and AWS_SEC"
    ):
        S3Folder(f"s3://{bucket.name}", LIMITS).find("a")


def test_a_store_that_is_not_there_is_told_within_the_limits(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(BusyError, match=r"the store does not answer \(Could not connect to the endpoint"):
        S3Folder(f"s3://{bucket.name}", LIMITS).find("a")


def test_an_endpoint_that_is_no_address_is_told(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nowhere")
    with pytest.raises(
        IcefloeError, match=r"^s3://b: boto3 can't use its settings \(Invalid endpoint: nowhere\)"
    ):
        S3Folder("s3://b")


def test_by_default_a_silent_store_is_told_within_a_minute():
    """All attempts at a request are made twice: a part is fetched again, and a failed upload tidied up."""
    limits = Limits()
    longest_pauses = sum(2**repetition for repetition in range(limits.attempts - 1))
    assert 2 * (limits.attempts * limits.read_seconds + longest_pauses) <= 60
