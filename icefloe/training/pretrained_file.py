"""Pre-trained weights on disk: `<encoder>.sim.safetensors` for `weights: sim`, with a card."""

from datetime import UTC, datetime
from pathlib import Path

import safetensors.torch
import torch

from icefloe.datasets.git import code_revision
from icefloe.files import sha256_file, write_bytes_atomic, write_text_atomic
from icefloe.models.mirror import SIM
from icefloe.simulate.wide import KINDS, SHARES, VIEWS
from icefloe.training.pretrain import PretrainConfig, Pretrained

LICENCE = "Apache-2.0"


def save_pretrained(result: Pretrained, folder: Path) -> Path:
    """Write a pre-training's weights and their card; return the weights' file.

    Filters are stored in float16, which halves the file and moves a filter by at most 0.05 % of itself;
    everything one-dimensional, batch statistics above all, stays float32.

    Parameters
    ----------
    result
        What `pretrain` returned.
    folder
        Set ICEFLOE_WEIGHTS_DIR to it, and `weights: sim` finds the file.
    """
    path = folder / f"{result.config.encoder}.{SIM}.safetensors"
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
- Use: `weights: {SIM}` for members with {config.stages} stages or fewer; one channel, z-scored.
- Made by `{command(config)}`
  on {datetime.now(UTC):%Y-%m-%d} in {minutes:.0f} min on {result.device}, {result.threads} thread(s).
- Code: git {code_revision() or "unknown"}.
- Data: {n_images} simulated images of {config.size} px ({shares}),
  none twice, stream of seed {config.seed}; no real image, no label.
- Tasks: segmentation (cross entropy + Dice, one channel a kind), denoising (smooth L1).
- On {scores.n_images} other simulated images: IoU {found};
  {scores.noise_left:.0%} of the noise is left after denoising.
- Licence: {LICENCE}, as the code.
- None of these figures says how well real images are segmented: docs/studies/transfer.md measures that.
"""


def command(config: PretrainConfig) -> str:
    """The command line that makes the same weights again, on the same kind of device."""
    options = {
        "stages": config.stages,
        "steps": config.steps,
        "size": config.size,
        "batch-size": config.batch_size,
        "learning-rate": config.learning_rate,
        "seed": config.seed,
    }
    given = " ".join(f"--{name} {value}" for name, value in options.items())
    return f"icefloe pretrain {config.encoder} {given}"
