"""How chosen images are labelled: by whom, and with the pre-segmentation or without."""

import hashlib

from pydantic import BaseModel, ConfigDict, Field

from icefloe.active.items import Arm


class LabellingPlan(BaseModel):
    """Which of the chosen images go to two people, and which are shown without the pre-segmentation.

    Each image's lot is drawn by itself, from the seed, the round and its name: chosen again, it is the same.

    Attributes
    ----------
    two_labelers
        Share of images that two people label, neither seeing the other's mask.
    third_below
        Dice of the two below which a third person decides; from it on the first one's label becomes data.
    without_presegmentation
        Share of images that are shown without the pre-segmentation, to measure how it pulls.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    two_labelers: float = Field(default=0.0, ge=0, le=1)
    third_below: float = Field(default=0.8, ge=0, le=1)
    without_presegmentation: float = Field(default=0.0, ge=0, le=1)

    def third_below_of(self, key: str, round: str, seed: int) -> float | None:
        """The Dice below which a third decides on the image `key`; None: one person labels it."""
        return self.third_below if _lot("two labelers", key, round, seed) < self.two_labelers else None

    def arm_of(self, key: str, round: str, seed: int) -> Arm | None:
        """Whether the image `key` is shown without the pre-segmentation; None: none is."""
        if not self.without_presegmentation:
            return None
        return "without" if _lot("without", key, round, seed) < self.without_presegmentation else "with"


def _lot(what: str, key: str, round: str, seed: int) -> float:
    """A number from 0 to below 1, any as likely as another."""
    digest = hashlib.sha256(f"{seed} {round} {key} {what}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
