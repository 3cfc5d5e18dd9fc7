"""Loss: cross entropy plus soft Dice, without ignored pixels."""

import torch
from torch import Tensor
from torch.nn import functional

from icefloe.typing import IGNORE

SMOOTHING = 1.0
"""Pixels added to both sides of the Dice quotient, so that an object of a few pixels makes no jumps."""


def segmentation_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Mean cross entropy plus 1 - soft Dice.

    The Dice part is that of the batch's pixels taken together: of the foreground when binary, else the mean
    over all classes but the background, so that a small crystal counts as much as its surroundings. A class
    of which the batch has no pixel adds nothing to it: its Dice would be 1 / (predicted area + 1), which has
    no slope until almost nothing is predicted, and then drives the last pixels' logits down without end.
    Cross entropy teaches what is not there.

    Of several classes, a pixel's cross entropy counts by n^-1/2 of the n pixels that its class has in the
    batch. With all pixels alike, a crack of .3 % of them is given up before anything is learned of it: its
    probability falls to its share, where soft Dice has hardly any slope.

    Parameters
    ----------
    logits : float32, shape (B, 1, S, S) when binary, else (B, C, S, S)
        Output of the network, before sigmoid or softmax.
    masks : uint8, shape (B, S, S)
        Class index; 255 is left out of both parts.

    Returns
    -------
    Tensor, scalar
        The loss, over all counted pixels of the batch.
    """
    counted = masks != IGNORE
    if logits.shape[1] == 1:
        truth = ((masks == 1) & counted).unsqueeze(1).to(logits.dtype)
        probabilities = logits.sigmoid()
        entropy = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")[:, 0]
        weights = counted.to(logits.dtype)
    else:
        classes = torch.where(counted, masks, 0).long()
        one_hot = functional.one_hot(classes, logits.shape[1]).movedim(-1, 1) * counted.unsqueeze(1)
        truth = one_hot[:, 1:].to(logits.dtype)
        probabilities = logits.softmax(dim=1)[:, 1:]
        entropy = functional.cross_entropy(logits, classes, reduction="none")
        of_class = one_hot.sum((0, 2, 3)).clamp(min=1).to(logits.dtype) ** -0.5
        weights = of_class[classes] * counted
    cross_entropy = (entropy * weights).sum() / weights.sum().clamp(min=1)
    probabilities = probabilities * counted.unsqueeze(1)
    pixels = (0, 2, 3)
    overlap = (probabilities * truth).sum(pixels)
    true_areas = truth.sum(pixels)
    dice = (2 * overlap + SMOOTHING) / (probabilities.sum(pixels) + true_areas + SMOOTHING)
    return cross_entropy + ((1 - dice) * (true_areas > 0)).mean()
