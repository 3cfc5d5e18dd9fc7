"""Weights in a folder, in the package and on S3."""

import sys

import pytest

from icefloe.errors import IcefloeError
from icefloe.models import mirror
from icefloe.models.mirror import find, local_file
from icefloe.models.weights import weights_file


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def put(bucket, key, content):
    bucket.put_object(Key=key, Body=content)


def test_the_first_name_that_is_there_is_copied_here(bucket, tmp_path):
    put(bucket, "zoo/second.safetensors", b"two")
    put(bucket, "zoo/third.safetensors", b"three")
    path = find(f"s3://{bucket.name}/zoo", ["first.safetensors", "second.safetensors", "third.safetensors"])
    assert path is not None
    assert path.read_bytes() == b"two"
    assert path.name == "second.safetensors"
    assert path.is_relative_to(tmp_path / "cache" / "icefloe" / "weights" / bucket.name)
    assert [file.name for file in path.parent.iterdir()] == ["second.safetensors"]


def test_what_was_copied_is_not_fetched_again_but_a_new_content_is(bucket):
    put(bucket, "a.safetensors", b"old")
    before = find(f"s3://{bucket.name}", ["a.safetensors"])
    written = before.stat().st_mtime_ns
    assert find(f"s3://{bucket.name}/", ["a.safetensors"]) == before
    assert before.stat().st_mtime_ns == written

    put(bucket, "a.safetensors", b"new")
    assert find(f"s3://{bucket.name}", ["a.safetensors"]).read_bytes() == b"new"
    assert before.read_bytes() == b"old"


def test_a_prefix_without_the_file_gives_none(bucket):
    assert find(f"s3://{bucket.name}/zoo", ["first.safetensors"]) is None


@pytest.mark.parametrize(
    ("weights", "key"),
    [
        ("sim", "zoo/vgg19.sim.safetensors"),
        ("image-sim", "zoo/vgg19.image-sim.safetensors"),
        ("imagenet", "zoo/vgg19.safetensors"),
        ("imagenet", "zoo/smp-hub/vgg19.imagenet/model.safetensors"),
    ],
)
def test_weights_come_from_the_prefix_under_the_names_of_a_folder(bucket, weights, key):
    put(bucket, key, b"weights")
    assert weights_file("vgg19", weights, f"s3://{bucket.name}/zoo").read_bytes() == b"weights"


def test_a_bucket_that_is_not_there_is_refused(bucket):
    with pytest.raises(
        IcefloeError,
        match=r"^s3://no-such-bucket/zoo/first\.safetensors: there is no such bucket \(.*Make it, or",
    ):
        find("s3://no-such-bucket/zoo", ["first.safetensors"])


def test_a_store_that_does_not_answer_is_refused_within_seconds(bucket, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(
        IcefloeError,
        match=r"^s3://bucket-\d+/first\.safetensors: the store does not answer \(Could not connect",
    ) as refusal:
        find(f"s3://{bucket.name}", ["first.safetensors"])
    assert "\n" not in str(refusal.value)


def test_without_boto3_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    monkeypatch.delitem(sys.modules, "icefloe.s3.folder", raising=False)
    with pytest.raises(
        IcefloeError, match=r"^s3://b/p: S3 needs boto3\. Run pip install 'icefloe\[cluster\]'"
    ):
        find("s3://b/p", ["x"])


def test_simulated_weights_of_the_mirror_go_before_the_packages(monkeypatch, tmp_path):
    monkeypatch.setattr(mirror, "SHIPPED", tmp_path / "package")
    for folder in ("package", "own"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "resnet18.sim.safetensors").write_text(folder)
    assert local_file("resnet18", "sim").read_text() == "package"
    assert local_file("resnet18", "sim", tmp_path / "elsewhere").read_text() == "package"
    assert local_file("resnet18", "sim", tmp_path / "own").read_text() == "own"
    assert local_file("resnet18", "imagenet", tmp_path / "own") is None


def test_an_encoder_without_simulated_weights_is_refused_with_the_command_that_makes_them(tmp_path):
    with pytest.raises(IcefloeError, match=r"^vgg19: no sim weights in .*own or the package\. Run ice"):
        local_file("vgg19", "sim", tmp_path / "own")
    with pytest.raises(IcefloeError, match=r"Run icefloe pretrain vgg19 --weights imagenet --output DIR"):
        local_file("vgg19", "image-sim")
