"""A version ready to segment."""

import tempfile
from pathlib import Path

from icefloe.ensemble.ensemble import Ensemble
from icefloe.registry.guarantees import read_guarantees
from icefloe.registry.registry import Registry
from icefloe.registry.store import StoreSettings


def load_version(settings: StoreSettings, version: str) -> Ensemble:
    """Load a version (name or alias) with what it was calibrated to promise since it was registered.

    Its files are gone afterwards, so it can't be saved. Errors are those of `Registry.download` and
    `Ensemble.load`.
    """
    with tempfile.TemporaryDirectory() as scratch:
        ensemble = Ensemble.load(Registry(settings).download(version, Path(scratch) / "ensemble"))
    promised = {"guarantees": read_guarantees(settings, version) or ensemble.manifest.guarantees}
    return ensemble.with_manifest(ensemble.manifest.model_copy(update=promised))
