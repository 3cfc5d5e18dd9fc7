"""`params.yaml`: presets of every room's settings, checked before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from icefloe.active.sampler import SamplerConfig
from icefloe.datasets.splits import SplitConfig
from icefloe.drift.config import GateConfig
from icefloe.drift.ice import ICE
from icefloe.errors import IcefloeError
from icefloe.evaluation.rule import PromotionRule
from icefloe.files import read_yaml
from icefloe.training.config import TrainingConfig
from icefloe.training.rule import PruningRule
from icefloe.validation import validated

DEFAULT_PARAMS = Path(__file__).with_name("params.yaml")
"""The `params.yaml` of a new workspace."""


class Params(BaseModel):
    """One preset; what it leaves out has the room's own default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: SplitConfig = SplitConfig()
    training: TrainingConfig
    pruning: PruningRule = PruningRule()
    gate: GateConfig = GateConfig()
    sampling: SamplerConfig = SamplerConfig()
    promotion: PromotionRule = PromotionRule()

    @field_validator("gate")
    @classmethod
    def _quantities_exist(cls, gate: GateConfig) -> GateConfig:
        ICE.deciding(gate)
        return gate

    def sections(self) -> dict[str, dict[str, Any]]:
        """Each section in plain types; what is empty is left out, because KFP knows no null."""
        return self.model_dump(mode="json", exclude_none=True)


def load_params(path: Path, preset: str) -> Params:
    """Read one preset.

    Raises
    ------
    IcefloeError
        If the file is missing or not YAML, there is no such preset, or an entry is unknown or wrong.
    """
    try:
        content = read_yaml(path)
    except FileNotFoundError as error:
        raise IcefloeError(
            f"{path}: not found. Copy the file from another workspace, or make a new workspace."
        ) from error
    presets = content.get("presets") if isinstance(content, dict) else None
    if not isinstance(presets, dict) or preset not in presets:
        known = ", ".join(presets) if isinstance(presets, dict) else "none"
        raise IcefloeError(f"{path}: no preset {preset!r}. There are: {known}.")
    return validated(Params, presets[preset], f"{path}: presets.{preset}.")
