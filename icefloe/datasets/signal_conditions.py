"""Conditions of an image as a microscope's container states them."""

import re
from collections.abc import Iterator
from typing import Any

from icefloe.datasets.conditions import Conditions
from icefloe.datasets.units import nm_of_unit

INSTRUMENTS = tuple(f"Acquisition_instrument.{kind}" for kind in ("TEM", "SEM"))

OWN_TAGS = {
    "magnification": ("Optics.NominalMagnification", "ObjectInfo.AcquireInfo.Magnification"),
    "instrument": (
        "ImageList.TagGroup0.ImageTags.Session Info.Microscope",
        "ImageList.TagGroup0.ImageTags.Microscope Info.Name",
    ),
    "exposure_s": (
        "ImageList.TagGroup0.ImageTags.DataBar.Exposure Time (s)",
        "ImageList.TagGroup0.ImageTags.Acquisition.Parameters.Detector.exposure (s)",
    ),
}
"""Where Velox, TIA and DigitalMicrograph keep what RosettaSciIO does not take from there."""

DOSE = re.compile(r"(?:electron )?dose \(e-?/(A|Å|Angstrom|nm)(?:\^?2|²)\)", re.IGNORECASE)
"""A dose is taken only with its unit: cameras' plug-ins write it in several, and dose rates beside it."""

Tags = dict[str, Any]


def conditions_of_signal(signal: Tags) -> Conditions:
    """What RosettaSciIO's dictionary of an image says of how it was taken.

    Parameters
    ----------
    signal
        With `metadata`, `original_metadata` and `mapping`, which says where the first is to be completed from
        the second.
    """
    metadata, own = signal["metadata"], signal.get("original_metadata") or {}
    mapped = {name: _get(metadata, name) for name in _names()}
    for source, (target, convert) in (signal.get("mapping") or {}).items():
        found = _get(own, source)
        if target in mapped and mapped[target] is None and found is not None:
            mapped[target] = _converted(convert, found)
    of_instrument = {
        "magnification": ("magnification",),
        "exposure_s": ("Detector.Camera.exposure",),
        "instrument": ("microscope",),
    }
    found = {"date": _text(mapped["General.date"]), "dose_e_per_A2": _dose(own)}
    for name, parts in of_instrument.items():
        candidates = [mapped[f"{kind}.{part}"] for kind in INSTRUMENTS for part in parts]
        candidates += [_get(own, tag) for tag in OWN_TAGS[name]]
        if name == "exposure_s":
            candidates.append(_velox_exposure(own, str(_get(metadata, "General.title") or "")))
        as_value = _text if name == "instrument" else _positive
        found[name] = next((value for value in map(as_value, candidates) if value is not None), None)
    return Conditions(**found)


def _names() -> tuple[str, ...]:
    parts = ("magnification", "microscope", "Detector.Camera.exposure")
    return ("General.date", *(f"{kind}.{part}" for kind in INSTRUMENTS for part in parts))


def _get(tags: Any, name: str) -> Any:
    for part in name.split("."):
        if not isinstance(tags, dict) or part not in tags:
            return None
        tags = tags[part]
    return tags


def _converted(convert: Any, value: Any) -> Any:
    if convert is None:
        return value
    try:
        return convert(value)
    except (AttributeError, LookupError, TypeError, ValueError):  # a tag that an instrument left odd
        return None


def _positive(value: Any) -> float | None:
    """A number above 0, also one behind which something stands, as in `22500 X`."""
    found = re.match(r"\s*(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)", str(value))
    return float(found[1]) or None if found else None


def _text(value: Any) -> str | None:
    return str(value).strip() or None if value is not None else None


def _velox_exposure(own: Tags, title: str) -> Any:
    """Of the detector that the image is called by; a Velox file describes all that the microscope has."""
    detectors = own.get("Detectors")
    for detector in detectors.values() if isinstance(detectors, dict) and title else ():
        if isinstance(detector, dict) and title in str(detector.get("DetectorName")):
            return detector.get("ExposureTime")
    return None


def _dose(own: Tags) -> float | None:
    for name, value in _leaves(own):
        if (unit := DOSE.fullmatch(name.replace("_", " ").strip())) and (dose := _positive(value)):
            edge_nm = nm_of_unit(unit[1])
            return None if edge_nm is None else dose * (0.1 / edge_nm) ** 2
    return None


def _leaves(tags: Tags) -> Iterator[tuple[str, Any]]:
    for name, value in tags.items():
        if isinstance(value, dict):
            yield from _leaves(value)
        else:
            yield name, value
