"""The versions that a worker holds: the champion, followed wherever it was promoted, and others asked for."""

import logging
import threading
import time
from collections.abc import Callable

import numpy as np

from icefloe.datasets.dataset import load_datasets
from icefloe.ensemble.segmenter import Segmenter
from icefloe.errors import IcefloeError
from icefloe.registry.loading import load_version
from icefloe.registry.registry import Registry
from icefloe.settings import Settings
from serving.worker.messages import Loaded
from serving.worker.snapshot import SnapshotWriter

logger = logging.getLogger(__name__)

FOLLOW_SECONDS = 10.0
"""MLflow's webhooks are experimental, so the registry is asked."""

MOST_OTHERS = 2
"""Versions beside the champion that are kept in memory."""


class Models:
    """Versions in memory.

    Parameters
    ----------
    settings
        Settings of the workspace; they name the registry.
    tell
        Told of every change of the champion, or that one failed to load.
    """

    def __init__(self, settings: Settings, tell: Callable[[Loaded], None]) -> None:
        self._settings, self._tell = settings, tell
        self._lock = threading.Lock()
        self._champion: tuple[str, Segmenter] | None = None
        self._others: dict[str, Segmenter] = {}
        self._told: Loaded | None = None

    @property
    def champion(self) -> str | None:
        """Name of the version that is loaded as champion.

        It is the registry's: the files of a version were written before it had one.
        """
        return None if self._champion is None else self._champion[0]

    def get(self, version: str) -> Segmenter:
        """A version by name, loaded if need be; what was given out stays as it is when the champion changes.

        Raises
        ------
        IcefloeError
            If there is no such version, or its files are missing or damaged.
        """
        with self._lock:
            if self._champion is not None and self._champion[0] == version:
                return self._champion[1]
            if version in self._others:
                return self._others[version]
        loaded = load_version(self._settings, version)
        with self._lock:
            self._others[version] = loaded
            while len(self._others) > MOST_OTHERS:
                del self._others[next(iter(self._others))]
        return loaded

    def follow(self) -> None:
        """Look which version is champion; load one that is new beside, try it, then switch.

        One that fails leaves the one before in service, and the reason is told.
        """
        current = self.champion
        try:
            champion = Registry(self._settings).champion()
            if champion is not None and champion.name != current:
                loaded = load_version(self._settings, champion.name)
                _try(self._settings, champion.name, loaded)
                with self._lock:
                    self._champion = champion.name, loaded
                current = champion.name
            self._say(Loaded(current, None))
        except Exception as error:
            logger.warning("The champion could not be loaded.", exc_info=True)
            why = str(error) if isinstance(error, IcefloeError) else f"{type(error).__name__}; see the log"
            self._say(Loaded(current, why))

    def _say(self, loaded: Loaded) -> None:
        if loaded != self._told:
            self._told = loaded
            self._tell(loaded)


def _try(settings: Settings, version: str, segmenter: Segmenter) -> None:
    """Segment one image of the workspace: files that load may still not work."""
    try:
        datasets = load_datasets(settings.data)
    except IcefloeError:
        return  # nothing to segment yet
    sample = next(iter(datasets.values())).samples[0]
    ((_, prediction),) = segmenter.predict([sample])
    if not np.isfinite(prediction.mean).all():
        raise IcefloeError(f"{version}: its probabilities are not numbers. Train it again.")


def follow(models: Models, snapshots: SnapshotWriter) -> None:
    """Follow the registry for good, and keep its snapshot up to date."""
    while True:
        try:
            snapshots.update()
        except Exception:
            logger.warning("The snapshot of the registry could not be written.", exc_info=True)
        models.follow()
        time.sleep(FOLLOW_SECONDS)
