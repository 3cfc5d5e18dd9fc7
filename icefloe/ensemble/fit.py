"""From trained members to an ensemble: temperature, threshold, benchmark uncertainty."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from icefloe.ensemble.bands import Bands, native_bands
from icefloe.ensemble.ensemble import Ensemble
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


def assemble(
    members: Sequence[tuple[MemberSpec, Path]],
    validation: Sequence[LabelledSample],
    held_out: Sequence[AnySample],
    *,
    name: str,
    preprocessing: Preprocessing,
    classes: Sequence[str],
    views: Views = 1,
    provenance: Provenance | None = None,
    device: str = "auto",
) -> Ensemble:
    """Make an ensemble of trained members.

    One temperature for all members' logits is fitted on the validation images, on the networks' grid; then
    the threshold is read off the ROC of the mean probability at native size (Dice at its greatest, on every
    pixel; `RocCurve.best_dice_threshold` says why not the paper's criterion); then the held-out images are
    predicted for the benchmark.

    Parameters
    ----------
    members
        Spec and weights file of each member that was kept, at least two.
    validation
        Labelled images that moved no weights, of both classes.
    held_out
        Images of the training datasets that neither moved weights nor stopped the training; labels are not
        read.
    name
        Name of the ensemble, such as `EA-T2`.
    preprocessing
        Steps from image to network input, as in the members' training.
    classes
        Class names by mask value.
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
        If there are fewer than two members, a file does not fit its member, there is no validation image, or
        the validation masks lack a class.
    """
    if not validation:
        raise IcefloeError(
            f"{name}: there is no validation image to set the threshold on. Label more images."
        )
    specs, weights = [spec for spec, _ in members], [path for _, path in members]
    draft = Manifest(
        name=name,
        members=tuple(
            Member(spec=spec, sha256=_hash(spec, path)) for spec, path in zip(specs, weights, strict=True)
        ),
        preprocessing=preprocessing,
        classes=tuple(classes),
        views=views,
        provenance=provenance or Provenance(),
    )
    ensemble = Ensemble(draft, weights, device)
    ensemble = ensemble.with_manifest(calibrate(ensemble, validation))
    return ensemble.with_benchmark(benchmark(ensemble, held_out))


def calibrate(ensemble: Ensemble, validation: Iterable[LabelledSample]) -> Manifest:
    """The ensemble's manifest with temperature and threshold fitted on labelled images.

    Logits are kept in memory up to `KEPT_BYTES`, else they are computed twice. Threshold and scores are those
    of all labelled pixels up to `SCORED_PIXELS`, else of as many spread over all images.

    Raises
    ------
    IcefloeError
        If the masks lack a class or are 255 (ignore) everywhere, or a mask does not fit its image.
    """
    images = _ValidationImages(ensemble, list(validation))
    temperature = fit_temperature(*images.on_grid(TEMPERATURE_PIXELS))
    reference, before, after = images.native((1.0, temperature), SCORED_PIXELS)
    binary = ensemble.manifest.n_classes == 2
    curve = roc_curve(reference, after) if binary else None
    return ensemble.manifest.model_copy(
        update={
            "temperature": temperature,
            "threshold": curve.best_dice_threshold() if curve else ensemble.manifest.threshold,
            "calibration": Calibration(
                n_images=len(images),
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
    """Labelled images and the members' logits of them, which are computed again where they are many."""

    def __init__(self, ensemble: Ensemble, samples: Sequence[LabelledSample]) -> None:
        self._ensemble, self._samples = ensemble, samples
        self._kept: list[tuple[LabelledSample, Bands, Geometry]] | None = None

    def __len__(self) -> int:
        return len(self._samples)

    def on_grid(self, n_pixels: int) -> tuple[FloatArray, MaskArray]:
        """Logits, (M, N) or (M, C, N), and classes, (N,), of about `n_pixels`, spread over all images."""
        step = max(1, sum(np.count_nonzero(self._placed(s) != IGNORE) for s in self._samples) // n_pixels)
        logits, classes = [], []
        for sample, bands, geometry in self._logits():
            mask = self._placed(sample).ravel()
            pixels = np.flatnonzero(mask != IGNORE)[::step]
            classes.append(mask[pixels])
            for first, band in bands:
                start, stop = (row * geometry.grid[1] for row in (first, first + band.shape[-2]))
                inside = pixels[np.searchsorted(pixels, start) : np.searchsorted(pixels, stop)]
                logits.append(band.reshape(*band.shape[:-2], -1)[..., inside - start])
        return np.concatenate(logits, axis=-1), np.concatenate(classes)

    def native(
        self, temperatures: tuple[float, float], n_pixels: int
    ) -> tuple[MaskArray, FloatArray, FloatArray]:
        """Classes, (N,), and the ensemble's probabilities, (N,) or (C, N), at two temperatures."""
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
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[tuple[LabelledSample, Bands, Geometry]] = []
        room = KEPT_BYTES

        def keeping(bands: Bands, here: list[tuple[int, FloatArray]]) -> Iterator[tuple[int, FloatArray]]:
            nonlocal room
            for first, band in bands:
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
            yield sample, keeping(bands, here), geometry
        if room >= 0:
            self._kept = kept


def _hash(spec: MemberSpec, weights: Path) -> str:
    if not weights.is_file():
        raise IcefloeError(f"{weights}: the weights of {spec.name} are missing. Train the members again.")
    return sha256_file(weights)
