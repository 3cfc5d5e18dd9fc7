"""One member's training, resumable after any epoch with a bit-identical result."""

import itertools
import logging
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import nn

from icefloe.errors import ConflictError, IcefloeError
from icefloe.files import sha256_file
from icefloe.models.spec import MemberSpec
from icefloe.models.weights import weights_file
from icefloe.models.zoo import build
from icefloe.scoring.baselines import baseline_scores
from icefloe.training.averaging import averaged_model
from icefloe.training.batch_norm import freeze_statistics, set_momentum
from icefloe.training.checkpoint import (
    STATE,
    TrainingState,
    copy_weights,
    load_state,
    state_bytes,
    weights_bytes,
    weights_sha256,
)
from icefloe.training.config import TrainingConfig
from icefloe.training.data import PreparedImages, TrainingData
from icefloe.training.device import pick_device, reproducible, resolve_precision
from icefloe.training.loss import segmentation_loss
from icefloe.training.optimizer import adamw
from icefloe.training.outcome import is_finished, read_outcome, write_outcome, write_progress
from icefloe.training.records import EpochRecord, MemberReceipt
from icefloe.training.sampling import augmented, draw_order
from icefloe.training.schedule import learning_rate
from icefloe.training.simulated import simulated_images
from icefloe.training.store import Store, open_store
from icefloe.training.validation import (
    judged_logits,
    labelled_iou,
    mask_scores,
    probabilities,
    probability_scores,
    to_input,
)
from icefloe.typing import FloatArray, MaskArray, Place, Views, WeightsMirror

logger = logging.getLogger(__name__)

CHECKPOINT_SHARE = 0.1
"""Writing checkpoints may take this share of the time: each epoch where that is quick, else less often."""

Batch = tuple[FloatArray, MaskArray]


def fit_member(
    spec: MemberSpec,
    data: TrainingData,
    config: TrainingConfig,
    directory: Place,
    *,
    initial: Mapping[str, np.ndarray] | None = None,
    started_from: str | None = None,
    simulated: PreparedImages | None = None,
    threads: int = 1,
    weights_dir: WeightsMirror | None = None,
) -> MemberReceipt:
    """Train a member until its `EpochRecord.stopping_loss` stops falling, and keep its best weights.

    With `config.averaging` all epochs are run, and the moving average of the weights at the end is kept.

    The order of images, their augmentation, dropout and the learning rate are functions of seed and epoch. So
    interrupted training goes on from its last checkpoint and ends with exactly the same weights.

    Parameters
    ----------
    spec
        Architecture, seed and first weights of the member.
    data
        Training and validation images.
    config
        Options of the training; its `members` are ignored.
    directory
        Folder or `s3://bucket/prefix` for this member with this data and configuration only (see
        `identity.checkpoint_directory`). If it holds a finished training, that one's receipt is returned; if
        an unfinished one, it is resumed.
    initial
        Weights and buffers by name to start from instead of the spec's own.
    started_from
        Name of the version that `initial` comes from, for the receipt.
    simulated
        The images of `config.simulated_share`, of `simulated_images`; None: they are made if they are needed.
    threads
        CPU threads; part of what makes a result repeatable.
    weights_dir
        Mirror of pre-trained weights: a folder or `s3://bucket/prefix`.

    Raises
    ------
    IcefloeError
        If weights cannot be loaded or do not fit, a checkpoint is damaged, or the loss is no longer finite.
    """
    store = open_store(directory)
    while not is_finished(store):
        try:
            with reproducible(threads):
                fit = _Fit(spec, data, config, store, initial, simulated, weights_dir)
                fit.run()
                return fit.finish(started_from, threads)
        except ConflictError:
            logger.warning(
                "%s: another process trains it, too; going on from that one's checkpoint.", spec.name
            )
    return read_outcome(store).receipt


def measure_memory(
    spec: MemberSpec, data: TrainingData, config: TrainingConfig, weights_dir: WeightsMirror | None
) -> tuple[int, int]:
    """Most memory of the GPU that a step at the batch's shape and its validation take, and all there is.

    Parameters
    ----------
    spec, config
        Of the training to come.
    data
        A batch's number of its images.
    weights_dir
        Mirror of pre-trained weights.

    Returns
    -------
    tuple of (int, int)
        Bytes that PyTorch reserved, and the GPU's.
    """
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    run_step(spec, data, config, weights_dir)
    return torch.cuda.max_memory_reserved(), torch.cuda.get_device_properties(0).total_memory


def run_step(
    spec: MemberSpec, data: TrainingData, config: TrainingConfig, weights_dir: WeightsMirror | None = None
) -> EpochRecord:
    """One step of a training at its batch's shape, and its validation; nothing is kept."""
    step = config.model_copy(update={"simulated_share": 0.0, "draws_per_epoch": config.batch_size})
    with tempfile.TemporaryDirectory() as folder, reproducible(1):
        fit = _Fit(spec, data, step, open_store(folder), None, None, weights_dir)
        fit.run_epoch()
        return fit.progress.records[0]


class _Fit:
    """The state of one training: network, optimiser, progress, best weights."""

    def __init__(
        self,
        spec: MemberSpec,
        data: TrainingData,
        config: TrainingConfig,
        store: Store,
        initial: Mapping[str, np.ndarray] | None,
        simulated: PreparedImages | None,
        weights_dir: WeightsMirror | None,
    ) -> None:
        self.spec, self.data, self.config, self.store = spec, data, config, store
        self.device = pick_device()
        self.precision = resolve_precision(config.precision, self.device)
        network = build(spec, len(data.classes), weights_dir)
        self.pretrained_sha256: str | None = None
        if spec.weights != "none" and initial is None:
            self.pretrained_sha256 = sha256_file(weights_file(spec.encoder, spec.weights, weights_dir))
        if initial is not None:
            _load_initial(network, initial, spec.name)
        set_momentum(network)
        network.encoder.requires_grad_(not config.freeze_encoder)
        self.network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = adamw(network, config, is_pretrained=spec.weights != "none")
        self.average = None if config.averaging is None else averaged_model(self.network, config.averaging)
        self.progress = TrainingState(init_sha256=weights_sha256(copy_weights(network)))
        self.draw_weights = np.where(data.is_new, config.retraining.new_data_weight, 1.0)
        self.n_simulated = config.simulated_per_batch
        self.n_real = config.batch_size - self.n_simulated
        if self.n_simulated and simulated is None:
            simulated = simulated_images(config.preprocessing, config.seed)
        self.simulated = simulated
        self.steps_per_epoch = -(-(config.draws_per_epoch or data.train.n_draws) // self.n_real)
        self._checkpoint_cost = 0.0
        self._since_checkpoint = 0.0
        self._unsaved: bytes | None = None
        self._resume()

    def _resume(self) -> None:
        progress = load_state(self.store, self.network, self.optimizer, self.average)
        if progress is None:
            return
        if progress.init_sha256 != self.progress.init_sha256:
            raise IcefloeError(
                f"{self.store.address(STATE)}: its training began with other weights. "
                "Remove the folder to start again."
            )
        self.progress = progress
        logger.info("%s: going on after epoch %d.", self.spec.name, progress.epoch)

    @property
    def judged(self) -> nn.Module:
        """The network whose weights may be kept: the average's where there is one."""
        return self.network if self.average is None else self.average.module

    @property
    def is_done(self) -> bool:
        """Whether all epochs are run or the validation loss has not fallen for too long."""
        progress, config = self.progress, self.config
        return progress.epoch >= config.epochs or progress.epoch - progress.best_epoch >= config.patience

    def run(self) -> None:
        """Train to the end, saving the state after each epoch, or less often where that would take long.

        Whoever is asked to end saves the last epoch first: Ray raises KeyboardInterrupt when a task is
        cancelled, and SystemExit when its pod is to go.
        """
        try:
            while not self.is_done:
                self.run_epoch()
                self._unsaved = state_bytes(self.progress, self.network, self.optimizer, self.average)
                write_progress(self.store, self.progress.records)
                self._since_checkpoint += self.progress.records[-1].seconds
                if self.is_done or self._checkpoint_cost <= CHECKPOINT_SHARE * self._since_checkpoint:
                    self._save(self._unsaved)
        except (KeyboardInterrupt, SystemExit):
            if self._unsaved is not None:
                self._save(self._unsaved)
            raise

    def finish(self, started_from: str | None, threads: int) -> MemberReceipt:
        """Judge the best weights and write the outcome."""
        self.judged.load_state_dict(self.progress.best)
        validation, n_classes = self.data.validation, len(self.data.classes)
        probability = probabilities(self._logits(validation, self.config.views))
        scores = mask_scores(probability, validation, n_classes)
        brier, ece = probability_scores(probability, validation)
        records = self.progress.records
        receipt = MemberReceipt(
            name=self.spec.name,
            spec=self.spec.model_dump(mode="json"),
            val_pca=scores.accuracy,
            val_iou=scores.iou,
            val_dice=scores.dice,
            val_brier=brier,
            val_ece=ece,
            val_loss=records[self.progress.best_epoch - 1].val_loss,
            best_epoch=self.progress.best_epoch,
            epochs=self.progress.epoch,
            seconds=round(sum(record.seconds for record in records), 2),
            n_parameters=sum(p.numel() for p in self.network.parameters() if p.requires_grad),
            started_from=started_from,
            init_sha256=self.progress.init_sha256,
            weights_sha256=weights_sha256(self.progress.best),
            device=self.device.type,
            precision=self.precision,
            threads=threads,
            pretrained_sha256=self.pretrained_sha256,
            first_weights=self.spec.first_weights if self.pretrained_sha256 else None,
            val_iou_labelled=labelled_iou(probability, validation, n_classes),
            baselines=baseline_scores(validation.images, validation.masks, n_classes),
        )
        write_outcome(self.store, receipt, probability, weights_bytes(self.progress.best))
        return receipt

    def run_epoch(self) -> None:
        """Train on an epoch's draws, and validate."""
        began = time.perf_counter()
        epoch = self.progress.epoch + 1
        train_loss = self._train(epoch)
        logits = self._logits(self.data.validation)
        val_loss = float(segmentation_loss(logits, torch.tensor(self.data.validation.judged_masks)))
        if not np.isfinite(train_loss + val_loss):
            raise IcefloeError(
                f"{self.spec.name}: the loss is no longer finite in epoch {epoch}. Lower learning_rate."
            )
        scores = mask_scores(probabilities(logits), self.data.validation, len(self.data.classes))
        record = EpochRecord(
            epoch=epoch,
            train_loss=train_loss,
            val_loss=val_loss,
            new_loss=self._new_loss(),
            val_pca=scores.accuracy,
            val_iou=scores.iou,
            val_dice=scores.dice,
            lr=self.optimizer.param_groups[-1]["lr"],
            seconds=round(time.perf_counter() - began, 3),
        )
        is_best = self.average is not None or record.stopping_loss < self.progress.best_loss
        self.progress.records.append(record)
        if is_best:
            self.progress.best_epoch = epoch
            self.progress.best = copy_weights(self.judged)

    def _train(self, epoch: int) -> float:
        """One pass over the epoch's draws; the mean loss of its steps."""
        # Dropout and stochastic depth draw from torch's global state.
        torch.manual_seed(
            np.random.SeedSequence((self.config.seed, self.spec.seed, epoch)).generate_state(1)[0]
        )
        self.network.train()
        if self.config.freeze_encoder:
            self.network.encoder.eval()  # its batch statistics are part of what it has learned
        elif self.config.freeze_statistics and self.spec.weights != "none":
            freeze_statistics(self.network.encoder)
        losses = []
        first_step = (epoch - 1) * self.steps_per_epoch
        for step, (images, masks) in enumerate(self._batches(epoch), first_step):
            for group in self.optimizer.param_groups:
                group["lr"] = group["factor"] * self._learning_rate(step)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
                logits = self.network(to_input(images, self.device))
            loss = segmentation_loss(logits.float(), torch.tensor(masks, device=self.device))
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            if self.average is not None:
                self.average.update_parameters(self.network)
            losses.append(loss.detach())
        return float(torch.stack(losses).mean())

    def _batches(self, epoch: int) -> Iterator[Batch]:
        """The epoch's augmented batches; on a GPU they are made while it computes."""
        n_steps, seed, varied = self.steps_per_epoch, self.config.seed, self.config.augmentation
        parts = [(self.data.train, draw_order(self.draw_weights, n_steps * self.n_real, seed, epoch), 0)]
        if self.simulated is not None:
            alike = np.ones(len(self.simulated))
            order = draw_order(alike, n_steps * self.n_simulated, seed, epoch)
            parts.append((self.simulated, order, n_steps * self.n_real))

        def batch(step: int) -> Batch:
            made = []
            for data, order, offset in parts:
                n = len(order) // n_steps
                indices = order[step * n : (step + 1) * n]
                made.append(augmented(data, indices, varied, seed, epoch, offset + step * n))
            images, masks = (np.concatenate(arrays) for arrays in zip(*made, strict=True))
            return images, masks

        if self.device.type == "cpu":
            yield from map(batch, range(n_steps))
            return
        with ThreadPoolExecutor(max(1, torch.get_num_threads())) as pool:
            remaining = iter(range(n_steps))
            ahead: deque[Future[Batch]] = deque(
                pool.submit(batch, step) for step in itertools.islice(remaining, torch.get_num_threads() + 1)
            )
            while ahead:
                yield ahead.popleft().result()
                ahead.extend(pool.submit(batch, step) for step in itertools.islice(remaining, 1))

    def _learning_rate(self, step: int) -> float:
        n_steps = self.config.epochs * self.steps_per_epoch
        n_warmup = min(n_steps, round(self.config.warmup_epochs * self.steps_per_epoch))
        return learning_rate(step, n_steps, n_warmup, self.config.learning_rate)

    def _new_loss(self) -> float | None:
        train, is_new = self.data.train, self.data.is_new
        if not is_new.any():
            return None
        new = train.take([train.keys[index] for index in np.flatnonzero(is_new)])
        return float(segmentation_loss(self._logits(new), torch.tensor(new.judged_masks)))

    def _logits(self, images: PreparedImages, views: Views = 1) -> torch.Tensor:
        return judged_logits(self.judged, images, self.config.batch_size, self.device, self.precision, views)

    def _save(self, state: bytes) -> None:
        began = time.perf_counter()
        self.store.write(STATE, state)
        self._checkpoint_cost = time.perf_counter() - began
        self._since_checkpoint = 0.0
        self._unsaved = None


def _load_initial(network: nn.Module, initial: Mapping[str, np.ndarray], name: str) -> None:
    try:
        network.load_state_dict({key: torch.tensor(value) for key, value in initial.items()})
    except RuntimeError as error:
        raise IcefloeError(
            f"{name}: the previous version's weights do not fit this network. "
            "Give the member the decoder, channels and classes that it had then, or train from scratch."
        ) from error
