"""A network's probabilities on the validation images, and the scores that follow."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from icefloe.imaging.windows import slide
from icefloe.models.views import view_logits
from icefloe.scoring.calibration import calibration_bins
from icefloe.scoring.metrics import (
    PixelScores,
    brier_score,
    confusion_matrix,
    iou_of_labelled_classes,
    pixel_scores,
)
from icefloe.training.data import PreparedImages
from icefloe.training.members import class_masks
from icefloe.typing import FloatArray, Views


def batches(images: FloatArray, batch_size: int, device: torch.device) -> Iterator[Tensor]:
    """Images, float32 (N, S, S), as network inputs (B, 1, S, S)."""
    for first in range(0, len(images), batch_size):
        yield to_input(images[first : first + batch_size], device)


def to_input(images: FloatArray, device: torch.device) -> Tensor:
    """Images, float32 (B, S, S), as a network input (B, 1, S, S), channels last in memory."""
    tensor = torch.tensor(images).unsqueeze(1)  # a copy: arrays from Ray's object store are read-only
    return tensor.to(device, memory_format=torch.channels_last)


def predict_logits(
    network: nn.Module,
    images: FloatArray,
    batch_size: int,
    device: torch.device,
    precision: str,
    views: Views = 1,
) -> Tensor:
    """Logits, float32 on the CPU, shape (N, 1 or C, S, S); the network is left in evaluation mode."""
    network.eval()
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
        return torch.cat(
            [view_logits(network, batch, views).cpu() for batch in batches(images, batch_size, device)]
        )


def judged_logits(
    network: nn.Module,
    reference: PreparedImages,
    batch_size: int,
    device: torch.device,
    precision: str,
    views: Views = 1,
) -> Tensor:
    """Logits at the pixels of `reference.judged_masks`, float32 on the CPU.

    Of whole images their shape is (N, 1 or C, S, S). Images to be cut into tiles are predicted as an ensemble
    predicts them, one after another; of their judged pixels the shape is (1, 1 or C, 1, P).
    """
    if reference.crop is None:
        return predict_logits(network, np.stack(reference.images), batch_size, device, precision, views)

    def run(windows: FloatArray) -> FloatArray:
        return predict_logits(network, windows, len(windows), device, precision, views).numpy()

    step, judged = reference.judged_step, []
    for image in reference.images:
        for first, band in slide(image, run):
            begins = -(first * image.shape[1]) % step  # where the image's next judged pixel is in this band
            judged.append(band.reshape(len(band), -1)[:, begins::step].copy())
    return torch.from_numpy(np.concatenate(judged, axis=1)[None, :, None])


def probabilities(logits: Tensor) -> FloatArray:
    """Float32 (N, S, S) of the foreground when binary, else (N, C, S, S)."""
    if logits.shape[1] == 1:
        return logits[:, 0].sigmoid().numpy()
    return logits.softmax(dim=1).numpy()


def mask_scores(probability: FloatArray, reference: PreparedImages, n_classes: int) -> PixelScores:
    """Accuracy, IoU and Dice of all validation pixels pooled."""
    return pixel_scores(reference.judged_masks, class_masks(probability), n_classes)


def labelled_iou(probability: FloatArray, reference: PreparedImages, n_classes: int) -> float:
    """IoU over the classes that the reference shows, of all validation pixels pooled."""
    return iou_of_labelled_classes(
        confusion_matrix(reference.judged_masks, class_masks(probability), n_classes)
    )


def probability_scores(probability: FloatArray, reference: PreparedImages) -> tuple[float, float]:
    """Brier score and expected calibration error of all validation pixels pooled."""
    if probability.ndim == 4:
        probability = np.moveaxis(probability, 1, 0)
    masks = reference.judged_masks
    bins = calibration_bins(masks, probability)
    return brier_score(masks, probability), bins.expected_calibration_error
