"""Pre-training of networks: segmentation of a stream of simulated micrographs.

A network that has found closed edges in ice, particles and columns of every contrast and noise needs fewer
labelled images afterwards. Its masks cost nothing: the simulator knows them. Settings vary far beyond any
laboratory's, so that real images are one more variation (domain randomisation, Tobin et al. 2017).
"""

import itertools
import logging
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from icefloe.errors import IcefloeError
from icefloe.files import write_text_atomic
from icefloe.models.zoo import build
from icefloe.progress import SILENT, Progress
from icefloe.scoring.metrics import pixel_scores
from icefloe.simulate.wide import KINDS
from icefloe.training.batch_norm import freeze_statistics, set_momentum
from icefloe.training.checkpoint import (
    STATE,
    TrainingState,
    copy_weights,
    load_state,
    state_bytes,
    weights_sha256,
)
from icefloe.training.device import pick_device, reproducible, resolve_precision
from icefloe.training.loss import segmentation_loss
from icefloe.training.plan_variety import SHAPES_VARIED
from icefloe.training.pretrained import HELD_OUT_SEED, HeldOutScores, PretrainConfig, Pretrained
from icefloe.training.records import EpochRecord
from icefloe.training.sampling import augmented
from icefloe.training.schedule import learning_rate
from icefloe.training.simulated import SimulatedBatch, simulated_batch, stream
from icefloe.training.store import FolderStore
from icefloe.training.validation import to_input
from icefloe.typing import FloatArray, MaskArray

logger = logging.getLogger(__name__)

ROUND = 100
"""Steps between validations, after each of which the state is saved."""

HELD_OUT_BATCHES = 12
N_WARMUP = 100
TIMED_STEPS = 12
CONFIG = "config.json"


def pretrain(
    config: PretrainConfig,
    directory: Path,
    *,
    threads: int = 1,
    workers: int = 0,
    progress: Progress = SILENT,
) -> Pretrained:
    """Train one network on simulated micrographs that are made during training.

    Run again after an interruption, it goes on after its last round. The same configuration, threads and
    device give the same weights, however many workers make the images.

    Parameters
    ----------
    config
        Encoder, images and optimisation.
    directory
        Folder where the state is kept, for this configuration only.
    threads
        CPU threads that train the network.
    workers
        Processes that make images; 0 makes them between the steps.
    progress
        Told of the steps and the scores after each round of `ROUND` steps, an epoch of the record.

    Raises
    ------
    IcefloeError
        If the directory holds another configuration's state, or the loss is no longer finite.
    """
    _note_settings(directory, config)
    with reproducible(threads):
        run = _Pretraining(config, directory, threads)
        run.resume()
        with stream(config.batch_size, config.size, config.seed, run.step, workers) as batches:
            while run.step < config.steps:
                record = run.round(batches)
                progress.advance(
                    f"Pre-training {config.encoder}", run.step, config.steps, _round_line(record, config)
                )
        return run.finish()


def _round_line(record: EpochRecord, config: PretrainConfig) -> str:
    n_images = config.batch_size * min(ROUND, config.steps - (record.epoch - 1) * ROUND)
    return (
        f"loss {record.train_loss:.3f}, held out {record.val_loss:.3f}, IoU {record.val_iou:.3f}, "
        f"{n_images / record.seconds:.0f} images/s"
    )


class _Pretraining:
    """The state of one pre-training: network, optimiser, progress."""

    def __init__(self, config: PretrainConfig, directory: Path, threads: int) -> None:
        self.config, self.store, self.threads = config, FolderStore(directory), threads
        self.device = pick_device()
        self.precision = resolve_precision("auto", self.device)
        network = build(config.spec, 2)
        set_momentum(network)
        self.network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(network.parameters(), lr=config.learning_rate, fused=True)
        self.progress = TrainingState(init_sha256=weights_sha256(copy_weights(network)))
        self.held_out = [
            simulated_batch(config.batch_size, config.size, HELD_OUT_SEED, number)
            for number in range(HELD_OUT_BATCHES)
        ]

    @property
    def step(self) -> int:
        """Steps done."""
        return min(self.progress.epoch * ROUND, self.config.steps)

    def resume(self) -> None:
        """Resume an interrupted run."""
        progress = load_state(self.store, self.network, self.optimizer)
        if progress is not None:
            self.progress = progress
            logger.info("%s: going on after step %d.", self.config.encoder, self.step)

    def round(self, batches: Iterator[SimulatedBatch]) -> EpochRecord:
        """Train for `ROUND` steps, validate, save."""
        began = time.perf_counter()
        torch.manual_seed(np.random.SeedSequence((self.config.seed, self.step)).generate_state(1)[0])
        train_loss = self.learn(itertools.islice(batches, min(ROUND, self.config.steps - self.step)))
        scores = self.scores()
        if not np.isfinite(train_loss + scores.loss):
            raise IcefloeError(
                f"{self.config.encoder}: the loss is no longer finite. Lower --learning-rate and start again."
            )
        record = EpochRecord(
            epoch=self.progress.epoch + 1,
            train_loss=train_loss,
            val_loss=scores.loss,
            val_pca=scores.pca,
            val_iou=scores.iou,
            val_dice=2 * scores.iou / (1 + scores.iou),
            lr=self.optimizer.param_groups[0]["lr"],
            seconds=round(time.perf_counter() - began, 3),
        )
        self.progress.records.append(record)
        self.store.write(STATE, state_bytes(self.progress, self.network, self.optimizer))
        return record

    def learn(self, batches: Iterable[SimulatedBatch]) -> float:
        """Train on batches; their mean loss."""
        self.network.train()
        if self.config.spec.weights != "none":
            freeze_statistics(self.network.encoder)
        losses = []
        for step, batch in enumerate(batches, self.step):
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate(step, self.config.steps, N_WARMUP, self.config.learning_rate)
            loss, _ = self._forward(*self._varied(batch, step))
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            losses.append(loss.detach())
        return float(torch.stack(losses).mean())

    def finish(self) -> Pretrained:
        """The weights of the last step: nothing of an endless stream is overfitted, so no epoch is picked."""
        return Pretrained(
            config=self.config,
            weights=copy_weights(self.network),
            scores=self.scores(),
            seconds=sum(record.seconds for record in self.progress.records),
            device=self.device.type,
            threads=self.threads,
            records=tuple(self.progress.records),
        )

    def _varied(self, batch: SimulatedBatch, step: int) -> tuple[FloatArray, MaskArray]:
        """A batch's images and masks, varied."""
        images = batch.prepared()
        return augmented(images, np.arange(len(images)), SHAPES_VARIED, self.config.seed, step, 0)

    def _forward(self, images: FloatArray, masks: MaskArray) -> tuple[Tensor, Tensor]:
        """The loss, and the network's logits, (B, 1, S, S)."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            logits = self.network(to_input(images, self.device)).float()
        return segmentation_loss(logits, torch.tensor(masks, device=self.device)), logits

    def scores(self) -> HeldOutScores:
        """Of the network as it is, on the held-out images."""
        self.network.eval()
        losses, found = [], []
        with torch.inference_mode():
            for batch in self.held_out:
                loss, logits = self._forward(batch.images, batch.masks)
                losses.append(float(loss))
                found.append((logits[:, 0].cpu().numpy() > 0).astype(np.uint8))
        masks = np.concatenate([batch.masks for batch in self.held_out])
        kinds = np.concatenate([batch.kinds for batch in self.held_out])
        segmented = np.concatenate(found)
        scores = pixel_scores(masks, segmented)
        return HeldOutScores(
            loss=float(np.mean(losses)),
            pca=scores.accuracy,
            iou=scores.iou,
            iou_of={
                kind: pixel_scores(masks[kinds == index], segmented[kinds == index]).iou
                for index, kind in enumerate(KINDS)
                if index in kinds
            },
            n_images=len(masks),
        )


def steps_within(config: PretrainConfig, minutes: float, *, threads: int = 1, workers: int = 0) -> int:
    """The number of steps in `minutes`, estimated from the time of a few.

    Parameters
    ----------
    config
        Options of the training; `steps` is ignored.
    minutes
        Wall time to fill, in minutes.
    threads, workers
        CPU threads and processes, as in `pretrain`.
    """
    images = stream(config.batch_size, config.size, config.seed, 0, workers)
    with reproducible(threads), images as batches:
        run = _Pretraining(config, Path(), threads)
        run.learn(itertools.islice(batches, TIMED_STEPS // 2))  # first steps are slower
        began = time.perf_counter()
        run.learn(itertools.islice(batches, TIMED_STEPS))
        a_step = (time.perf_counter() - began) / TIMED_STEPS
        began = time.perf_counter()
        run.scores()
        a_step += (time.perf_counter() - began) / ROUND
    return max(1, int(60 * minutes / a_step))


def steps_begun(directory: Path) -> int | None:
    """The steps of the pre-training in a directory, or None."""
    note = directory / CONFIG
    return PretrainConfig.model_validate_json(note.read_bytes()).steps if note.is_file() else None


def _note_settings(directory: Path, config: PretrainConfig) -> None:
    """Write the settings to the directory, or refuse a directory with other settings."""
    note = directory / CONFIG
    entries = config.model_dump_json()
    if note.is_file() and note.read_text() != entries:
        raise IcefloeError(
            f"{directory}: holds a pre-training with other settings ({note.read_text()}). "
            "Use those to go on, or remove the folder to start again."
        )
    write_text_atomic(note, entries)
