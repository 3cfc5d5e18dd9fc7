"""How chips become vectors, in words that a file and a page hold. This module needs no torch."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

WayName = Literal["dense", "chips"]


class EncoderSpec(BaseModel):
    """An encoder of the zoo and its weights.

    Attributes
    ----------
    encoder
        A name in `icefloe.models.spec.ENCODERS`.
    weights
        `imagenet`, `sim`, a .safetensors file ... as for an ensemble's members; `none` is untrained.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: str = "efficientnet-lite0"
    weights: str = "imagenet"


class EmbeddingSpec(BaseModel):
    """How chips become vectors.

    Attributes
    ----------
    encoder
        Encoder and weights.
    way
        `dense`: one pass over the image, features averaged over each chip. `chips`: each chip by itself, as
        published.
    surroundings
        Whether features of the chip with its surroundings, twice as wide, come with those of the chip.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: EncoderSpec = EncoderSpec()
    way: WayName = "dense"
    surroundings: bool = False
