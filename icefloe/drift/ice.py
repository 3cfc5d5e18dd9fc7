"""The gate's domain of melting ice: quantities, causes, and how they are measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from numpy.typing import ArrayLike

from icefloe.drift.config import Spread
from icefloe.drift.domain import SCORE_WORDS, Cause, Domain, NoiseRule, Ratios
from icefloe.drift.evidence import QUANTILE_COLUMNS, measure_evidence
from icefloe.drift.quantities import Quantity
from icefloe.typing import MaskArray


def measure(image: ArrayLike, mask: MaskArray | None = None) -> Mapping[str, float]:
    """Input evidence of one image by column; parameters and errors as of `measure_evidence`."""
    return measure_evidence(image, mask).to_features()


# Spreads were chosen on simulated experiments of one kind, which `icefloe study gate` draws again and shows
# beside them. That of uncertainty includes the step from the experiments that the ensemble was trained on:
# there it is lower, even on frames that were not used in training.
UNCERTAINTY = Quantity(
    "uncertainty",
    SCORE_WORDS["uq_mean"],
    ("uq_mean",),
    Spread(scale=0.24),
    alternative="greater",
    with_size=True,
)

EVIDENCE = (
    Quantity("noise", "noise level", ("noise",), Spread(scale=0.033)),
    Quantity("contrast", "contrast", ("contrast",), Spread(scale=0.075)),
    Quantity("sharpness", "sharpness", ("sharpness",), Spread(scale=0.04)),
    Quantity(
        "intensity",
        "intensity distribution",
        QUANTILE_COLUMNS,
        Spread(scale=0.07, dimensions=1.5),
        transformation="distribution",
    ),
    Quantity("spikes", "rate of bright spikes", ("spikes",), Spread(scale=0.15), required=False),
    Quantity("lines", "unevenness of columns or rows", ("lines",), Spread(scale=0.04), required=False),
    Quantity(
        "boundary_contrast",
        "contrast across the boundary",
        ("boundary_contrast",),
        Spread(scale=0.11),
        required=False,
        of_boundary=True,
    ),
    Quantity(
        "boundary_sharpness",
        "sharpness of the boundary",
        ("boundary_sharpness",),
        Spread(scale=0.035),
        required=False,
        of_boundary=True,
    ),
    Quantity(
        "boundary_elongation",
        "elongation of the outline",
        ("boundary_elongation",),
        Spread(scale=0.22),
        required=False,
        of_boundary=True,
        formerly="elongation",
    ),
    Quantity(
        "boundary_facets",
        "facetting of the outline",
        ("boundary_facets",),
        Spread(scale=0.2),
        required=False,
        of_boundary=True,
        formerly="facets",
    ),
)


def _dose(ratios: Ratios) -> str:
    """Dose, new / benchmark: shot noise goes as one over its root."""
    dose = ratios["noise"] ** -2
    return f"about 1/{1 / dose:.2g} of" if dose < 1 else f"about {dose:.2g} times"


def _brief_dose(ratios: Ratios) -> str:
    return f"{_dose(ratios)} the dose"


def _words_of_dose(ratios: Ratios) -> str:
    noisier = "noisier" if ratios["noise"] > 1 else "less noisy"
    return f"The images are {noisier}: {_dose(ratios)} the benchmark's dose"


def _pixel_size(ratios: Ratios) -> str:
    """Pixel size, new / benchmark, by the noise at equal dose per area."""
    return f"{1 / ratios['noise']:.2g}"


def _brief_magnification(ratios: Ratios) -> str:
    return f"a different magnification, with pixels about {_pixel_size(ratios)} times as large"


def _words_of_magnification(ratios: Ratios) -> str:
    return (
        "Noise and edges changed together as with a different magnification: compare the pixel sizes "
        f"(by the noise, at equal dose: {_pixel_size(ratios)} times the benchmark's)"
    )


CAUSES = (
    Cause("dose", "dose or noise", _brief_dose, _words_of_dose),
    Cause(
        "contrast",
        "contrast or defocus",
        "a different contrast between the phases",
        "The phases differ from each other less, or in another way: contrast across the boundary is "
        "{boundary_contrast:.2g} times the benchmark's",
    ),
    Cause(
        "defocus",
        "contrast or defocus",
        "a different defocus",
        "Edges look different, their sharpness is {boundary_sharpness:.2g} times the benchmark's: check the "
        "focus",
    ),
    Cause("magnification", "magnification", _brief_magnification, _words_of_magnification),
    Cause(
        "gain",
        "gain or X-rays",
        "uneven gain, or a different camera",
        "Columns or rows differ {lines:.2g} times as much as the benchmark's: check the gain reference, or "
        "whether the camera changed",
    ),
    Cause(
        "xrays",
        "gain or X-rays",
        "X-rays or hot pixels",
        "Single bright pixels are {spikes:.2g} times as frequent as in the benchmark: X-rays or hot pixels",
    ),
    Cause(
        "shape",
        "shape of the crystals",
        "a different shape of the crystals",
        "The crystals' outline is different: elongation {boundary_elongation:.2g} times, facets "
        "{boundary_facets:.2g} times the benchmark's",
    ),
)

ICE = Domain(
    name="melting ice",
    uncertainty=UNCERTAINTY,
    evidence=EVIDENCE,
    causes=CAUSES,
    model_file=Path(__file__).with_name("ice.yaml"),
    measure=measure,
    noise=NoiseRule(snr="snr", higher=("noise",), lower=("contrast",)),
    dice_file=Path(__file__).with_name("ice_dice.yaml"),
)
