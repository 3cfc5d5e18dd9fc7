"""`icefloe pretrain`: weights and card from one command, and what it refuses."""

import pytest
from safetensors import safe_open

from icefloe.cli import context
from icefloe.training import pretrain as pretraining


def test_weights_and_card_are_made_and_the_state_is_gone(cli, tmp_path, monkeypatch):
    monkeypatch.setattr(pretraining, "ROUND", 1)
    monkeypatch.setattr(context, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(pretraining, "HELD_OUT_BATCHES", 1)
    outcome = cli(
        *("pretrain", "mobilenet_v2", "--output", tmp_path / "weights", "--steps", 2),
        *("--size", 64, "--batch-size", 2),
    )
    assert outcome.code == 0
    assert "Pre-training mobilenet_v2: 1 of 2, loss" in outcome.out
    assert "images/s" in outcome.out
    assert sorted(file.name for file in (tmp_path / "weights").rglob("*.*") if file.is_file()) == [
        "mobilenet_v2.sim.md",
        "mobilenet_v2.sim.safetensors",
    ]
    with safe_open(tmp_path / "weights" / "mobilenet_v2.sim.safetensors", framework="np") as file:
        assert "encoder.features.0.0.weight" in file.keys()  # noqa: SIM118  not a dict


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ([], "The training needs one length. Give either --steps or --minutes."),
        (["--steps", 1, "--minutes", 1], "The training needs one length. Give either --steps or --minutes."),
        (
            ["--steps", 1, "--size", 100],
            "Pre-training: size: Input should be a multiple of 32, not 100. Choose",
        ),
        (
            ["--steps", 1, "--stages", 6],
            "Pre-training: stages: Input should be less than or equal to 5, not 6",
        ),
    ],
)
def test_settings_that_can_not_be_are_refused(cli, tmp_path, options, refusal):
    message = cli("pretrain", "mobilenet_v2", "--output", tmp_path, *options).refusal
    assert message.startswith(refusal)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_encoder_is_refused_with_those_there_are(cli, tmp_path):
    message = cli("pretrain", "alexnet", "--output", tmp_path, "--steps", 1).refusal
    assert message.startswith("Pre-training: alexnet: no such encoder. There are vgg19,")
