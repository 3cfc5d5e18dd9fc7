"""The optimiser of a member's training, with a learning rate of its own for a pre-trained encoder."""

from typing import Any

import torch
from torch import nn

from icefloe.training.config import TrainingConfig


def adamw(network: nn.Module, config: TrainingConfig, *, is_pretrained: bool) -> torch.optim.AdamW:
    """AdamW on all weights that are not frozen, in groups with a `factor` of the learning rate.

    Parameters
    ----------
    network
        Network on the device that it is trained on.
    config
        Learning rate and weight decay.
    is_pretrained
        Whether `encoder_learning_rate` holds for the encoder.
    """
    encoder: Any = network.encoder
    of_encoder = set(encoder.parameters())
    moved = [parameter for parameter in network.parameters() if parameter.requires_grad]
    factor = config.encoder_learning_rate if is_pretrained else 1.0
    groups: list[dict[str, Any]] = [
        {"params": [parameter for parameter in moved if parameter in of_encoder], "factor": factor},
        {"params": [parameter for parameter in moved if parameter not in of_encoder], "factor": 1.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]],
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        fused=True,
    )
