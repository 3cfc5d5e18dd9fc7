"""Cards of published weights: what they saw, whose they are, how they want their images. Needs no torch."""

from dataclasses import dataclass, replace

Colours = tuple[float, float, float]

PHOTOGRAPH_STD = (0.229, 0.224, 0.225)
"""Standard deviation of ImageNet's red, green and blue, in units of the full range."""

MICROGRAPH_STD = (0.1684, 0.1575, 0.1675)
"""The same of MicroNet, as its authors give it."""


@dataclass(frozen=True)
class Card:
    """What published weights are.

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
    """

    saw: str
    author: str
    licence: str
    input_std: Colours = (1.0, 1.0, 1.0)

    def sentence(self) -> str:
        """What they saw, who trained them, and the licence."""
        return f"trained on {self.saw}; {self.author}; {self.licence}"


def _divided(std: Colours, by: Colours) -> Colours:
    red, green, blue = (round(of / unit, 3) for of, unit in zip(std, by, strict=True))
    return red, green, blue


IMAGENET = Card("1.28 million photographs in 1000 classes (ImageNet-1k)", "torchvision", "BSD-3-Clause")

GOOGLE = replace(
    IMAGENET,
    author="Google",
    licence="Apache-2.0",
    # Its images are brought to [-1, 1], those of torchvision to a standard deviation of 1.
    input_std=_divided(PHOTOGRAPH_STD, (0.5, 0.5, 0.5)),
)

MICRONET = Card(
    "more than 100,000 micrographs in 54 classes (MicroNet)",
    "NASA",
    "MIT",
    # Normalised like photographs, but with less contrast than they have.
    input_std=_divided(MICROGRAPH_STD, PHOTOGRAPH_STD),
)
