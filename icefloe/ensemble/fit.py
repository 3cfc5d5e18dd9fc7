"""From trained members to an ensemble: temperature, threshold, benchmark uncertainty."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.manifest import Calibration, Manifest, Member, Provenance
from icefloe.ensemble.rows import ImageRow
from icefloe.ensemble.samples import AnySample, LabelledSample
from icefloe.errors import IcefloeError
from icefloe.files import sha256_file
from icefloe.imaging.geometry import Geometry
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.scoring.calibration import calibration_bins, fit_temperature, probabilities
from icefloe.scoring.metrics import brier_score
from icefloe.scoring.roc import roc_curve
from icefloe.scoring.uncertainty import mean_probability
from icefloe.typing import IGNORE, FloatArray, MaskArray, Views

TEMPERATURE_PIXELS = 500_000
"""The temperature is fitted on about so many pixels: one number needs no more."""


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

    Keeps the members' logits of all images in memory: 4 bytes x members x size squared each.

    Raises
    ------
    IcefloeError
        If the masks lack a class or are 255 (ignore) everywhere, or a mask does not fit its image.
    """
    images = [
        _ValidationImage(logits, geometry, sample.mask())
        for sample, logits, geometry in ensemble.logits_of_samples(validation)
    ]
    temperature = fit_temperature(*_pixels_on_grid(images, TEMPERATURE_PIXELS))
    reference = np.concatenate([image.mask[image.counted] for image in images])
    before, after = (
        np.concatenate([image.mean(t)[..., image.counted] for image in images], axis=-1)
        for t in (1.0, temperature)
    )
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


@dataclass(frozen=True)
class _ValidationImage:
    """A validation image: members' logits on the networks' grid, and the native mask."""

    logits: FloatArray
    geometry: Geometry
    mask: MaskArray

    @property
    def counted(self) -> np.ndarray:
        """Pixels with a label, bool, shape (H, W)."""
        return self.mask != IGNORE

    def mean(self, temperature: float) -> FloatArray:
        """The ensemble's probability at a temperature, shape (H, W) or (C, H, W)."""
        return mean_probability(self.geometry.restore(probabilities(self.logits, temperature)))


def _pixels_on_grid(images: Sequence[_ValidationImage], n_pixels: int) -> tuple[FloatArray, MaskArray]:
    """Logits, (M, N) or (M, C, N), and classes, (N,), of `n_pixels` or a few more, spread over all images."""
    classes = [image.geometry.place_mask(image.mask).ravel() for image in images]
    labelled = [np.flatnonzero(reference != IGNORE) for reference in classes]
    step = max(1, sum(map(len, labelled)) // n_pixels)
    chosen = [pixels[::step] for pixels in labelled]
    logits = [
        image.logits.reshape(*image.logits.shape[:-2], -1)[..., pixels]
        for image, pixels in zip(images, chosen, strict=True)
    ]
    reference = [mask[pixels] for mask, pixels in zip(classes, chosen, strict=True)]
    return np.concatenate(logits, axis=-1), np.concatenate(reference)


def _hash(spec: MemberSpec, weights: Path) -> str:
    if not weights.is_file():
        raise IcefloeError(f"{weights}: the weights of {spec.name} are missing. Train the members again.")
    return sha256_file(weights)
