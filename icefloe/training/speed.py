"""Measured time of a training step on this machine: what a time budget buys, in the faster number format."""

import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build
from icefloe.training.device import pick_device, reproducible, resolve_precision
from icefloe.training.loss import segmentation_loss
from icefloe.training.validation import to_input

TIMED_STEPS = 2
FASTER = 0.9
"""bfloat16 is chosen where a step takes at most this share of float32's time: its digits cost something."""

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class StepTime:
    """Time of a step.

    Attributes
    ----------
    seconds
        Wall time of one step, in the faster number format.
    precision
        That format. A processor may compute in bfloat16 and yet be slower with it, where a network's time
        goes into other layers.
    """

    seconds: float
    precision: Precision


def step_time(spec: MemberSpec, size: int, batch_size: int, n_classes: int, threads: int) -> StepTime:
    """Time a few training steps of a member on noise, after one that is not counted.

    Parameters
    ----------
    spec
        Member; its weights are not needed.
    size, batch_size
        Side of the network's input in px, and images per step.
    n_classes
        Number of classes, background included.
    threads
        CPU threads, as a member's training will have.
    """
    device = pick_device()
    formats: tuple[Precision, ...] = (
        ("fp32", "bf16") if resolve_precision("auto", device) == "bf16" else ("fp32",)
    )
    rng = np.random.default_rng(0)
    images = rng.standard_normal((batch_size, size, size), np.float32)
    masks = torch.tensor(rng.integers(0, n_classes, images.shape, np.uint8), device=device)
    with reproducible(threads):
        network = build(spec.model_copy(update={"weights": "none"}), n_classes)
        network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimizer = torch.optim.AdamW(network.parameters(), lr=0.0, fused=True)
        batch = to_input(images, device)

        def step(precision: Precision) -> None:
            with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
                logits = network(batch)
            loss = segmentation_loss(logits.float(), masks)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            if device.type == "cuda":
                torch.cuda.synchronize()

        def seconds(precision: Precision) -> float:
            step(precision)
            began = time.perf_counter()
            for _ in range(TIMED_STEPS):
                step(precision)
            return (time.perf_counter() - began) / TIMED_STEPS

        taken = {precision: seconds(precision) for precision in formats}
    if taken.get("bf16", np.inf) <= FASTER * taken["fp32"]:
        return StepTime(taken["bf16"], "bf16")
    return StepTime(taken["fp32"], "fp32")
