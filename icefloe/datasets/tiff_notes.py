"""What a TIFF's description says of its pages: ImageJ's, OME's, MetaMorph's and tifffile's own."""

import math
import re
from pathlib import Path
from typing import Any

import tifffile
from tifffile.tifffile import shaped_description_metadata

from icefloe.datasets.conditions import Conditions
from icefloe.datasets.units import SECONDS
from icefloe.errors import IcefloeError


def refuse_dimensions(path: Path, tiff: tifffile.TiffFile) -> None:
    """Refuse channels and volumes in time: a stack's frames must be one after the other in one dimension.

    Raises
    ------
    IcefloeError
        If there is more than one such dimension, or channels.
    """
    sizes: dict[str, int] = {}
    imagej, ome = tiff.imagej_metadata or {}, ome_pixels(tiff)
    if tiff.is_imagej:
        sizes = {name: int(imagej.get(name, 1)) for name in ("channels", "slices", "frames")}
        is_composite = sizes["channels"] > 1 and imagej.get("mode") in ("composite", "color")
    else:
        axes = {"channels": "SizeC", "slices": "SizeZ", "frames": "SizeT"}
        sizes = {name: int(ome.get(size, 1)) for name, size in axes.items()}
        # OME counts the samples of a colour picture as channels.
        sizes["channels"] //= max(1, tiff.pages.first.samplesperpixel)
        is_composite = sizes["channels"] > 1
    counts = [f"{size} {name}" for name, size in sizes.items() if size > 1]
    counts += [str(length) for length in _shaped(tiff) if length > 1]
    if is_composite or len(counts) > 1:
        counted = " x ".join(counts)
        raise IcefloeError(f"{path}: a hyperstack ({counted}). Export one channel, as images in time.")


def ome_pixels(tiff: tifffile.TiffFile) -> dict[str, str]:
    """Attributes of the first `Pixels` element in OME's description; none in other files."""
    element = re.search(r"<(?:\w+:)?Pixels\b([^>]*)>", tiff.ome_metadata or "")
    return dict(re.findall(r'(\w+)="([^"]*)"', element[1])) if element else {}


def promised_frames(tiff: tifffile.TiffFile) -> int:
    """Frames that a description promises: ImageJ, tifffile and MetaMorph write one page for many."""
    if tiff.is_imagej:
        return int((tiff.imagej_metadata or {}).get("images", 1))
    if tiff.is_stk:
        return int((tiff.stk_metadata or {}).get("NumberPlanes", 1))
    return math.prod(_shaped(tiff))


def _shaped(tiff: tifffile.TiffFile) -> tuple[int, ...]:
    """Lengths of the axes before rows and columns in a file that tifffile wrote; none in other files."""
    page = tiff.pages.first
    if not tiff.is_shaped or page.shaped_description is None:
        return ()
    shape = shaped_description_metadata(page.shaped_description)["shape"]
    return tuple(int(length) for length in shape[: -len(page.shape)])


def imagej_axes(tiff: tifffile.TiffFile) -> list[dict[str, Any]] | None:
    """Rows and columns with ImageJ's unit and step, as `units.pixel_size_nm` takes them; None of others."""
    described, tags = tiff.imagej_metadata or {}, tiff.pages.first.tags
    if "unit" not in described or "XResolution" not in tags or "YResolution" not in tags:
        return None
    units = {"YResolution": described.get("yunit", described["unit"]), "XResolution": described["unit"]}
    resolutions = [(unit, *tags[name].value) for name, unit in units.items()]
    return [{"units": unit, "scale": per / pixels if pixels else 0} for unit, pixels, per in resolutions]


def ome_axes(tiff: tifffile.TiffFile) -> list[dict[str, Any]] | None:
    """Rows and columns with OME's unit and step; None of others."""
    pixels = ome_pixels(tiff)
    names = [f"PhysicalSize{axis}" for axis in "YX"]
    if not all(name in pixels for name in names):
        return None
    return [{"units": pixels.get(f"{name}Unit", "µm"), "scale": pixels[name]} for name in names]


def ome_conditions(tiff: tifffile.TiffFile) -> Conditions:
    """Day, exposure, magnification and microscope by OME's description; none of others."""
    text = tiff.ome_metadata or ""
    date = re.search(r"AcquisitionDate>(\d{4}-\d\d-\d\d)", text)
    exposure = re.search(r"<(?:\w+:)?Plane\b[^>]*>", text)
    given = dict(re.findall(r'(\w+)="([^"]*)"', exposure[0])) if exposure else {}
    seconds = float(given.get("ExposureTime", 0)) * SECONDS.get(given.get("ExposureTimeUnit", "s"), 0)
    microscope = re.search(r'<(?:\w+:)?Microscope\b[^>]*\bModel="([^"]+)"', text)
    magnification = re.search(r'\bNominalMagnification="([\d.]+)"', text)
    return Conditions(
        date=date[1] if date else None,
        exposure_s=seconds or None,
        magnification=(float(magnification[1]) or None) if magnification else None,
        instrument=microscope[1] if microscope else None,
    )
