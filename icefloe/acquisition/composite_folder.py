"""A folder of composites, each with a row of a table; an interrupted run can go on with it."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from icefloe.datasets.dataset import COMPOSITES_FILE
from icefloe.errors import IcefloeError
from icefloe.files import GrowingTable, write_bytes_atomic, write_text_atomic
from icefloe.imaging.stacking import Composite
from icefloe.typing import FloatArray

IMAGES = "images"
SETTINGS = "stacking.json"

COLUMNS = (
    "image",
    "recording",
    "composite",
    "first_frame",
    "n_frames",
    "is_tail",
    "start_s",
    "mean",
    "xray_pixels",
    "drift_row_px",
    "drift_column_px",
    "drift_scatter_px",
    "blocks_not_aligned",
    "unseen_pixels",
)

Row = dict[str, str]


class CompositeFolder:
    """Composites as 32-bit TIFF in `images/`, and `composites.csv`.

    An image is on the disk before its row, and both are before the next composite is begun: a row means a
    complete image.

    Parameters
    ----------
    path
        Folder, made if need be; one that was begun with the same settings is gone on with.
    settings
        Options that decide the composites' content, as JSON values.
    start_anew
        Remove what was begun with other settings, instead of refusing it.

    Raises
    ------
    IcefloeError
        If the folder holds other things, or composites made with other settings.
    """

    def __init__(self, path: Path, settings: dict[str, Any], start_anew: bool = False) -> None:
        self.path = path
        made_with = path / SETTINGS
        if made_with.is_file():
            before = json.loads(made_with.read_text(encoding="utf-8"))
            changed = sorted(name for name in settings if settings[name] != before.get(name))
            if changed and start_anew:
                shutil.rmtree(path)
                write_text_atomic(made_with, _json(settings))
            elif changed:
                raise IcefloeError(
                    f"{path}: was stacked with other settings ({', '.join(changed)}). "
                    "Use the same ones to go on, or name a new folder."
                )
        elif path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise IcefloeError(f"{path}: the folder holds other files. Name a new folder.")
        else:
            write_text_atomic(made_with, _json(settings))
        (path / IMAGES).mkdir(exist_ok=True)
        self._table = GrowingTable(path / COMPOSITES_FILE, COLUMNS)

    def rows(self, recording: str) -> list[Row]:
        """The table's rows of one recording, in time order."""
        return [row for row in self._table.rows if row["recording"] == recording]

    def image_path(self, row: Row) -> Path:
        """Path of the composite of a row."""
        return self.path / IMAGES / row["image"]

    def add(
        self, recording: str, composite: Composite, start_s: float | None, pixel_size_nm: float | None
    ) -> Row:
        """Write a composite, then its row, which is returned.

        Parameters
        ----------
        recording
            Name of the recording; the image's name begins with it.
        composite
            The composite to write.
        start_s
            When it begins, in s from the recording's start; None where the frame rate is not known.
        pixel_size_nm
            Pixel edge; None where it is not known.
        """
        displacement, scatter = composite.displacement, composite.drift_scatter
        row = {
            "image": f"{recording}_{composite.index:04d}.tif",
            "recording": recording,
            "composite": composite.index,
            "first_frame": composite.first_frame,
            "n_frames": composite.n_frames,
            "is_tail": int(composite.is_tail),
            "start_s": "" if start_s is None else f"{start_s:.6f}",
            "mean": f"{composite.image.mean(dtype=np.float64):.6g}",
            "xray_pixels": composite.xray_pixels,
            "drift_row_px": f"{displacement[0]:.3f}" if displacement else "",
            "drift_column_px": f"{displacement[1]:.3f}" if displacement else "",
            "drift_scatter_px": "" if scatter is None else f"{scatter:.3f}",
            "blocks_not_aligned": sum(not shift.is_measured for shift in composite.drift),
            "unseen_pixels": composite.unseen_pixels,
        }
        image = self.path / IMAGES / str(row["image"])
        write_bytes_atomic(image, tiff_bytes(composite.image, pixel_size_nm))
        self._table.append(row)
        return self._table.rows[-1]

    def remove_tail(self, recording: str) -> Row | None:
        """Remove a recording's last composite if the recording ended within it; return its row."""
        rows = self.rows(recording)
        if not rows or rows[-1]["is_tail"] == "0":
            return None
        self._table.remove(rows[-1])
        self.image_path(rows[-1]).unlink(missing_ok=True)
        return rows[-1]


def _json(settings: dict[str, Any]) -> str:
    return json.dumps(settings, indent=1) + "\n"


def tiff_bytes(image: FloatArray, pixel_size_nm: float | None) -> bytes:
    """A 32-bit TIFF file of an image, float32 of shape (H, W), that ImageJ opens with its scale."""
    scale: dict[str, Any] = {}
    if pixel_size_nm:
        scale = {"resolution": (1 / pixel_size_nm, 1 / pixel_size_nm), "metadata": {"unit": "nm"}}
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, image, imagej=True, **scale)
    return buffer.getvalue()
