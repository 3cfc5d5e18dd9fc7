"""Icefloe with one of the planner's choices made otherwise, to choose by."""

from collections.abc import Mapping
from typing import Any

from icefloe.imaging.augment import Augmentation
from icefloe.models.spec import FULL, LIGHT, MemberSpec
from icefloe.training.config import TrainingConfig

VARIANTS: dict[str, dict[str, Any]] = {
    "no-simulated": {"simulated_share": 0.0, "draws_per_epoch": 64},
    "trained-statistics": {"freeze_statistics": False},
    "default-augmentation": {"augmentation": Augmentation().model_dump()},
    "gentle-shapes": {"augmentation": {"rotation_deg": 15, "scale": 0.2, "elastic": 0}},
    "no-flips": {"augmentation": {"dihedral": False}},
    "frozen-encoder": {"freeze_encoder": True},
    "slow-encoder": {"encoder_learning_rate": 0.3},
    "fast": {"learning_rate": 1e-3},
    "slow": {"learning_rate": 1e-4},
    "more-decay": {"weight_decay": 0.05},
    "five-stages": {"decoder_channels": LIGHT},
    "wide-decoder": {"decoder_channels": FULL[1:]},
    "no-averaging": {"averaging": None},
    "large": {"preprocessing": {"size": 256}},
    "one-view": {"views": 1},
}
"""Name -> entries of `TrainingConfig` that differ; a mapping changes the entries that it names."""


def with_entries(training: TrainingConfig, entries: Mapping[str, Any]) -> TrainingConfig:
    """A configuration with some entries replaced; `decoder_channels` is that of every member."""
    content = training.model_dump()
    for name, value in entries.items():
        if name == "decoder_channels":
            content["members"] = [
                MemberSpec.model_validate(spec.model_dump() | {name: value}) for spec in training.members
            ]
        else:
            content[name] = content[name] | value if isinstance(value, dict) else value
    return TrainingConfig.model_validate(content)
