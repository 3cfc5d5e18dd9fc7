"""Label Studio's labelling interface: written for a list of classes, and the brush in one that exists."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from icefloe.datasets.annotations.drawing import IGNORE_NAME
from icefloe.errors import IcefloeError

COLOURS = ("#00a7e1", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#edc948")
MAX_CONFIG_LENGTH = 2**20


@dataclass(frozen=True)
class Brush:
    """The brush of a labelling interface: its name, that of the image it paints on, and what it paints."""

    name: str
    to_name: str
    labels: tuple[str, ...]


BRUSH, POLYGON, IMAGE = "brush", "polygon", "image"
"""Names of the tags in the interface that `label_config` writes."""


def label_config(classes: Sequence[str], with_reason: bool = True) -> str:
    """The labelling interface for classes: a brush and polygons, both also for `ignore`.

    Parameters
    ----------
    classes
        Class names by mask value.
    with_reason
        Whether it shows why the image was chosen. Label Studio takes images as uploads only where its
        interface shows nothing but the image.
    """
    names = [*classes, IGNORE_NAME]
    labels = "\n".join(
        f"    <Label value={quoteattr(name)} background={quoteattr(COLOURS[number % len(COLOURS)])}/>"
        for number, name in enumerate(names)
    )
    reason = '  <Text name="why" value="$reason"/>\n' if with_reason else ""
    return (
        f'<View>\n  <Image name="{IMAGE}" value="$image" zoom="true" zoomControl="true"/>\n{reason}'
        f'  <BrushLabels name="{BRUSH}" toName="{IMAGE}">\n{labels}\n  </BrushLabels>\n'
        f'  <PolygonLabels name="{POLYGON}" toName="{IMAGE}">\n{labels}\n  </PolygonLabels>\n</View>\n'
    )


def find_brush(config: str, what: str) -> Brush | None:
    """The first brush in a labelling interface from outside; None if it has none.

    Parameters
    ----------
    config
        The interface as XML.
    what
        What a message names.

    Raises
    ------
    IcefloeError
        If it is not the XML of a labelling interface.
    """
    # Entities could grow without end, and no interface needs any.
    if len(config) > MAX_CONFIG_LENGTH or "<!" in config.replace("<!--", ""):
        raise IcefloeError(f"{what}: its labelling interface is huge or has a document type. Simplify it.")
    try:
        root = ElementTree.fromstring(config)
    except (ElementTree.ParseError, ValueError) as error:
        raise IcefloeError(f"{what}: its labelling interface is not XML ({error}). Correct it.") from error
    for tag in root.iter("BrushLabels"):
        labels = tuple(label.get("value", "") for label in tag.iter("Label"))
        return Brush(tag.get("name", ""), tag.get("toName", ""), labels)
    return None
