"""Specification of an ensemble member: encoder, decoder, seed, weights."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from icefloe.errors import IcefloeError
from icefloe.models.cards import (
    ADVPROP,
    EFFICIENTNET,
    GOOGLE,
    IMAGE_MICRONET,
    IMAGENET,
    MICRONET,
    SE_RESNET,
    SIMULATED,
    SSL,
    SWSL,
    Card,
)

DecoderChannels = tuple[int, ...]

FULL: DecoderChannels = (256, 128, 64, 32, 16)
LIGHT: DecoderChannels = (64, 48, 32, 24, 16)


@dataclass(frozen=True)
class Encoder:
    """One encoder of the zoo.

    Attributes
    ----------
    pretrained
        Its published weights, by name.
    decoder_channels
        Width of a decoder that suits it, deepest stage first.
    dilates
        Whether its last stage can trade stride for dilation, which DeepLabV3+ needs.
    is_local
        Whether all of its features come from a neighbourhood of their place; those of squeeze-and-excitation
        depend on means over the whole input.
    """

    pretrained: Mapping[str, Card]
    decoder_channels: DecoderChannels = FULL
    dilates: bool = True
    is_local: bool = True


_MICRONET = {"micronet": MICRONET, "image-micronet": IMAGE_MICRONET}
_LITE = Encoder({"imagenet": GOOGLE}, LIGHT)

ENCODERS: dict[str, Encoder] = {
    "vgg19": Encoder({"imagenet": IMAGENET}, dilates=False),
    "densenet121": Encoder({"imagenet": IMAGENET, **_MICRONET}, dilates=False),
    "densenet201": Encoder({"imagenet": IMAGENET, **_MICRONET}, dilates=False),
    "resnet18": Encoder({"imagenet": IMAGENET, "ssl": SSL, "swsl": SWSL, **_MICRONET}),
    "se_resnet50": Encoder({"imagenet": SE_RESNET, **_MICRONET}, is_local=False),
    "inception_v3": Encoder({"imagenet": GOOGLE}, dilates=False),
    "mobilenet_v2": Encoder({"imagenet": IMAGENET, **_MICRONET}, LIGHT),
    "efficientnet-b0": Encoder(
        {"imagenet": EFFICIENTNET, "advprop": ADVPROP, **_MICRONET}, LIGHT, is_local=False
    ),
    "efficientnet-lite0": _LITE,
    "efficientnet-lite1": _LITE,
    "efficientnet-lite2": _LITE,
}
"""The six of Baskaran et al. 2022, then light ones for machines without a GPU."""

DECODERS = ("unet", "unetplusplus", "fpn", "deeplabv3plus")
LOCAL_DECODERS = ("unet", "unetplusplus")
"""The others normalise by groups, or pool, over the whole input."""


class MemberSpec(BaseModel):
    """One candidate for the ensemble.

    Attributes
    ----------
    encoder
        A name in `ENCODERS`.
    decoder
        A name in `DECODERS`.
    seed
        Seed of everything random in the member's first weights: members of one encoder differ by it (ER-i).
    weights
        First weights of the encoder: `none` (random), `sim` or `image-sim` (from `icefloe pretrain`), the
        name of published weights (`imagenet`), or a .safetensors file. A file that holds a decoder like the
        member's gives that too.
    decoder_channels
        Width of the decoder stages, deepest first. U-Nets with three or four instead of five use the encoder
        without its deepest stages. FPN and DeepLabV3+ have one width and use the first, which FPN needs to be
        a multiple of 64. Empty: the encoder's own default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: str
    decoder: str = "unet"
    seed: int = Field(0, ge=0)
    weights: str = "none"
    decoder_channels: DecoderChannels | None = Field(None, min_length=3, max_length=5)

    @property
    def name(self) -> str:
        """Name of the member in tables and files, such as `mobilenet_v2-unet-s0`."""
        return f"{self.encoder}-{self.decoder}-s{self.seed}"

    @property
    def first_weights(self) -> str:
        """What the encoder begins with, in words."""
        if self.weights == "none":
            return "random weights"
        card = {**SIMULATED, **ENCODERS[self.encoder].pretrained}.get(self.weights)
        return f"{self.weights}: {card.sentence()}" if card else self.weights

    @property
    def channels(self) -> DecoderChannels:
        """Decoder width in force."""
        return self.decoder_channels or ENCODERS[self.encoder].decoder_channels

    @property
    def is_local(self) -> bool:
        """Whether each pixel's logits come from its neighbourhood alone, however large the input is."""
        return ENCODERS[self.encoder].is_local and self.decoder in LOCAL_DECODERS

    @field_validator("encoder")
    @classmethod
    def _encoder_is_known(cls, encoder: str) -> str:
        if encoder not in ENCODERS:
            raise IcefloeError(f"{encoder}: no such encoder. There are {', '.join(ENCODERS)}.")
        return encoder

    @field_validator("decoder")
    @classmethod
    def _decoder_is_known(cls, decoder: str) -> str:
        if decoder not in DECODERS:
            raise IcefloeError(f"{decoder}: no such decoder. There are {', '.join(DECODERS)}.")
        return decoder

    @model_validator(mode="after")
    def _parts_fit(self) -> "MemberSpec":
        if self.decoder == "deeplabv3plus" and not ENCODERS[self.encoder].dilates:
            dilating = ", ".join(name for name, encoder in ENCODERS.items() if encoder.dilates)
            raise IcefloeError(f"{self.encoder}: cannot be dilated for deeplabv3plus. Use one of {dilating}.")
        if self.decoder == "fpn" and self.channels[0] % 64:
            raise IcefloeError(
                f"{self.name}: an FPN cannot have {self.channels[0]} channels. "
                "Make the first of decoder_channels a multiple of 64."
            )
        published = ENCODERS[self.encoder].pretrained
        if self.weights in ("none", *SIMULATED, *published) or Path(self.weights).suffix == ".safetensors":
            return self
        if Path(self.weights).suffix in (".pth", ".pt", ".bin", ".pkl", ".ckpt"):
            raise IcefloeError(
                f"{self.weights}: pickles are not loaded, because they can run code. "
                "Save the state dict with safetensors.torch.save_file and name that file."
            )
        raise IcefloeError(
            f"{self.weights}: no such weights for {self.encoder}. "
            f"Use {', '.join(('none', *SIMULATED, *published))} or the path of a .safetensors file."
        )


def require_unique_names(members: Sequence[MemberSpec]) -> None:
    """Refuse a list in which two members would write the same files.

    Raises
    ------
    IcefloeError
        If two members have one name.
    """
    repeated = [name for name, count in Counter(member.name for member in members).items() if count > 1]
    if repeated:
        raise IcefloeError(
            f"{repeated[0]}: two members have this name. Change the encoder, decoder or seed of one."
        )
