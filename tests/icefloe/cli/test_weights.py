"""`icefloe weights`: what there is, what it saw, and converting a pickle."""

import torch
from segmentation_models_pytorch.encoders import get_encoder

from icefloe.cli import context


def test_weights_are_listed_with_what_they_saw_and_whether_they_are_here(
    cli, workspace, tmp_path, monkeypatch
):
    monkeypatch.setattr(context.console, "width", 200)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    outcome = cli("-C", workspace, "weights", "list")
    assert outcome.code == 0
    lines = [line for line in outcome.out.splitlines() if "│" in line]
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines]
    found = {tuple(row[:2]): row[2:] for row in rows}
    imagenet = "ImageNet-1k: 1.28 million photographs in 1000 classes"
    assert found["efficientnet-lite0", "imagenet"] == [imagenet, "Google", "Apache-2.0", "yes"]
    assert found["mobilenet_v2", "sim"][-1] == "yes"
    assert found["vgg19", "sim"][-1] == "–"
    assert found["resnet18", "micronet"] == ["MicroNet: more than 100,000 micrographs", "NASA", "MIT", "–"]


def test_a_pickle_is_converted_and_found(cli, tmp_path):
    torch.save(get_encoder("mobilenet_v2").state_dict(), tmp_path / "published.pth.tar")
    outcome = cli(
        *("weights", "convert", tmp_path / "published.pth.tar", "--encoder", "mobilenet_v2"),
        *("--output", tmp_path / "weights"),
    )
    assert outcome.code == 0
    assert sorted(file.name for file in (tmp_path / "weights").iterdir()) == [
        "mobilenet_v2.micronet.md",
        "mobilenet_v2.micronet.safetensors",
    ]
    assert "weights: micronet" in outcome.out


def test_a_missing_file_and_an_encoder_without_these_weights_are_refused_in_a_line(cli, tmp_path):
    options = ("--output", tmp_path / "weights")
    refusal = cli("weights", "convert", tmp_path / "no.tar", "--encoder", "resnet18", *options).refusal
    assert refusal == f"{tmp_path / 'no.tar'}: no such file. Name the file that you downloaded."
    refusal = cli("weights", "convert", tmp_path / "no.tar", "--encoder", "vgg19", *options).refusal
    assert refusal == (
        "micronet: no such weights for vgg19. Use none, sim, image-sim, imagenet or the path of "
        "a .safetensors file."
    )
