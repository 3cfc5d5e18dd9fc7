"""Settings and results of pre-training, and its files: weights for `weights: sim`, and their card."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import safetensors.torch
import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator

from icefloe.datasets.git import code_revision
from icefloe.files import sha256_file, write_bytes_atomic, write_text_atomic
from icefloe.models.cards import IMAGE_SIM, SIM
from icefloe.models.spec import LIGHT, DecoderChannels, MemberSpec
from icefloe.simulate.wide import KINDS, SHARES, VIEWS
from icefloe.training.checkpoint import Weights
from icefloe.training.planner import DECODER
from icefloe.training.records import EpochRecord

LICENCE = "Apache-2.0"
WIDTHS: dict[int, DecoderChannels] = {3: (24, 16, 8), 4: DECODER, 5: LIGHT}
"""Of the decoder by its number of stages: those of the presets, of planned trainings, of light encoders."""

HELD_OUT_SEED = 2**32 - 1
"""Of the images that validate; the seed of a training is below it, so none of them is trained on."""


class PretrainConfig(BaseModel):
    """Settings of the pre-training of one encoder.

    Attributes
    ----------
    encoder
        A name in `ENCODERS`.
    weights
        What the encoder begins with: `none` (random) makes `sim` weights, `imagenet` makes `image-sim`.
    stages
        Number of the encoder's five stages that are used; a member with as many or fewer widths in
        `decoder_channels` can use them.
    steps
        The learning rate falls along a cosine over all of them.
    size, batch_size
        Side of the images in px, a multiple of 32, and images per step.
    learning_rate
        Peak learning rate of AdamW.
    seed
        Seed of the first weights and of the stream of images.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: str
    weights: Literal["none", "imagenet"] = "none"
    stages: int = Field(3, ge=3, le=5)
    steps: int = Field(ge=1)
    size: int = Field(128, ge=64, multiple_of=32)
    batch_size: int = Field(8, ge=2)
    learning_rate: float = Field(3e-3, gt=0)
    seed: int = Field(0, ge=0, lt=HELD_OUT_SEED)

    @model_validator(mode="after")
    def _encoder_is_known(self) -> "PretrainConfig":
        _ = self.spec  # refuses what the zoo does not have
        return self

    @property
    def spec(self) -> MemberSpec:
        """The U-Net around the encoder."""
        return MemberSpec(
            encoder=self.encoder,
            weights=self.weights,
            decoder_channels=WIDTHS[self.stages],
            seed=self.seed,
        )

    @property
    def name(self) -> str:
        """What a member calls the weights."""
        return IMAGE_SIM if self.weights == "imagenet" else SIM


@dataclass(frozen=True)
class HeldOutScores:
    """Scores of a network on simulated images that it was not trained on.

    Attributes
    ----------
    loss
        Segmentation loss.
    pca, iou
        Pixel accuracy and IoU over all pixels pooled.
    iou_of
        IoU over all pixels of each kind of specimen.
    n_images
        Number of held-out images.
    """

    loss: float
    pca: float
    iou: float
    iou_of: dict[str, float]
    n_images: int


@dataclass(frozen=True)
class Pretrained:
    """A finished pre-training.

    Attributes
    ----------
    config
        Settings of the pre-training.
    weights
        Weights of the whole network; its channel is what an image shows, whatever it is.
    scores
        Scores on the held-out images.
    seconds
        Wall time of all steps, interruptions left out.
    device, threads
        Device, and number of CPU threads, that trained it.
    records
        Losses and scores, round by round.
    """

    config: PretrainConfig
    weights: Weights
    scores: HeldOutScores
    seconds: float
    device: str
    threads: int
    records: tuple[EpochRecord, ...]


def save_pretrained(result: Pretrained, folder: Path) -> Path:
    """Write a pre-training's weights and their card; return the weights' file.

    Filters are stored in float16, which halves the file and moves a filter by at most 0.05 % of itself;
    everything one-dimensional, batch statistics above all, stays float32.

    Parameters
    ----------
    result
        Network and scores, from `pretrain`.
    folder
        Set ICEFLOE_WEIGHTS_DIR to it, and members whose `weights` are `PretrainConfig.name` find the file.
    """
    path = folder / f"{result.config.encoder}.{result.config.name}.safetensors"
    content = safetensors.torch.save(
        {name: _stored(value) for name, value in result.weights.items()},
        {"stages": str(result.config.stages), "licence": LICENCE},
    )
    write_bytes_atomic(path, content)
    write_text_atomic(path.with_suffix(".md"), _card(result, path))
    return path


def _stored(value: torch.Tensor) -> torch.Tensor:
    return value.half() if value.is_floating_point() and value.dim() > 1 else value


def _card(result: Pretrained, path: Path) -> str:
    config, scores, minutes = result.config, result.scores, result.seconds / 60
    n_images = config.steps * config.batch_size
    specimens = {kind: share * (VIEWS if kind == "ice" else 1) for kind, share in SHARES.items()}
    shares = ", ".join(f"{specimens[kind] / sum(specimens.values()):.0%} {kind}" for kind in KINDS)
    found = ", ".join(f"{kind} {value:.3f}" for kind, value in scores.iou_of.items())
    return f"""# {config.encoder}, pre-trained on simulated micrographs

- File: `{path.name}`, {path.stat().st_size / 1e6:.2f} MB; filters float16, the rest float32.
  SHA-256 {sha256_file(path)}.
- Use: `weights: {config.name}` for members with {config.stages} stages or fewer; one channel, z-scored.
- Made by `{command(config)}`
  on {datetime.now(UTC):%Y-%m-%d} in {minutes:.0f} min on {result.device}, {result.threads} thread(s).
- Code: git {code_revision() or "unknown"}.
- Data: {n_images} simulated images of {config.size} px ({shares}),
  none twice, stream of seed {config.seed}; no real image, no label.
- Began with {config.spec.first_weights}.
- Task: segmentation (cross entropy + Dice).
- On {scores.n_images} other simulated images: IoU {found}.
- Licence: {LICENCE}, as the code.
- None of these figures says how well real images are segmented: docs/studies/transfer.md measures that.
"""


def command(config: PretrainConfig) -> str:
    """The command line that makes the same weights again, on the same kind of device."""
    options = {
        "weights": config.weights,
        "stages": config.stages,
        "steps": config.steps,
        "size": config.size,
        "batch-size": config.batch_size,
        "learning-rate": config.learning_rate,
        "seed": config.seed,
    }
    given = " ".join(f"--{name} {value}" for name, value in options.items())
    return f"icefloe pretrain {config.encoder} --output weights {given}"
