"""From trained members to an ensemble: temperature, threshold, benchmark uncertainty."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

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
from icefloe.scoring.calibration import calibration_bins, fit_temperature, probabilities
from icefloe.scoring.metrics import brier_score
from icefloe.scoring.roc import roc_curve
from icefloe.scoring.uncertainty import mean_probability
from icefloe.typing import IGNORE, FloatArray, MaskArray, Views

TEMPERATURE_PIXELS = 500_000
"""The temperature is fitted on about so many pixels: one number needs no more."""


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
    the threshold is read off the ROC of the mean probability at native size (Dice at its greatest, on every
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

    Keeps the members' logits of all images in memory: 4 bytes x members x size squared each.

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
    images = [
        _ValidationImage(logits[list(unseen_by.judges(sample))], geometry, sample.mask())
        for sample, logits, geometry in ensemble.logits_of_samples(judged)
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
    """A validation image: its members' logits on the networks' grid, and the native mask."""

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
    # Each image has its own members: repeated to one number, they have the same mean.
    n_rows = np.lcm.reduce([len(image.logits) for image in images])
    logits = [
        np.repeat(
            image.logits.reshape(*image.logits.shape[:-2], -1)[..., pixels],
            n_rows // len(image.logits),
            axis=0,
        )
        for image, pixels in zip(images, chosen, strict=True)
    ]
    reference = [mask[pixels] for mask, pixels in zip(classes, chosen, strict=True)]
    return np.concatenate(logits, axis=-1), np.concatenate(reference)
