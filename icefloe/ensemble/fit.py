"""From trained members to an ensemble: temperature, threshold, benchmark uncertainty."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from icefloe.ensemble.bands import Bands, native_bands
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.judges import UnseenBy
from icefloe.ensemble.manifest import Calibration, Manifest, Member, Provenance
from icefloe.ensemble.rows import ImageRow
from icefloe.ensemble.samples import AnySample, LabelledSample
from icefloe.errors import IcefloeError
from icefloe.files import sha256_file
from icefloe.imaging.geometry import Geometry
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.scoring.calibration import calibration_bins, fit_temperature
from icefloe.scoring.metrics import brier_score
from icefloe.scoring.roc import roc_curve
from icefloe.scoring.uncertainty import mean_probability
from icefloe.typing import IGNORE, FloatArray, MaskArray, Views

TEMPERATURE_PIXELS = 500_000
"""The temperature is fitted on about so many pixels: one number needs no more."""

SCORED_PIXELS = 50_000_000
"""The ROC is one of all labelled pixels up to so many; it needs about 50 bytes for each."""

KEPT_BYTES = 2**30
"""Logits of the validation images are kept up to this size between the two uses they have."""


@dataclass(frozen=True)
class TrainedNetwork:
    """A network that becomes a member: its weights file, and what it was trained on (see `Member`)."""

    spec: MemberSpec
    weights: Path
    fold: int | None = None
    trained_on: tuple[str, ...] | None = None

    def member(self) -> Member:
        """Its entry in the manifest; refused where the weights are missing."""
        if not self.weights.is_file():
            raise IcefloeError(
                f"{self.weights}: the weights of {self.spec.name} are missing. Train the members again."
            )
        digest = sha256_file(self.weights)
        return Member(spec=self.spec, sha256=digest, fold=self.fold, trained_on=self.trained_on)


def assemble(
    members: Sequence[TrainedNetwork],
    validation: Sequence[LabelledSample],
    held_out: Sequence[AnySample],
    *,
    name: str,
    preprocessing: Preprocessing,
    classes: Sequence[str],
    fold_of: Mapping[str, int] | None = None,
    views: Views = 1,
    provenance: Provenance | None = None,
    device: str = "auto",
) -> Ensemble:
    """Make an ensemble of trained members.

    One temperature for all members' logits is fitted on the validation images, on the networks' grid; then
    the threshold is read off the ROC of the mean probability at native size (Dice near its greatest, on every
    pixel; `RocCurve.best_dice_threshold` says why not the paper's criterion); then the held-out images are
    predicted for the benchmark.

    Parameters
    ----------
    members
        The members that were kept, at least two.
    validation
        Labelled images, of both classes, each of them new to a member at least; with each, only the members
        that were not trained on it count.
    held_out
        Images of the training datasets that neither moved weights nor stopped the training; labels are not
        read.
    name
        Name of the ensemble, such as `EA-T2`.
    preprocessing
        Steps from image to network input, as in the members' training.
    classes
        Class names by mask value.
    fold_of
        Key of a validation image -> number of the fold that it is in; None: there are no folds.
    views
        Number of flips and transpositions of each image over which members' logits are averaged.
    provenance
        Data version, code and parent version.
    device
        A torch device, or `auto`: the GPU if there is one.

    Returns
    -------
    Ensemble
        Not saved yet; until it is saved, it reads the members' files.

    Raises
    ------
    IcefloeError
        If there are fewer than two members, a file does not fit its member, there is no validation image or
        none that is new to a member, or the validation masks lack a class.
    """
    if not validation:
        raise IcefloeError(
            f"{name}: there is no validation image to set the threshold on. Label more images."
        )
    draft = Manifest(
        name=name,
        members=tuple(network.member() for network in members),
        preprocessing=preprocessing,
        classes=tuple(classes),
        views=views,
        provenance=provenance or Provenance(),
    )
    ensemble = Ensemble(draft, [network.weights for network in members], device)
    ensemble = ensemble.with_manifest(calibrate(ensemble, validation, fold_of))
    return ensemble.with_benchmark(benchmark(ensemble, held_out))


def calibrate(
    ensemble: Ensemble, validation: Iterable[LabelledSample], fold_of: Mapping[str, int] | None = None
) -> Manifest:
    """The ensemble's manifest with temperature and threshold fitted on labelled images.

    With each image, only the members that were not trained on it count. Where that is fewer than all, the
    mean of all members is less sure than the temperature's fit supposes.

    Logits are kept in memory up to `KEPT_BYTES`, else they are computed twice. Threshold and scores are those
    of all labelled pixels up to `SCORED_PIXELS`, else of as many spread over all images.

    Raises
    ------
    IcefloeError
        If every member was trained on every image, the masks lack a class or are 255 (ignore) everywhere, or
        a mask does not fit its image.
    """
    unseen_by = UnseenBy(ensemble, fold_of or {})
    judged = [sample for sample in validation if unseen_by.judges(sample)]
    if not judged:
        raise IcefloeError(
            f"{ensemble.name}: its members were trained on every validation image, so none can set the "
            "threshold. Label more images, or train from scratch."
        )
    images = _ValidationImages(ensemble, judged, unseen_by)
    temperature = fit_temperature(*images.on_grid(TEMPERATURE_PIXELS))
    reference, before, after = images.native((1.0, temperature), SCORED_PIXELS)
    binary = ensemble.manifest.n_classes == 2
    curve = roc_curve(reference, after) if binary else None
    return ensemble.manifest.model_copy(
        update={
            "temperature": temperature,
            "threshold": curve.best_dice_threshold() if curve else ensemble.manifest.threshold,
            "calibration": Calibration(
                n_images=len(judged),
                n_pixels=len(reference),
                ece_before=calibration_bins(reference, before).expected_calibration_error,
                ece_after=calibration_bins(reference, after).expected_calibration_error,
                brier_before=brier_score(reference, before),
                brier_after=brier_score(reference, after),
                roc_area=curve.area if curve else None,
            ),
        }
    )


def benchmark(ensemble: Ensemble, held_out: Iterable[AnySample]) -> list[ImageRow]:
    """One row per image, with the scores of `prediction.SCORES`."""
    return [ImageRow.of(sample, prediction) for sample, prediction in ensemble.predict(held_out)]


class _ValidationImages:
    """Labelled images and their judges' logits of them, which are computed again where they are many."""

    def __init__(self, ensemble: Ensemble, samples: Sequence[LabelledSample], unseen_by: UnseenBy) -> None:
        self._ensemble, self._samples, self._unseen_by = ensemble, samples, unseen_by
        self._kept: list[tuple[LabelledSample, Bands, Geometry]] | None = None

    def on_grid(self, n_pixels: int) -> tuple[FloatArray, MaskArray]:
        """Logits, (M, N) or (M, C, N), and classes, (N,), of about `n_pixels`, spread over all images."""
        step = max(1, sum(np.count_nonzero(self._placed(s) != IGNORE) for s in self._samples) // n_pixels)
        # Each image has its own members: repeated to one number, they have the same mean.
        n_rows = np.lcm.reduce([len(self._unseen_by.judges(sample)) for sample in self._samples])
        logits, classes = [], []
        for sample, bands, geometry in self._logits():
            mask = self._placed(sample).ravel()
            pixels = np.flatnonzero(mask != IGNORE)[::step]
            classes.append(mask[pixels])
            for first, band in bands:
                start, stop = (row * geometry.grid[1] for row in (first, first + band.shape[-2]))
                inside = pixels[np.searchsorted(pixels, start) : np.searchsorted(pixels, stop)]
                flat = band.reshape(*band.shape[:-2], -1)[..., inside - start]
                logits.append(np.repeat(flat, n_rows // len(band), axis=0))
        return np.concatenate(logits, axis=-1), np.concatenate(classes)

    def native(
        self, temperatures: tuple[float, float], n_pixels: int
    ) -> tuple[MaskArray, FloatArray, FloatArray]:
        """Classes, (N,), and mean probabilities, (N,) or (C, N), at two temperatures, of up to `n_pixels`."""
        step = -(-sum(np.count_nonzero(s.mask() != IGNORE) for s in self._samples) // n_pixels)
        classes: list[MaskArray] = []
        means: tuple[list[FloatArray], list[FloatArray]] = ([], [])
        for sample, bands, geometry in self._logits():
            mask = sample.mask()
            for band in native_bands(bands, geometry):
                rows = mask[band.rows]
                pixels = np.flatnonzero(rows != IGNORE)[::step]
                classes.append(rows.ravel()[pixels])
                for found, temperature in zip(means, temperatures, strict=True):
                    mean = mean_probability(band.members(temperature))
                    found.append(mean.reshape(*mean.shape[:-2], -1)[..., pixels])
        before, after = (np.concatenate(found, axis=-1) for found in means)
        return np.concatenate(classes), before, after

    def _placed(self, sample: LabelledSample) -> MaskArray:
        mask = sample.mask()
        shape = (mask.shape[0], mask.shape[1])
        return self._ensemble.preprocessing.geometry(shape, sample.pixel_size_nm).place_mask(mask)

    def _logits(self) -> Iterator[tuple[LabelledSample, Bands, Geometry]]:
        """Each image with its judges' logits, to be read to the end before the next is asked for."""
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[tuple[LabelledSample, Bands, Geometry]] = []
        room = KEPT_BYTES

        def judged(
            bands: Bands, judges: Sequence[int], here: list[tuple[int, FloatArray]]
        ) -> Iterator[tuple[int, FloatArray]]:
            nonlocal room
            for first, every in bands:
                band = every[list(judges)]
                room -= band.nbytes
                if room < 0:
                    kept.clear()
                    here.clear()
                else:
                    here.append((first, band))
                yield first, band

        for sample, bands, geometry in self._ensemble.logits_of_samples(self._samples):
            here: list[tuple[int, FloatArray]] = []
            kept.append((sample, here, geometry))
            yield sample, judged(bands, self._unseen_by.judges(sample), here), geometry
        if room >= 0:
            self._kept = kept
