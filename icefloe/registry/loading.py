"""Loading of versions."""

from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.segmenter import Segmenter
from icefloe.errors import IcefloeError
from icefloe.registry.registry import Registry
from icefloe.registry.store import StoreSettings


def load_version(settings: StoreSettings, version: str) -> Segmenter:
    """Load a version of any family, with what it was calibrated to promise since it was registered.

    Its files are gone afterwards, so it cannot be saved.

    Parameters
    ----------
    settings
        Name the store, the experiment and the study's registered model.
    version
        Name such as `EA-T2` or `ELIT-T2`, or an alias of the EA versions.

    Raises
    ------
    IcefloeError
        If there is no such version, or its files are missing or damaged.
    """
    return Registry(settings).load(version)


def load_ensemble(settings: StoreSettings, version: str) -> Ensemble:
    """As `load_version`, for tasks that need an ensemble of networks.

    Raises
    ------
    IcefloeError
        Also if the version is something else.
    """
    loaded = load_version(settings, version)
    if not isinstance(loaded, Ensemble):
        raise IcefloeError(f"{version}: it is not an ensemble of networks. Name a version EA-Tn.")
    return loaded
