from types import SimpleNamespace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from icefloe.errors import IcefloeError
from icefloe.files import sha256_file
from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build
from icefloe.training import pretrain as pretraining
from icefloe.training.checkpoint import weights_sha256
from icefloe.training.pretrain import pretrain, steps_begun, steps_within
from icefloe.training.pretrained import HELD_OUT_SEED, PretrainConfig, save_pretrained

TINY = PretrainConfig(encoder="mobilenet_v2", steps=4, size=64, batch_size=2)


@pytest.fixture(autouse=True)
def short_rounds(monkeypatch):
    monkeypatch.setattr(pretraining, "ROUND", 2)
    monkeypatch.setattr(pretraining, "HELD_OUT_BATCHES", 2)
    monkeypatch.setattr(pretraining, "N_WARMUP", 2)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretraining, "ROUND", 2)
        patch.setattr(pretraining, "HELD_OUT_BATCHES", 2)
        patch.setattr(pretraining, "N_WARMUP", 2)
        return pretrain(TINY, tmp_path_factory.mktemp("state"))


def test_a_killed_pretraining_goes_on_to_the_same_weights(result, tmp_path):
    class KilledError(Exception):
        pass

    class Killer:
        def advance(self, *_):
            raise KilledError

    with pytest.raises(KilledError):
        pretrain(TINY, tmp_path, progress=Killer())
    told = []
    resumed = pretrain(TINY, tmp_path, progress=SimpleNamespace(advance=lambda *news: told.append(news)))
    assert [(what, done, total) for what, done, total, _ in told] == [
        ("Pre-training mobilenet_v2", TINY.steps, TINY.steps)
    ]
    assert weights_sha256(resumed.weights) == weights_sha256(result.weights)
    assert resumed.scores == result.scores


def test_images_made_by_processes_give_the_same_weights(result, tmp_path):
    assert weights_sha256(pretrain(TINY, tmp_path, workers=2).weights) == weights_sha256(result.weights)


def test_the_loss_falls_on_images_never_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(pretraining, "ROUND", 8)
    config = TINY.model_copy(update={"steps": 40, "batch_size": 4, "learning_rate": 1e-2})
    learned = pretrain(config, tmp_path)
    records = learned.records
    assert records[-1].train_loss < 0.95 * records[0].train_loss  # .90 in float32, .86 in bfloat16 with AMX
    assert learned.scores.loss == records[-1].val_loss < 0.95 * records[0].val_loss
    assert learned.scores.iou_of.keys() <= {"ice", "nanoparticles", "lattice"}


def test_the_state_of_other_settings_is_refused(result, tmp_path):
    pretrain(TINY.model_copy(update={"steps": 2}), tmp_path)
    assert steps_begun(tmp_path) == 2
    with pytest.raises(IcefloeError, match=r"holds a pre-training with other settings .*remove the folder"):
        pretrain(TINY, tmp_path)


def test_minutes_become_steps_by_measuring():
    few, many = (steps_within(TINY, minutes) for minutes in (0.05, 5.0))
    assert 1 <= few < many


def test_a_member_starts_from_the_file_of_its_encoder(result, tmp_path):
    path = save_pretrained(result, tmp_path)
    assert path == tmp_path / "mobilenet_v2.sim.safetensors"
    spec = MemberSpec(encoder="mobilenet_v2", weights="sim", decoder_channels=(24, 16, 8), seed=5)
    network = build(spec, 2, tmp_path)
    for name, value in network.encoder.state_dict().items():
        torch.testing.assert_close(value, result.weights[f"encoder.{name}"], rtol=1e-3, atol=1e-7)


def test_from_photographs_the_encoders_statistics_stay_and_its_weights_move(tmp_path):
    config = PretrainConfig(
        encoder="efficientnet-lite0", weights="imagenet", stages=4, steps=2, size=64, batch_size=2
    )
    learned = pretrain(config, tmp_path / "state")
    began = build(config.spec, 2).state_dict()
    moved = {name for name in began if not torch.equal(began[name], learned.weights[name])}
    assert any(name.startswith("encoder.") for name in moved)
    assert not {name for name in moved if name.startswith("encoder.") and "running" in name}
    path = save_pretrained(learned, tmp_path)
    assert path.name == "efficientnet-lite0.image-sim.safetensors"
    assert "Began with imagenet: trained on ImageNet-1k" in path.with_suffix(".md").read_text()
    spec = config.spec.model_copy(update={"weights": "image-sim", "seed": 5})
    network = build(spec, 2, tmp_path)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, learned.weights[name], rtol=1e-3, atol=1e-7)
    assert "then simulated micrographs" in spec.first_weights


def test_filters_are_half_the_size_and_batch_statistics_whole(result, tmp_path):
    path = save_pretrained(result, tmp_path)
    stored = load_file(path)
    assert stored.keys() == result.weights.keys()
    for name, value in stored.items():
        floating = value.is_floating_point()
        assert value.dtype == (torch.float16 if floating and value.dim() > 1 else result.weights[name].dtype)
    with safe_open(path, framework="pt") as file:
        assert file.metadata()["stages"] == "3"


def test_the_card_says_what_the_weights_are(result, tmp_path):
    path = save_pretrained(result, tmp_path)
    card = (tmp_path / "mobilenet_v2.sim.md").read_text()
    assert sha256_file(path) in card
    assert (
        "icefloe pretrain mobilenet_v2 --output weights --weights none --stages 3 --steps 4 --size 64" in card
    )
    assert "8 simulated images of 64 px" in card
    for word in ("Licence: Apache-2.0", "git ", "no real image"):
        assert word in card


def test_held_out_images_are_of_no_training():
    with pytest.raises(ValueError, match="less than 4294967295"):
        PretrainConfig(encoder="mobilenet_v2", steps=1, seed=HELD_OUT_SEED)
