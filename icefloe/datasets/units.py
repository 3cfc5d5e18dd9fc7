"""Units of length and time as files spell them, and the pixel size that follows from a file's axes."""

import re
import unicodedata
from typing import Any

_SYMBOLS = {"pm": 1e-3, "nm": 1.0, "um": 1e3, "mm": 1e6, "cm": 1e7, "m": 1e9}
_ANGSTROM = {"Å", "å", "A", "a", "ang", "angstrom", "angstroem", "ångström", "ångstrom"}
_WORDS = {
    **dict.fromkeys(_ANGSTROM, 0.1),
    **{
        f"{prefix}met{ending}": nm
        for prefix, nm in (("pico", 1e-3), ("nano", 1.0), ("micro", 1e3), ("milli", 1e6), ("centi", 1e7))
        for ending in ("er", "re")
    },
    "micron": 1e3,
    "meter": 1e9,
    "metre": 1e9,
    "inch": 2.54e7,
    "inche": 2.54e7,
    "in": 2.54e7,
}

SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "msec": 1e-3,
    "s": 1.0,
    "sec": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "min": 60.0,
}
"""Length of a unit of time in s, by its name in lower case."""

# Outside of this a file's scale is a detector pixel or a wrong unit (TIA diffraction: 4e16 nm).
_PLAUSIBLE_NM = (1e-4, 1e5)


def nm_of_unit(text: object) -> float | None:
    r"""Length of a unit in nm; None of pixels, reciprocal lengths, and what is not known.

    Symbols count as written or in capitals throughout (`NM`), since `Mm` is no mm; words count in either
    case, singular or plural, British or American. ImageJ's escapes (`\u00B5m`), both micro signs, both signs
    of the ångström and UTF-8 that was taken for Latin-1 (`Âµm`) are understood.

    Parameters
    ----------
    text
        The unit as the file has it.
    """
    unit = re.sub(r"\\u([0-9A-Fa-f]{4})", lambda escape: chr(int(escape[1], 16)), str(text or ""))
    unit = unicodedata.normalize("NFKC", unit.replace("Âµ", "µ").replace("Ã…", "Å")).strip().strip("\0")
    unit = re.sub(r"^[μ](?=[mM]$)", "u", unit)
    if unit in _SYMBOLS:
        return _SYMBOLS[unit]
    if len(unit) == 2 and unit.isupper() and unit.lower() in _SYMBOLS:
        return _SYMBOLS[unit.lower()]
    word = unit.lower().replace("μ", "micro") if len(unit) > 2 else unit.lower()
    return _WORDS.get(word, _WORDS.get(word.removesuffix("s")) if len(word) > 2 else None)


def pixel_size_nm(axes: list[dict[str, Any]]) -> float | None:
    """Edge of a square pixel by a file's axes.

    Parameters
    ----------
    axes
        As RosettaSciIO gives them: `scale`, the step of one pixel, and its `units`; the last two are rows and
        columns.

    Returns
    -------
    float or None
        In nm; None if the axes are uncalibrated, reciprocal, implausible, or differ by more than 1 %.
    """
    scales = _steps_nm(axes)
    return float(f"{scales[0]:.6g}") if scales and _are_alike(scales) else None


def not_square(axes: list[dict[str, Any]]) -> str:
    """`0.2 nm high and 1 nm wide`: the sides of a pixel by a file's axes, where they differ; else empty.

    Parameters
    ----------
    axes
        As in `pixel_size_nm`.
    """
    scales = _steps_nm(axes)
    return "" if not scales or _are_alike(scales) else f"{scales[0]:g} nm high and {scales[1]:g} nm wide"


def _steps_nm(axes: list[dict[str, Any]]) -> tuple[float, float] | None:
    """Height and width of a pixel in nm; None if the axes are uncalibrated, reciprocal or implausible."""
    scales = []
    for axis in axes[-2:]:
        factor = nm_of_unit(axis.get("units"))
        if factor is None:
            return None
        scales.append(float(axis.get("scale") or 0) * factor)
    low, high = _PLAUSIBLE_NM
    if len(scales) != 2 or not all(low <= scale <= high for scale in scales):
        return None
    return scales[0], scales[1]


def _are_alike(scales: tuple[float, float]) -> bool:
    # 1 %: calibrations of the two axes are often fitted apart.
    return abs(scales[0] - scales[1]) <= 0.01 * scales[0]
