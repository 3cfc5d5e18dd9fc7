"""Cards of weights: what they saw, whose they are, how they want their images. This module needs no torch."""

from dataclasses import dataclass, replace

Colours = tuple[float, float, float]

PHOTOGRAPH_STD = (0.229, 0.224, 0.225)
"""Standard deviation of ImageNet's red, green and blue, in units of the full range."""

MICROGRAPH_STD = (0.1684, 0.1575, 0.1675)
"""The same of MicroNet, as its authors give it."""


@dataclass(frozen=True)
class Card:
    """What weights are.

    Attributes
    ----------
    saw
        The images that they were trained on.
    author
        Who trained them.
    licence
        Its name.
    input_std
        Standard deviation of red, green and blue of those images as they reached the first filters. Ours
        reach them with 1.
    download
        Where they are published, as a pickle that a person must convert; empty: on the hub, or a package has
        them. `{encoder}` stands for the encoder's name.
    """

    saw: str
    author: str
    licence: str
    input_std: Colours = (1.0, 1.0, 1.0)
    download: str = ""

    def sentence(self) -> str:
        """What they saw, who trained them, and the licence."""
        return f"trained on {self.saw} ({self.author}, {self.licence})"


def _divided(std: Colours, by: Colours) -> Colours:
    red, green, blue = (round(of / unit, 3) for of, unit in zip(std, by, strict=True))
    return red, green, blue


IMAGENET = Card("ImageNet-1k: 1.28 million photographs in 1000 classes", "torchvision", "BSD-3-Clause")

GOOGLE = replace(
    IMAGENET,
    author="Google",
    licence="Apache-2.0",
    # Its images are brought to [-1, 1], those of torchvision to a standard deviation of 1.
    input_std=_divided(PHOTOGRAPH_STD, (0.5, 0.5, 0.5)),
)

ADVPROP = replace(GOOGLE, saw=f"{GOOGLE.saw}, and adversarial copies of them")

EFFICIENTNET = replace(GOOGLE, input_std=IMAGENET.input_std)
"""Ported from Google's to images normalised as torchvision does."""

SE_RESNET = replace(IMAGENET, author="Hu, Shen and Sun, by way of R. Cadene")

SSL = Card("90 million photographs without labels (YFCC-100M), then ImageNet-1k", "Facebook", "CC-BY-NC-4.0")

SWSL = replace(SSL, saw="940 million photographs with 1500 hashtags, then ImageNet-1k")

_NASA = "https://nasa-public-data.s3.amazonaws.com/microscopy_segmentation_models/"

MICRONET = Card(
    "MicroNet: more than 100,000 micrographs",
    "NASA",
    "MIT",
    # Normalised like photographs, but with less contrast than they have.
    input_std=_divided(MICROGRAPH_STD, PHOTOGRAPH_STD),
    download=_NASA + "{encoder}_pretrained_microscopynet_v1.0.pth.tar",
)

IMAGE_MICRONET = replace(
    MICRONET,
    saw="ImageNet-1k, then MicroNet: more than 100,000 micrographs",
    download=_NASA + "{encoder}_pretrained_imagenet-microscopynet_v1.0.pth.tar",
)

SIM, IMAGE_SIM = "sim", "image-sim"
SIMULATED = {
    SIM: Card("simulated micrographs that never repeat; no real image", "icefloe pretrain", "Apache-2.0"),
    IMAGE_SIM: replace(
        IMAGENET,
        saw="ImageNet-1k, then simulated micrographs that never repeat",
        author="icefloe pretrain, from Google's",
        licence="Apache-2.0",
    ),
}
"""Weights that `icefloe pretrain` makes, by name; those of the light encoders are part of the package."""
