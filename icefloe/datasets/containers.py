"""Electron-microscopy containers (DigitalMicrograph, Velox, TIA, ...) through RosettaSciIO."""

import importlib
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np

from icefloe.datasets import tia
from icefloe.datasets.raw import (
    RawImage,
    grey_from_fields,
    quiet_readers,
    unreadable,
)
from icefloe.datasets.signal_conditions import conditions_of_signal
from icefloe.datasets.units import not_square, pixel_size_nm
from icefloe.errors import IcefloeError

# Modules of `rsciio` to try, in order. Left out on purpose: netcdf and ripple, which evaluate text of the
# file as Python, and the readers of spectra and logs, which hold no image.
READERS: dict[str, tuple[str, ...]] = {
    ".app5": ("topspin",),
    ".bcf": ("bruker",),
    ".blo": ("blockfile",),
    ".de5": ("emd",),
    ".dm3": ("digitalmicrograph",),
    ".dm4": ("digitalmicrograph",),
    ".elid": ("phenom",),
    ".emd": ("emd",),
    ".emi": ("tia",),
    ".h5": ("emd", "hspy", "delmic"),
    ".hdf5": ("hspy", "emd", "delmic"),
    ".hspy": ("hspy",),
    ".img": ("hamamatsu",),
    ".mib": ("quantumdetector",),
    ".nxs": ("nexus",),
    ".pro": ("digitalsurf",),
    ".prz": ("pantarhei",),
    ".ser": ("tia",),
    ".sur": ("digitalsurf",),
    ".tvips": ("tvips",),
    ".unf": ("semper",),
}

Signal = dict[str, Any]


def read_container(path: Path) -> RawImage:
    """The image, or stack of images, in a microscope's container.

    Containers may hold spectra, Fourier transforms and several images besides; the first image with real
    values is taken, and `chosen` says which.

    Raises
    ------
    IcefloeError
        If the file can't be read or holds no image.
    """
    signal, n_images = choose_image(path)
    data = np.asarray(signal["data"])
    if data.dtype.names is not None:
        data = grey_from_fields(path, data)
    data = data.reshape(_without_unit_axes(data.shape))
    title = str(signal["metadata"].get("General", {}).get("title") or "untitled")
    chosen = f"first of {n_images} images: {title}" if n_images > 1 else ""
    return RawImage(
        data=data,
        pixel_size_nm=pixel_size_nm(signal["axes"]),
        chosen=chosen,
        conditions=conditions_of_signal(signal),
        not_square=not_square(signal["axes"]),
    )


def choose_image(path: Path, lazy: bool = False) -> tuple[Signal, int]:
    """RosettaSciIO's dictionary of the first image or stack with real values, and how many there are.

    Parameters
    ----------
    path
        File in a format of `READERS`.
    lazy
        Leave the pixels in the file: `data` is then a dask array.

    Raises
    ------
    IcefloeError
        If the file can't be read or holds no image.
    """
    images = [signal for signal in _load_signals(path, lazy) if _is_image(signal)]
    if not images:
        raise IcefloeError(
            f"{path}: holds no image (only spectra, Fourier transforms, scans of patterns or logs). "
            "Choose the file of the image itself."
        )
    # A colour thumbnail may stand before the detector's own grey values.
    return min(images, key=lambda image: image["data"].dtype.names is not None), len(images)


def _load_signals(path: Path, lazy: bool) -> list[Signal]:
    failure: Exception = IcefloeError(f"{path}: not a container")
    _check_header(path)
    for name in READERS[path.suffix.lower()]:
        try:
            with quiet_readers():
                reader = importlib.import_module(f"rsciio.{name}").file_reader
                signals: list[Signal] = reader(str(path), lazy=lazy)
        # A damaged file makes a reader fail in any way at all: struct, key, unicode, memory, assertion ...
        except Exception as error:
            failure = error
        else:
            return signals
    raise unreadable(path, failure) from failure


def _check_header(path: Path) -> None:
    """Refuse what its reader would take endless memory for."""
    series = [path] if path.suffix.lower() in tia.SUFFIXES else []
    if path.suffix.lower() == ".emi":  # TIA's description of the series beside it
        series = [
            file for file in path.parent.iterdir() if re.fullmatch(r"_\d\.ser", _behind(file, path.stem))
        ]
    for file in series:
        try:
            tia.refuse_absurd_series(file)
        except (ValueError, struct.error, OSError) as error:
            raise unreadable(file, error) from error


def _behind(path: Path, stem: str) -> str:
    """A file's name behind `stem`; empty where it does not begin with it."""
    return path.name.removeprefix(stem) if path.name.startswith(stem) else ""


def _is_image(signal: Signal) -> bool:
    data, axes = signal["data"], signal["axes"]
    dtype = getattr(data, "dtype", None)
    if dtype is None or not (dtype.names or dtype.kind in "buif"):
        return False
    if len(_without_unit_axes(data.shape)) not in (2, 3) or len(axes) != data.ndim:
        return False
    if any("ev" in str(axis.get("units") or "").lower() for axis in axes):
        return False
    # One signal axis is a spectrum at each point of a map. Files before HyperSpy's flag say nothing (None).
    navigated = [axis.get("navigate") for axis in axes]
    return None in navigated or navigated.count(False) >= 2


def _without_unit_axes(shape: tuple[int, ...]) -> tuple[int, ...]:
    """`shape` less the axes of length 1 before the last two, which some writers add."""
    return tuple(size for size in shape[:-2] if size != 1) + shape[-2:]
