"""Files of a classified session."""

import io

import tifffile
from matplotlib.figure import Figure

from icefloe.fewshot.chips_csv import chips_csv
from icefloe.fewshot.figures import map_figure
from icefloe.fewshot.result import Classification
from icefloe.typing import FloatArray
from serving.fewshot import ExportName

DPI = 150


def written(
    name: ExportName, result: Classification, image: FloatArray, pixel_size_nm: float | None
) -> bytes:
    """Content of a file.

    Parameters
    ----------
    name
        Which; not `session.json`, which is there already.
    result
        The classified image.
    image : float32, shape (H, W)
        The image.
    pixel_size_nm
        Pixel edge in nm; None where not known.
    """
    what, _, kind = name.partition(".")
    if what == "chips":
        return chips_csv(result).encode()
    if kind == "tiff":
        return _tiff(result, pixel_size_nm)
    return drawn(map_figure(result, image) if what == "map" else result.figure(), kind)


def drawn(figure: Figure, kind: str) -> bytes:
    """A figure as `png` or `svg`."""
    content = io.BytesIO()
    figure.savefig(content, format=kind, dpi=DPI)
    return content.getvalue()


def _tiff(result: Classification, pixel_size_nm: float | None) -> bytes:
    """Class of each pixel, uint8, with the pixel size where ImageJ looks for it."""
    resolution = None if pixel_size_nm is None else (1 / pixel_size_nm, 1 / pixel_size_nm)
    content = io.BytesIO()
    unit = {} if pixel_size_nm is None else {"unit": "nm"}
    tifffile.imwrite(content, result.mask(), imagej=True, resolution=resolution, metadata=unit)
    return content.getvalue()
