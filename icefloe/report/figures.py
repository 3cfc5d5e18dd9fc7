"""Pictures of segmentations, and figures as bytes to embed in a page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from icefloe.typing import FloatArray, MaskArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REFERENCE, PREDICTED = "#ffb000", "#1fd0ff"  # distinguishable with any colour vision, and on grey
ABSTAINED = "#ff4fa3"


@dataclass(frozen=True)
class SegmentedImage:
    """One image with its mask, uncertainty and reference.

    Attributes
    ----------
    title
        Printed above the picture.
    image : float32, shape (H, W)
        Grey values of the image.
    mask : uint8, shape (H, W)
        Predicted class index of each pixel.
    uncertainty : float32, shape (H, W)
        Standard deviation over members, 0 to 0.5.
    reference : uint8, shape (H, W), optional
        Label or truth, class index of each pixel; 255 is ignored.
    abstained : bool, shape (H, W), optional
        True at pixels where the ensemble abstains.
    """

    title: str
    image: FloatArray
    mask: MaskArray
    uncertainty: FloatArray
    reference: MaskArray | None = None
    abstained: NDArray[np.bool_] | None = None


def gallery(items: Sequence[SegmentedImage], columns: int = 4) -> Figure:
    """Each image with predicted (blue) and reference (amber) outlines, its uncertainty map below."""
    from matplotlib.figure import Figure

    columns = max(1, min(columns, len(items)))
    blocks = -(-len(items) // columns)
    figure = Figure(figsize=(2.6 * columns + 1, 5.5 * blocks), layout="constrained")
    axes = figure.subplots(2 * blocks, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    mappable = None
    for position, item in enumerate(items):
        block, column = divmod(position, columns)
        draw_outlines(axes[2 * block, column], item)
        mappable = axes[2 * block + 1, column].imshow(item.uncertainty, cmap="magma", vmin=0, vmax=0.5)
    if mappable is not None:
        figure.colorbar(mappable, ax=axes, shrink=0.4, label="UQ (std over members)")
    return figure


def split_figure(item: SegmentedImage, aleatoric: FloatArray, epistemic: FloatArray) -> Figure:
    """One image with its outline; members' disagreement; and the two parts of the entropy, on one scale.

    Parameters
    ----------
    item
        Image with its mask and uncertainty.
    aleatoric, epistemic : float32, shape (H, W)
        Aleatoric and epistemic uncertainty, in nats.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 3.6), layout="constrained")
    outlines, *axes = figure.subplots(1, 4)
    draw_outlines(outlines, item)
    highest = max(np.log(2), float(aleatoric.max()), float(epistemic.max()))
    for axis, values, title, top in (
        (axes[0], item.uncertainty, "UQ (std over members)", 0.5),
        (axes[1], aleatoric, "aleatoric (nats)", highest),
        (axes[2], epistemic, "epistemic (nats)", highest),
    ):
        mappable = axis.imshow(values, cmap="magma", vmin=0, vmax=top)
        axis.set_title(title, fontsize=8)
        axis.set_axis_off()
        figure.colorbar(mappable, ax=axis, shrink=0.7)
    return figure


def draw_outlines(axis: Axes, item: SegmentedImage) -> None:
    """The image in grey, with the outlines of the prediction and, where there is one, of the reference.

    What is abstained from is hatched.
    """
    low, high = np.percentile(item.image, (1, 99))
    axis.imshow(item.image, cmap="gray", vmin=low, vmax=max(high, low + 1e-6))
    if item.reference is not None:
        _outline(axis, item.reference, REFERENCE)
    _outline(axis, item.mask, PREDICTED)
    if item.abstained is not None and item.abstained.any():
        _hatch(axis, item.abstained)
    axis.set_title(item.title, fontsize=8)
    axis.set_axis_off()


def _outline(axis: Axes, mask: MaskArray, colour: str) -> None:
    foreground = (mask > 0) & (mask < 255)
    if foreground.any() and not foreground.all():
        axis.contour(foreground.astype(np.float32), levels=[0.5], colors=[colour], linewidths=1.2)


def _hatch(axis: Axes, where: NDArray[np.bool_]) -> None:
    hatched = axis.contourf(where.astype(np.float32), levels=[0.5, 1.5], colors="none", hatches=["////"])
    hatched.set(edgecolor=ABSTAINED, linewidth=0)


def png(figure: Figure, dpi: int = 90) -> bytes:
    """The figure as a PNG file's bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def data_uri(picture: bytes) -> str:
    """A PNG file as a data URI, to embed it in a page."""
    return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")


def html_page(title: str, *figures: Figure, text: str = "") -> str:
    """A small self-contained page of figures, as KFP shows for a step."""
    from markupsafe import escape

    pictures = "".join(f'<img style="max-width:100%" src="{data_uri(png(figure))}">' for figure in figures)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
        f'<body style="font:15px system-ui,sans-serif;margin:1.5em"><h2>{escape(title)}</h2>'
        f"<p>{escape(text)}</p>{pictures}</body></html>"
    )
