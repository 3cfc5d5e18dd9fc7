import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from icefloe.ensemble.engine import load_network
from icefloe.errors import IcefloeError
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.models.views import view_logits
from icefloe.models.zoo import build
from icefloe.scoring.baselines import baseline_scores
from icefloe.training import fit
from icefloe.training.checkpoint import remove_checkpoints
from icefloe.training.config import TrainingConfig
from icefloe.training.data import PreparedImages, TrainingData
from icefloe.training.fit import fit_member
from icefloe.training.outcome import read_outcome, read_progress
from icefloe.training.records import EpochRecord, MemberReceipt
from icefloe.training.simulated import simulated_images
from icefloe.training.store import FolderStore, Store


class Killed(BaseException):
    """Ends a training between two epochs, as a signal would."""


def killed_after(n_epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    write = fit.write_progress

    def write_then_die(store: Store, records: list[EpochRecord]) -> None:
        write(store, records)
        if len(records) == n_epochs:
            raise Killed

    monkeypatch.setattr(fit, "write_progress", write_then_die)


def without_times(receipt: MemberReceipt) -> dict[str, object]:
    return {name: value for name, value in receipt.to_dict().items() if name != "seconds"}


def test_the_same_seed_twice_gives_the_same_weights_and_scores(spec, data, config, tmp_path):
    first = fit_member(spec, data, config, tmp_path / "first")
    second = fit_member(spec, data, config, tmp_path / "second")
    assert without_times(first) == without_times(second)


def test_a_killed_training_resumes_to_the_very_same_weights(spec, data, config, tmp_path, monkeypatch):
    undisturbed = fit_member(spec, data, config, tmp_path / "undisturbed")
    with monkeypatch.context() as patch:
        killed_after(2, patch)
        with pytest.raises(Killed):
            fit_member(spec, data, config, tmp_path / "killed")
    before = read_progress(FolderStore(tmp_path / "killed"))[1]
    torch.randn(7)  # whatever happened to torch's random state in between has no effect
    resumed = fit_member(spec, data, config, tmp_path / "killed")
    assert resumed.weights_sha256 == undisturbed.weights_sha256
    assert without_times(resumed) == without_times(undisturbed)
    assert (
        read_progress(FolderStore(tmp_path / "killed"))[1][0] == before[0]
    )  # times too: the first epoch was not run again


@pytest.fixture(scope="module")
def simulated() -> PreparedImages:
    """As a member of `config` makes them, which takes as long as several trainings."""
    return simulated_images(Preprocessing(size=64), seed=0)


def test_simulated_images_are_mixed_into_every_batch(spec, data, config, simulated, tmp_path, monkeypatch):
    batches = []
    loss = fit.segmentation_loss
    monkeypatch.setattr(fit, "segmentation_loss", lambda *args: batches.append(len(args[0])) or loss(*args))
    alone = fit_member(spec, data, config, tmp_path / "alone")
    assert batches.count(4) == (len(data.train) // 4 + 1) * config.epochs  # with a validation each
    batches.clear()
    mixed = fit_member(spec, data, half_simulated(config), tmp_path / "mixed", simulated=simulated)
    # Two of the four images of a batch are real, so that it takes twice as many to show them all.
    assert batches.count(4) == (len(data.train) // 2 + 1) * config.epochs
    assert mixed.init_sha256 == alone.init_sha256
    assert mixed.weights_sha256 != alone.weights_sha256


def half_simulated(config: TrainingConfig) -> TrainingConfig:
    return config.model_copy(update={"simulated_share": 0.5})


def test_with_simulated_images_a_killed_training_resumes_to_the_very_same_weights(
    spec, data, config, simulated, tmp_path, monkeypatch
):
    mixed = half_simulated(config)
    undisturbed = fit_member(spec, data, mixed, tmp_path / "undisturbed", simulated=simulated)
    with monkeypatch.context() as patch:
        killed_after(2, patch)
        with pytest.raises(Killed):
            fit_member(spec, data, mixed, tmp_path / "killed")  # it makes its own
    resumed = fit_member(spec, data, mixed, tmp_path / "killed", simulated=simulated)
    assert without_times(resumed) == without_times(undisturbed)


@pytest.mark.parametrize(("share", "n_simulated"), [(0.0, 0), (0.1, 1), (0.5, 4), (0.95, 7)])
def test_every_batch_has_a_real_image(config, share, n_simulated):
    config = config.model_copy(update={"batch_size": 8, "simulated_share": share})
    assert config.simulated_per_batch == n_simulated


def averaged(config: TrainingConfig, **changes: object) -> TrainingConfig:
    return config.model_copy(update={"averaging": 0.1, **changes})


def test_with_averaging_a_killed_training_resumes_to_the_very_same_weights(
    spec, data, config, tmp_path, monkeypatch
):
    undisturbed = fit_member(spec, data, averaged(config), tmp_path / "undisturbed")
    with monkeypatch.context() as patch:
        killed_after(2, patch)
        with pytest.raises(Killed):
            fit_member(spec, data, averaged(config), tmp_path / "killed")
    resumed = fit_member(spec, data, averaged(config), tmp_path / "killed")
    assert without_times(resumed) == without_times(undisturbed)
    of_average, of_weights = (
        [{**record.to_dict(), "seconds": 0} for record in read_progress(FolderStore(tmp_path / part))[1]]
        for part in ("killed", "undisturbed")
    )
    assert of_average == of_weights


def test_with_averaging_the_last_epochs_average_is_kept_whatever_validation_says(
    spec, data, config, tmp_path, monkeypatch
):
    losses = iter([1.0, 2.0, 3.0, 4.0])
    loss_of = fit.segmentation_loss

    def scripted(logits: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        return loss_of(logits, masks) if logits.requires_grad else torch.tensor(next(losses))

    monkeypatch.setattr(fit, "segmentation_loss", scripted)
    receipt = fit_member(spec, data, averaged(config, epochs=4, patience=1), tmp_path)
    assert (receipt.epochs, receipt.best_epoch, receipt.val_loss) == (4, 4, 4.0)
    state = load_file(tmp_path / "state.safetensors")
    kept = load_file(tmp_path / "best.safetensors")
    for name, value in kept.items():
        assert torch.equal(value, state[f"average.module.{name}"])
    assert not torch.equal(kept["segmentation_head.0.weight"], state["model.segmentation_head.0.weight"])


def test_with_averaging_training_itself_stays_the_same(spec, data, config, tmp_path):
    fit_member(spec, data, config, tmp_path / "plain")
    fit_member(spec, data, averaged(config), tmp_path / "averaged")
    plain, with_average = (load_file(tmp_path / part / "state.safetensors") for part in ("plain", "averaged"))
    assert all(torch.equal(value, with_average[name]) for name, value in plain.items())


def test_an_averaged_training_learns_discs(spec, data, config, tmp_path):
    receipt = fit_member(spec, data, averaged(config, epochs=12), tmp_path)
    outcome = read_outcome(FolderStore(tmp_path))
    assert receipt.val_iou > 0.5
    assert receipt.val_loss == outcome.records[-1].val_loss
    mask, truth = outcome.probabilities >= 0.5, data.validation.judged_masks == 1
    assert receipt.val_iou == pytest.approx((mask & truth).sum() / (mask | truth).sum(), abs=5e-3)


def test_a_pretrained_encoder_learns_at_its_own_rate_and_a_random_one_at_the_decoders(
    spec, data, config, tmp_path
):
    start = build(spec.model_copy(update={"seed": 7}), 2).state_dict()
    save_file(start, tmp_path / "start.safetensors")
    pretrained = spec.model_copy(update={"weights": str(tmp_path / "start.safetensors")})
    once = config.model_copy(update={"epochs": 1, "weight_decay": 0.0})
    slow = once.model_copy(update={"encoder_learning_rate": 0.01})

    def moved(member: MemberSpec, how: TrainingConfig, name: str) -> tuple[float, float]:
        """Mean change of the first filters and of a decoder's."""
        first = build(member, 2).state_dict()
        fit_member(member, data, how, tmp_path / name)
        last = load_file(tmp_path / name / "state.safetensors")
        encoder, decoder = (
            float((last[f"model.{weight}"] - first[weight]).abs().mean())
            for weight in ("encoder.features.0.0.weight", "decoder.blocks.0.conv1.0.weight")
        )
        return encoder, decoder

    encoder, decoder = moved(pretrained, once, "as_before")
    slow_encoder, fast_decoder = moved(pretrained, slow, "slow")
    assert slow_encoder < 0.05 * encoder
    assert fast_decoder > 0.5 * decoder
    assert moved(spec, slow, "random") == moved(spec, once, "random_as_before")
    assert (
        read_progress(FolderStore(tmp_path / "slow"))[1][0].lr
        == read_progress(FolderStore(tmp_path / "as_before"))[1][0].lr
    )


def test_a_slower_encoder_resumes_to_the_very_same_weights(spec, data, config, tmp_path, monkeypatch):
    save_file(build(spec, 2).state_dict(), tmp_path / "start.safetensors")
    pretrained = spec.model_copy(update={"weights": str(tmp_path / "start.safetensors")})
    slow = config.model_copy(update={"encoder_learning_rate": 0.1})
    undisturbed = fit_member(pretrained, data, slow, tmp_path / "undisturbed")
    with monkeypatch.context() as patch:
        killed_after(2, patch)
        with pytest.raises(Killed):
            fit_member(pretrained, data, slow, tmp_path / "killed")
    resumed = fit_member(pretrained, data, slow, tmp_path / "killed")
    assert without_times(resumed) == without_times(undisturbed)


def test_a_finished_training_is_not_run_again(spec, data, config, tmp_path, monkeypatch):
    receipt = fit_member(spec, data, config, tmp_path)
    monkeypatch.setattr(fit, "build", lambda *_: pytest.fail("trained again"))
    assert fit_member(spec, data, config, tmp_path) == receipt


def test_training_learns_discs_and_keeps_the_weights_of_the_lowest_validation_loss(
    spec, data, config, tmp_path
):
    longer = config.model_copy(update={"epochs": 8, "patience": 8})
    receipt = fit_member(spec, data, longer, tmp_path)
    outcome = read_outcome(FolderStore(tmp_path))
    losses = [record.val_loss for record in outcome.records]
    assert receipt.val_loss == min(losses) == losses[receipt.best_epoch - 1]
    assert losses[-1] < losses[0] - 0.2
    assert receipt.val_iou > 0.5
    mask, truth = outcome.probabilities >= 0.5, data.validation.judged_masks == 1
    assert receipt.val_iou == pytest.approx((mask & truth).sum() / (mask | truth).sum(), abs=5e-3)
    assert receipt.val_pca == pytest.approx((mask == truth).mean(), abs=5e-3)


def test_training_stops_when_the_validation_loss_has_not_fallen_for_patience_epochs(
    spec, data, config, tmp_path, monkeypatch
):
    losses = iter([2.0, 1.0, 1.5, 1.2, 1.1, 0.1])
    loss_of = fit.segmentation_loss

    def scripted(logits: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        return loss_of(logits, masks) if logits.requires_grad else torch.tensor(next(losses))

    monkeypatch.setattr(fit, "segmentation_loss", scripted)
    receipt = fit_member(spec, data, config.model_copy(update={"epochs": 6, "patience": 2}), tmp_path)
    assert (receipt.epochs, receipt.best_epoch, receipt.val_loss) == (4, 2, 1.0)


def test_a_finished_member_is_judged_by_all_views_that_its_ensemble_will_use(spec, data, config, tmp_path):
    plain = fit_member(spec, data, config, tmp_path / "plain")
    receipt = fit_member(spec, data, config.model_copy(update={"views": 8}), tmp_path / "views")
    assert receipt.weights_sha256 == plain.weights_sha256
    network = load_network(spec, 2, tmp_path / "views" / "best.safetensors")
    with torch.inference_mode():
        logits = view_logits(network, torch.tensor(np.stack(data.validation.images))[:, None], 8)
    found = read_outcome(FolderStore(tmp_path / "views")).probabilities
    np.testing.assert_allclose(found, logits[:, 0].sigmoid(), atol=2e-3)
    mask, truth = found >= 0.5, data.validation.judged_masks == 1
    assert receipt.val_pca == pytest.approx((mask == truth).mean(), abs=5e-3)
    assert receipt.val_brier != plain.val_brier


def test_newly_labelled_images_have_a_say_in_which_epoch_is_best(spec, data, config, tmp_path):
    new = replace(data, is_new=np.arange(8) < 2)
    receipt = fit_member(spec, new, config, tmp_path)
    records = read_outcome(FolderStore(tmp_path)).records
    stopping = [(record.val_loss + record.new_loss) / 2 for record in records]
    assert receipt.best_epoch == 1 + np.argmin(stopping)
    assert receipt.val_loss == records[receipt.best_epoch - 1].val_loss


def test_the_receipt_hashes_the_weights_file_and_the_starting_weights_file(spec, data, config, tmp_path):
    start = tmp_path / "start.safetensors"
    save_file(build(spec, 2).state_dict(), start)
    initial = {name: value.numpy() for name, value in load_file(start).items()}
    receipt = fit_member(spec, data, config, tmp_path / "fit", initial=initial, started_from="EA-T1")
    weights = read_outcome(FolderStore(tmp_path / "fit")).weights
    assert receipt.init_sha256 == hashlib.sha256(start.read_bytes()).hexdigest()
    assert receipt.weights_sha256 == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert receipt.started_from == "EA-T1"


def test_starting_weights_of_another_network_are_refused(spec, data, config, tmp_path):
    other = build(spec.model_copy(update={"decoder_channels": (32, 16, 8, 8, 8)}), 2)
    initial = {name: value.numpy() for name, value in other.state_dict().items()}
    with pytest.raises(IcefloeError, match="mobilenet_v2-unet-s0: the previous version's weights do not fit"):
        fit_member(spec, data, config, tmp_path, initial=initial)


def test_several_classes_are_trained_with_a_probability_for_each(spec, data, config, tmp_path):
    masks = [np.stack(part.masks) for part in (data.train, data.validation)]
    for part in masks:
        part[:, :8] = 2
        part[:, -4:] = 255
    three = TrainingData(
        train=type(data.train)(data.train.keys, data.train.images, tuple(masks[0])),
        validation=type(data.train)(data.validation.keys, data.validation.images, tuple(masks[1])),
        classes=("background", "ice", "aperture"),
        is_new=data.is_new,
    )
    receipt = fit_member(spec, three, config, tmp_path)
    probability = read_outcome(FolderStore(tmp_path)).probabilities.astype(float)
    assert probability.shape == (4, 3, 64, 64)
    np.testing.assert_allclose(probability.sum(axis=1), 1, atol=2e-3)
    assert 0 < receipt.val_brier < 2


def test_a_damaged_checkpoint_is_named(spec, data, config, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        killed_after(2, patch)
        with pytest.raises(Killed):
            fit_member(spec, data, config, tmp_path)
    state = tmp_path / "state.safetensors"
    state.write_bytes(state.read_bytes()[:-100])
    with pytest.raises(
        IcefloeError, match=r"state.safetensors: training cannot be resumed from it .* Remove its folder"
    ):
        fit_member(spec, data, config, tmp_path)


def test_a_loss_that_is_no_longer_finite_is_refused(spec, data, config, tmp_path):
    with pytest.raises(IcefloeError, match=r"no longer finite in epoch \d. Lower learning_rate"):
        fit_member(spec, data, config.model_copy(update={"learning_rate": 1e30}), tmp_path)


def test_checkpoints_are_removed_when_asked_for(spec, data, config, tmp_path):
    fit_member(spec, data, config.model_copy(update={"epochs": 1}), tmp_path / "root" / "member")
    (tmp_path / "root" / "mine").mkdir()
    assert remove_checkpoints(tmp_path / "root") > 1e6
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["mine"]


@pytest.mark.parametrize("averaging", [None, 0.1])
def test_a_frozen_encoder_stays_to_the_last_batch_statistic_and_the_decoder_learns(
    spec, data, config, tmp_path, monkeypatch, averaging
):
    start = build(spec.model_copy(update={"seed": 7}), 2).state_dict()
    save_file(start, tmp_path / "start.safetensors")
    pretrained = spec.model_copy(update={"weights": str(tmp_path / "start.safetensors")})
    changes = {"members": (pretrained,), "freeze_encoder": True, "averaging": averaging}
    frozen = config.model_copy(update=changes)
    receipt = fit_member(pretrained, data, frozen, tmp_path / "undisturbed")
    kept = load_file(tmp_path / "undisturbed" / "best.safetensors")
    for name, value in kept.items():
        if name.startswith("encoder."):
            assert torch.equal(value, start[name])
    first = build(pretrained, 2).state_dict()["decoder.blocks.0.conv1.0.weight"]
    assert not torch.equal(kept["decoder.blocks.0.conv1.0.weight"], first)
    n_encoder = sum(parameter.numel() for parameter in build(spec, 2).encoder.parameters())
    assert receipt.n_parameters == sum(p.numel() for p in build(spec, 2).parameters()) - n_encoder
    with monkeypatch.context() as patch:
        killed_after(2, patch)
        with pytest.raises(Killed):
            fit_member(pretrained, data, frozen, tmp_path / "killed")
    assert fit_member(pretrained, data, frozen, tmp_path / "killed").weights_sha256 == receipt.weights_sha256


@pytest.mark.parametrize("averaging", [None, 0.1])
def test_frozen_statistics_stay_while_their_encoder_learns(spec, data, config, tmp_path, averaging):
    start = build(spec.model_copy(update={"seed": 7}), 2).state_dict()
    save_file(start, tmp_path / "start.safetensors")
    pretrained = spec.model_copy(update={"weights": str(tmp_path / "start.safetensors")})

    changes = {"freeze_statistics": True, "averaging": averaging}
    fit_member(pretrained, data, config.model_copy(update=changes), tmp_path / "fit")

    kept = load_file(tmp_path / "fit" / "best.safetensors")
    changed = {name for name, value in kept.items() if name in start and not torch.equal(value, start[name])}
    statistics = {name for name in kept if name.endswith(("running_mean", "running_var"))}
    assert {name for name in statistics if name.startswith("decoder.")} <= changed
    assert not {name for name in statistics if name.startswith("encoder.")} & changed
    assert any(name.startswith("encoder.") for name in changed)


def test_the_receipt_hashes_the_file_of_pretrained_weights(spec, data, config, tmp_path):
    path = tmp_path / "start.safetensors"
    save_file(build(spec, 2).state_dict(), path)
    once = config.model_copy(update={"epochs": 1})
    receipt = fit_member(spec.model_copy(update={"weights": str(path)}), data, once, tmp_path / "fit")
    assert receipt.pretrained_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert MemberReceipt.from_dict(receipt.to_dict()) == receipt
    assert receipt.baselines == baseline_scores(data.validation.images, data.validation.masks, 2)
    assert receipt.val_iou_labelled == pytest.approx(receipt.val_iou)
    assert receipt.first_weights == str(path)
    assert fit_member(spec, data, once, tmp_path / "scratch").pretrained_sha256 is None


def test_random_weights_are_not_frozen(config):
    with pytest.raises(IcefloeError, match=r"mobilenet_v2-unet-s0: freeze_encoder keeps random weights"):
        TrainingConfig(**{**dict(config), "freeze_encoder": True})


def test_a_retraining_freezes_nothing(spec, config):
    pretrained = spec.model_copy(update={"weights": "imagenet"})
    frozen = TrainingConfig(**{**dict(config), "members": (pretrained,), "freeze_encoder": True})
    assert not frozen.for_retraining().freeze_encoder
