"""Networks' logits, computed once, and the scores of any ensemble made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from icefloe.datasets.dataset import Sample
from icefloe.ensemble.engine import load_network
from icefloe.ensemble.samples import prepare
from icefloe.imaging.preprocess import Geometry, Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.scoring.baselines import BASELINES
from icefloe.scoring.calibration import CalibrationBins, fit_temperature, probabilities
from icefloe.scoring.diversity import ErrorCounts
from icefloe.scoring.metrics import confusion_matrix, scores_from_confusion
from icefloe.scoring.roc import roc_curve
from icefloe.scoring.tally import Tally, mask_scores
from icefloe.scoring.uncertainty import class_mask, image_uncertainty, mean_probability
from icefloe.training.device import pick_device
from icefloe.training.members import TrainedMember
from icefloe.training.validation import predict_logits
from icefloe.typing import IGNORE, FloatArray, MaskArray

BATCH_SIZE = 8


@dataclass(frozen=True, eq=False)
class Scenes:
    """Images on the networks' grid; scores are taken there, without the padding.

    Attributes
    ----------
    samples
        N of them.
    squares : float32, shape (N, S, S)
        Network inputs.
    geometries
        Where in its square each image lies.
    references : uint8, each of shape (h, w)
        Reference masks on the images' part of the square.
    """

    samples: tuple[Sample, ...]
    squares: FloatArray
    geometries: tuple[Geometry, ...]
    references: tuple[MaskArray, ...]

    @classmethod
    def of(cls, samples: Sequence[Sample], preprocessing: Preprocessing) -> "Scenes":
        """Read and preprocess images and their reference masks."""
        squares, geometries, references = [], [], []
        for sample, square, geometry in prepare(samples, preprocessing):
            squares.append(square)
            geometries.append(geometry)
            references.append(geometry.place_mask(sample.reference())[geometry.window])
        return cls(tuple(samples), np.stack(squares), tuple(geometries), tuple(references))

    def __len__(self) -> int:
        return len(self.samples)


@dataclass(frozen=True, eq=False)
class Seen:
    """Images, and what networks say of them.

    Attributes
    ----------
    scenes
        The images.
    logits : float32, shape (N, S, S), by network
    """

    scenes: Scenes
    logits: dict[str, FloatArray]

    @classmethod
    def by(cls, networks: Mapping[str, TrainedMember], *sets: Scenes) -> "list[Seen]":
        """Run two-class networks on sets of images; each is read once."""
        device = pick_device()
        logits: list[dict[str, FloatArray]] = [{} for _ in sets]
        for name, member in networks.items():
            spec = MemberSpec.model_validate(member.receipt.spec)
            network = load_network(spec, 2, member.weights).to(device)
            for found, scenes in zip(logits, sets, strict=True):
                said = predict_logits(network, scenes.squares, BATCH_SIZE, device, "fp32")
                found[name] = said[:, 0].numpy()
        return [cls(scenes, found) for scenes, found in zip(sets, logits, strict=True)]

    def __len__(self) -> int:
        return len(self.scenes)

    def of(self, networks: Sequence[str], image: int) -> FloatArray:
        """Some networks' logits of one image without its padding, shape (M, h, w)."""
        window = self.scenes.geometries[image].window
        return np.stack([self.logits[name][image][window] for name in networks])


@dataclass(frozen=True)
class Fitted:
    """What turns members' logits into a mask: one temperature for all, and a threshold of the mean."""

    temperature: float
    threshold: float

    @classmethod
    def on(cls, validation: Seen, networks: Sequence[str]) -> "Fitted":
        """Fitted as `icefloe.ensemble.fit.assemble` does: least log-likelihood, then the best Dice.

        Raises
        ------
        IcefloeError
            If the validation masks hold only one class.
        """
        pixels = np.concatenate(
            [validation.of(networks, image).reshape(len(networks), -1) for image in range(len(validation))],
            axis=1,
        )
        truth = np.concatenate([mask.ravel() for mask in validation.scenes.references])
        temperature = fit_temperature(pixels, truth)
        mean = mean_probability(probabilities(pixels, temperature))
        return cls(temperature, roc_curve(truth, mean).best_dice_threshold())


@dataclass(frozen=True, eq=False)
class Scores:
    """One ensemble on one test set.

    Attributes
    ----------
    pooled
        By the names of `ensemble.evaluate.DatasetScores`, and `ambiguity`, the mean square of the members'
        distance from their mean: what the ensemble's Brier score is below its members' mean one (Krogh and
        Vedelsby 1995). UQ is 0 and ambiguity too for a network alone.
    images
        The same names but for `ambiguity` -> one value an image, in the test set's order.
    calibration, accuracy
        Sums of the reliability curve and of the paper's accuracy by probability.
    """

    pooled: dict[str, float]
    images: dict[str, tuple[float, ...]]
    calibration: CalibrationBins
    accuracy: CalibrationBins

    @classmethod
    def of(cls, seen: Seen, networks: Sequence[str], fitted: Fitted) -> "Scores":
        """Score an ensemble of networks on all images."""
        tally = Tally()
        ambiguity = n_pixels = 0.0
        for image, truth in enumerate(seen.scenes.references):
            mean, std, mask = segment(seen.of(networks, image), fitted)
            tally.add(truth, mean, mask, image_uncertainty(std, mask))
            counted = truth != IGNORE
            ambiguity += float((std[counted].astype(np.float64) ** 2).sum())
            n_pixels += int(counted.sum())
        accuracy = tally.accuracy
        assert accuracy is not None  # there are two classes
        return cls(
            {**tally.pooled(), "ambiguity": ambiguity / n_pixels},
            {name: tuple(row[name] for row in tally.images) for name in tally.images[0]},
            tally.calibration,
            accuracy,
        )


def segment(member_logits: FloatArray, fitted: Fitted) -> tuple[FloatArray, FloatArray, MaskArray]:
    """Mean probability, standard deviation over members, and mask of one image.

    Parameters
    ----------
    member_logits : float32, shape (M, h, w)
        Of one member or more; the deviation of one is 0.
    """
    members = probabilities(member_logits, fitted.temperature)
    mean = mean_probability(members)
    std = members.std(axis=0, dtype=np.float64).astype(np.float32)
    return mean, std, class_mask(mean, fitted.threshold)


def baseline_scores(scenes: Scenes) -> dict[str, dict[str, float]]:
    """Trivial baseline -> pCA, IoU and Dice, all pixels pooled; made at native size, scored on the grid."""
    confusions = {name: np.zeros((2, 2), np.int64) for name in BASELINES}
    for sample, geometry, truth in zip(scenes.samples, scenes.geometries, scenes.references, strict=True):
        image = sample.image()
        for name, baseline in BASELINES.items():
            mask = geometry.place_mask(baseline(image))[geometry.window]
            confusions[name] += confusion_matrix(truth, mask)
    return {name: mask_scores(scores_from_confusion(confusion)) for name, confusion in confusions.items()}


def error_counts(seen: Seen) -> ErrorCounts:
    """Where each network alone errs, cut at probability 1/2; in the order of the logits."""
    counts = [
        ErrorCounts.of_masks(truth, (seen.of(list(seen.logits), image) >= 0).astype(np.uint8))
        for image, truth in enumerate(seen.scenes.references)
    ]
    return reduce(add, counts)
