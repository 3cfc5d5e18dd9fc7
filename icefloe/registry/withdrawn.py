"""Which versions labels have trained that were withdrawn since, and where a training starts without them."""

from collections.abc import Collection, Iterable, Mapping

from icefloe.datasets.withdrawal import WithdrawnLabel
from icefloe.registry.lineage import Lineage
from icefloe.registry.registry import Registry


def trained_by(registry: Registry, labels: Collection[WithdrawnLabel]) -> dict[str, tuple[str, ...]]:
    """Versions that withdrawn labels have trained -> keys of those labels; other versions are left out.

    A version that a training started from hands on what it was trained on. A validation image stopped the
    training or set the threshold, so its label counts, too.

    Parameters
    ----------
    registry
        Registry of the study's versions.
    labels
        Labels that were withdrawn. A later label of the same image is another one.
    """
    if not labels:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for version in registry.list():  # oldest first, so a parent comes before those that started from it
        lineage = registry.show(version.name).lineage
        keys = (*_inherited(lineage, found), *_own(lineage, labels))
        if keys:
            found[version.name] = tuple(dict.fromkeys(keys))
    return found


def untouched_start(registry: Registry, version: str, touched: Collection[str]) -> str | None:
    """The newest version among one and its parents that no withdrawn label has trained; None: there is none.

    Parameters
    ----------
    registry
        Registry of the study's versions.
    version
        Name of the version that a training would start from.
    touched
        Names of the versions that withdrawn labels have trained.
    """
    start: str | None = version
    while start is not None and start in touched:
        start = registry.get(start).parent
    return start


def _own(lineage: Lineage, labels: Iterable[WithdrawnLabel]) -> list[str]:
    used = {(image.key, image.author or None, image.labelled_at or None) for image in lineage.images}
    return [label.key for label in labels if (label.key, label.author, label.labelled_at) in used]


def _inherited(lineage: Lineage, found: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return () if lineage.parent is None else found.get(lineage.parent.name, ())
