"""On files of the form that NASA publishes: a state dict with its classifier, pickled by PyTorch."""

import io
import os

import pytest
import torch
from safetensors.torch import load_file
from segmentation_models_pytorch.encoders import get_encoder

from icefloe.errors import IcefloeError
from icefloe.files import sha256_file
from icefloe.models.conversion import convert
from icefloe.models.spec import ENCODERS
from icefloe.models.weights import weights_file
from icefloe.models.zoo import MemberSpec, build

CLASSIFIERS = {
    "resnet18": "fc",
    "mobilenet_v2": "classifier.1",
    "efficientnet-b0": "_fc",
    "se_resnet50": "last_linear",
    "densenet121": "classifier",
}


def state(encoder):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return get_encoder(encoder).state_dict()


def micronet(path, encoder, prefix="", wrap=False, **options):
    """As published: `<encoder>_pretrained_microscopynet_v1.0.pth.tar`."""
    head = CLASSIFIERS[encoder]
    weights = state(encoder) | {f"{head}.weight": torch.zeros(54, 8), f"{head}.bias": torch.zeros(54)}
    weights = {prefix + name: value for name, value in weights.items()}
    torch.save({"epoch": 3, "arch": encoder, "state_dict": weights} if wrap else weights, path, **options)
    return path


@pytest.mark.parametrize("encoder", CLASSIFIERS)
def test_a_published_encoder_arrives_in_a_member_with_its_filters_scaled_to_our_contrast(tmp_path, encoder):
    published = micronet(tmp_path / "published.pth.tar", encoder)
    made = convert(published, encoder, "micronet", tmp_path / "weights")
    assert made == weights_file(encoder, "micronet", tmp_path / "weights")
    loaded = build(
        MemberSpec(encoder=encoder, weights="micronet"), 2, tmp_path / "weights"
    ).encoder.state_dict()
    first, *others = state(encoder).items()
    # MicroNet's standard deviations over ImageNet's, by which its images were divided.
    scaled = first[1] * torch.tensor([0.735, 0.703, 0.744])[:, None, None]
    torch.testing.assert_close(loaded[first[0]], scaled.sum(1, keepdim=True))
    assert all(torch.equal(loaded[name], value) for name, value in others)


def test_the_file_keeps_rgb_filters_as_published_and_its_card_says_what_they_saw(tmp_path):
    published = micronet(tmp_path / "resnet18_pretrained_microscopynet_v1.0.pth.tar", "resnet18")
    made = convert(published, "resnet18", "micronet", tmp_path)
    assert made == tmp_path / "resnet18.micronet.safetensors"
    content, expected = load_file(made), state("resnet18")
    assert content.keys() == expected.keys()
    assert all(torch.equal(content[name], value) for name, value in expected.items())
    card = made.with_suffix(".md").read_text()
    for words in (
        "more than 100,000 micrographs (NASA, MIT)",
        sha256_file(made),
        sha256_file(published),
        published.name,
    ):
        assert words in card


@pytest.mark.parametrize(
    "form",
    [
        {"_use_new_zipfile_serialization": False},
        {"prefix": "module."},
        {"wrap": True, "prefix": "module."},
    ],
)
def test_older_files_and_checkpoints_of_several_gpus_are_read_too(tmp_path, form):
    made = convert(
        micronet(tmp_path / "a.pth.tar", "mobilenet_v2", **form), "mobilenet_v2", "micronet", tmp_path
    )
    assert load_file(made).keys() == state("mobilenet_v2").keys()


class Malicious:
    def __reduce__(self):
        return os.mkdir, ("ran",)


def saved(content):
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (saved({"conv1.weight": Malicious()}), r"not a PyTorch file of plain tensors \(UnpicklingError\)"),
        (b"", "not a PyTorch file of plain tensors"),
        (b"\x80\x02garbage", "not a PyTorch file of plain tensors"),
        (b"PK\x03\x04" + bytes(100), "not a PyTorch file of plain tensors"),
        (saved([1, 2]), "holds other things than named tensors"),
        (saved({}), "holds other things than named tensors"),
        (saved({"conv1.weight": "text"}), "holds other things than named tensors"),
        (saved(state("mobilenet_v2")), "these are not the weights of resnet18"),
        (saved({"conv1.weight": torch.zeros(64, 3, 7, 7)}), "not the whole resnet18"),
        (saved({"conv1.weight": torch.zeros(64, 1, 7, 7)}), "these are not the weights of resnet18"),
    ],
)
def test_what_is_not_the_encoder_s_plain_tensors_is_refused_and_nothing_is_run(
    tmp_path, monkeypatch, content, reason
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file.pth.tar").write_bytes(content)
    with pytest.raises(IcefloeError, match=rf"file\.pth\.tar: {reason}"):
        convert(tmp_path / "file.pth.tar", "resnet18", "micronet", tmp_path / "output")
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "output").exists()


@pytest.mark.parametrize("weights", ["sim", "none", "other.safetensors"])
def test_only_published_weights_can_be_converted(tmp_path, weights):
    with pytest.raises(IcefloeError, match=r"not published weights of resnet18\. Use one of imagenet, ssl"):
        convert(tmp_path / "file.pth.tar", "resnet18", weights, tmp_path)


@pytest.mark.parametrize(
    ("weights", "upstream"),
    [("micronet", "microscopynet"), ("image-micronet", "imagenet-microscopynet")],
)
def test_micronet_that_is_not_here_is_refused_with_its_address_and_the_command(tmp_path, weights, upstream):
    with pytest.raises(IcefloeError) as refusal:
        weights_file("se_resnet50", weights, tmp_path)
    assert str(refusal.value) == (
        f"se_resnet50: its {weights} weights are not on this machine. Download "
        "https://nasa-public-data.s3.amazonaws.com/microscopy_segmentation_models/"
        f"se_resnet50_pretrained_{upstream}_v1.0.pth.tar, run icefloe weights convert FILE "
        f"--encoder se_resnet50 --weights {weights} --output DIR and set ICEFLOE_WEIGHTS_DIR to DIR, "
        "or use weights: none."
    )


def test_micronet_is_offered_for_the_encoders_that_nasa_published():
    offered = {name for name, encoder in ENCODERS.items() if "micronet" in encoder.pretrained}
    assert offered == {*CLASSIFIERS, "densenet201"}
