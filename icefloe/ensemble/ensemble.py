"""An ensemble of trained members: load, save, predict."""

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from icefloe.ensemble.bands import Bands, NativeBand, SeenImage, Tiled, Whole, native_bands
from icefloe.ensemble.engine import Engine, Precision, load_network
from icefloe.ensemble.guarantees import Guarantees
from icefloe.ensemble.manifest import MANIFEST, Manifest, check_weights
from icefloe.ensemble.prediction import Prediction
from icefloe.ensemble.rows import ImageRow
from icefloe.ensemble.samples import AnySample, prepare
from icefloe.errors import IcefloeError
from icefloe.files import atomic_directory
from icefloe.imaging.geometry import Geometry
from icefloe.imaging.preprocess import Preprocessing
from icefloe.scoring.uncertainty import mean_probability
from icefloe.stopwatch import part
from icefloe.typing import FloatArray

BATCH_SIZE = 8

Item = TypeVar("Item")


class Ensemble:
    """An ensemble of networks: a `Segmenter`.

    Parameters
    ----------
    manifest
        Everything but the weights.
    weights
        The members' safetensors files, in the manifest's order.
    device
        A torch device, or `auto`: the GPU if there is one.
    precision
        `fp32`, or `bf16` on processors that compute in it.

    Raises
    ------
    IcefloeError
        If a weights file is missing, is not the one the manifest names, or does not fit its network.
    """

    def __init__(
        self,
        manifest: Manifest,
        weights: Sequence[Path],
        device: str = "auto",
        precision: Precision = "fp32",
    ) -> None:
        self.manifest = manifest
        self._weights = tuple(weights)
        for member, path in zip(manifest.members, self._weights, strict=True):
            check_weights(member, path)
        networks = [
            load_network(member.spec, manifest.n_classes, path)
            for member, path in zip(manifest.members, self._weights, strict=True)
        ]
        self._engine = Engine(networks, device, precision)

    @classmethod
    def load(cls, directory: Path, device: str = "auto", precision: Precision = "fp32") -> "Ensemble":
        """Read a saved ensemble, checking every hash.

        Parameters and errors are those of the class and of `Manifest.load`.
        """
        manifest = Manifest.load(directory)
        return cls(manifest, [directory / member.file for member in manifest.members], device, precision)

    def save(self, directory: Path) -> None:
        """Write `ensemble.yaml` and copies of the weights, whole or not at all.

        Raises
        ------
        IcefloeError
            If `directory` holds something already, or the weights have changed since they were loaded.
        """
        try:
            with atomic_directory(directory) as beside:
                for member, source in zip(self.manifest.members, self._weights, strict=True):
                    shutil.copyfile(source, beside / member.file)
                    check_weights(member, beside / member.file)
                (beside / MANIFEST).write_text(self.manifest.to_yaml(), encoding="utf-8")
        except FileExistsError as error:
            raise IcefloeError(
                f"{directory}: the folder exists already. Name a new folder for the ensemble."
            ) from error

    @property
    def name(self) -> str:
        """Name of the ensemble, such as EA-T2."""
        return self.manifest.name

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by mask value, background first."""
        return self.manifest.classes

    @property
    def threshold(self) -> float:
        """Binary: a pixel is class 1 where the mean probability is at least this."""
        return self.manifest.threshold

    @property
    def temperature(self) -> float:
        """The number that every member's logits are divided by."""
        return self.manifest.temperature

    @property
    def preprocessing(self) -> Preprocessing:
        """From image to network input."""
        return self.manifest.preprocessing

    @property
    def guarantees(self) -> Guarantees | None:
        """Guarantees it was calibrated to; None if there are none."""
        return self.manifest.guarantees

    def with_manifest(self, manifest: Manifest) -> "Ensemble":
        """The same networks with another threshold, temperature, benchmark or name."""
        if (manifest.members, manifest.classes) != (self.manifest.members, self.manifest.classes):
            raise ValueError("the members or classes differ, so the networks cannot be shared")
        other = object.__new__(Ensemble)
        other.manifest, other._weights, other._engine = manifest, self._weights, self._engine
        return other

    def with_benchmark(self, rows: Iterable[ImageRow]) -> "Ensemble":
        """The same ensemble with other benchmark rows, such as those with the drift gate's columns added."""
        return self.with_manifest(self.manifest.model_copy(update={"benchmark": tuple(rows)}))

    def predict_image(
        self,
        image: FloatArray,
        done: Collection[str] = (),
        pixel_size_nm: float | None = None,
        *,
        keep_members: bool = False,
    ) -> Prediction:
        """Segment one image.

        Parameters
        ----------
        image : float32, shape (H, W)
            Intensities in any linear unit.
        done
            Preprocessing that was done to it already (`DatasetInfo.preprocessing`).
        pixel_size_nm
            Its pixel edge in nm, where the networks need it.
        keep_members
            Keep each member's probability map too.

        Returns
        -------
        Prediction
            Prediction on the image's own grid.

        Raises
        ------
        IcefloeError
            If the image cannot be preprocessed; see `Preprocessing.apply`.
        """
        (prediction,) = self.predict_images([image], done, pixel_size_nm, keep_members=keep_members)
        return prediction

    def predict_images(
        self,
        images: Iterable[FloatArray],
        done: Collection[str] = (),
        pixel_size_nm: float | None = None,
        *,
        batch_size: int = BATCH_SIZE,
        keep_members: bool = False,
    ) -> Iterator[Prediction]:
        """Segment images of any sizes, several at a time on the networks' common grid.

        Lazy: `batch_size` images are read, predicted and given out before the next are read.
        Parameters and errors as in `predict_image`.
        """
        prepared = ((None, *self.preprocessing.apply(image, done, pixel_size_nm)) for image in images)
        for _, prediction in self._predict(prepared, batch_size, keep_members, uncalibrated=False):
            yield prediction

    def predict(
        self,
        samples: Iterable[AnySample],
        *,
        batch_size: int = BATCH_SIZE,
        keep_members: bool = False,
        uncalibrated: bool = False,
        judges: Callable[[AnySample], Sequence[int]] | None = None,
    ) -> Iterator[tuple[AnySample, Prediction]]:
        """Segment samples; see `Segmenter.predict`.

        `batch_size` images run through a network at once. `judges` gives the positions of the members that
        predict a sample, at least one; None: all do. See `icefloe.ensemble.judges`.
        """
        return self._predict(
            prepare(samples, self.preprocessing),
            batch_size,
            keep_members,
            uncalibrated=uncalibrated,
            judges=judges,
        )

    def logits_of_samples(
        self,
        samples: Iterable[AnySample],
        *,
        batch_size: int = BATCH_SIZE,
    ) -> Iterator[tuple[AnySample, Bands, Geometry]]:
        """Members' logits on the networks' grid, before any temperature; parameters as in `predict`.

        Yields
        ------
        sample, bands, geometry
            Bands of rows from the top down, one with all rows where whole images are seen.
        """
        yield from self._run(prepare(samples, self.preprocessing), batch_size)

    def _run(
        self, prepared: Iterable[tuple[Item, FloatArray, Geometry]], batch_size: int
    ) -> Iterator[tuple[Item, SeenImage, Geometry]]:
        """Every item with its logits and features, and its geometry."""
        if self.preprocessing.view == "tiles":
            for item, image, geometry in prepared:
                yield item, Tiled(self._engine, image, self.manifest.views), geometry
            return
        remaining = iter(prepared)
        while batch := list(islice(remaining, batch_size)):
            logits, features = self._engine.run(
                np.stack([square for _, square, _ in batch]), self.manifest.views
            )
            for position, (item, _, geometry) in enumerate(batch):
                yield item, Whole(logits[:, position], features[position]), geometry

    def _predict(
        self,
        prepared: Iterable[tuple[Item, FloatArray, Geometry]],
        batch_size: int,
        keep_members: bool,
        *,
        uncalibrated: bool,
        judges: Callable[[Item], Sequence[int]] | None = None,
    ) -> Iterator[tuple[Item, Prediction]]:
        n_members = len(self.manifest.members)

        def predicted(band: NativeBand, features: FloatArray) -> Prediction:
            members = band.members(self.manifest.temperature)
            statistics = Prediction.from_members if len(members) > 1 else Prediction.from_one
            prediction = statistics(members, self.threshold, features)
            prediction = replace(prediction, n_left_out=n_members - len(members))
            if uncalibrated:
                prediction = replace(prediction, uncalibrated=mean_probability(band.members(1.0)))
            return prediction if keep_members else prediction.without_members()

        for item, seen, geometry in self._run(prepared, batch_size):
            chosen = slice(None) if judges is None else list(judges(item))
            bands = native_bands(((first, logits[chosen]) for first, logits in seen), geometry)
            parts = ((band.rows, predicted(band, seen.features)) for band in bands)
            with part("statistics"):
                prediction = Prediction.from_bands(parts, geometry.native[0])
            yield item, replace(prediction, features=seen.features)
