"""Networks' logits, computed once, and the scores of all ensembles made of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from icefloe.datasets.dataset import Sample
from icefloe.ensemble.engine import load_network
from icefloe.ensemble.samples import prepare
from icefloe.errors import IcefloeError
from icefloe.imaging.geometry import Geometry
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.scoring.baselines import BASELINES
from icefloe.scoring.calibration import CalibrationBins, fit_temperature, probabilities
from icefloe.scoring.diversity import ErrorCounts
from icefloe.scoring.metrics import PixelScores
from icefloe.scoring.roc import roc_curve
from icefloe.scoring.tally import Tally
from icefloe.scoring.uncertainty import class_mask, image_uncertainty, mean_probability
from icefloe.statistics.repetitions import pseudo_values
from icefloe.training.device import pick_device
from icefloe.training.members import TrainedMember
from icefloe.training.validation import predict_logits
from icefloe.typing import IGNORE, FloatArray, MaskArray, Views
from studies.ea_vs_er.design import Family, Seeds
from studies.kit.data import pooled_scores

BATCH_SIZE = 8
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GridImages:
    """Images on the networks' grid; scores are taken there, without the padding.

    Attributes
    ----------
    samples
        N images with a reference mask.
    squares : float32, shape (N, S, S)
        Preprocessed images, padded to a square: network inputs.
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
    def of(cls, samples: Sequence[Sample], preprocessing: Preprocessing) -> "GridImages":
        """Read and preprocess whole images and their reference masks; tiles are refused."""
        if preprocessing.view != "whole":
            raise IcefloeError("This study is of whole images. Choose a preset with view: whole.")
        _, squares, geometries = zip(*prepare(samples, preprocessing), strict=True)
        masks = [
            geometry.place_mask(sample.reference())[geometry.window]
            for sample, geometry in zip(samples, geometries, strict=True)
        ]
        return cls(tuple(samples), np.stack(squares), geometries, tuple(masks))

    def baseline_scores(self) -> dict[str, PixelScores]:
        """Of what takes no learning: masks are made at native size and scored on the grid."""
        images = [(s.image(), g) for s, g in zip(self.samples, self.geometries, strict=True)]
        return {
            name: pooled_scores(
                self.references, (g.place_mask(segment(image))[g.window] for image, g in images)
            )
            for name, segment in BASELINES.items()
        }


@dataclass(frozen=True, eq=False)
class GridPredictions:
    """Images, and what networks predict there.

    Attributes
    ----------
    images
        N images on the networks' grid.
    logits : float32, each of shape (N, S, S)
        Network -> its logits of the foreground.
    """

    images: GridImages
    logits: Mapping[str, FloatArray]

    def members(self, networks: Sequence[str], index: int) -> FloatArray:
        """Some networks' logits of one image without its padding, shape (M, h, w)."""
        window = self.images.geometries[index].window
        return np.stack([self.logits[name][index][window] for name in networks])

    def error_counts(self) -> ErrorCounts:
        """Where each network alone errs, cut at probability 1/2; in the order of the logits."""
        counts = [
            ErrorCounts.of_masks(truth, (self.members(list(self.logits), index) >= 0).astype(np.uint8))
            for index, truth in enumerate(self.images.references)
        ]
        return reduce(add, counts)


def predict(
    networks: Mapping[str, TrainedMember], *sets: GridImages, views: Views = 1
) -> list[GridPredictions]:
    """Run two-class networks on sets of images, `views` of each; each network is read once."""
    device = pick_device()
    logits: list[dict[str, FloatArray]] = [{} for _ in sets]
    for name, member in networks.items():
        spec = MemberSpec.model_validate(member.receipt.spec)
        network = load_network(spec, 2, member.weights).to(device)
        for found, images in zip(logits, sets, strict=True):
            maps = predict_logits(network, images.squares, BATCH_SIZE, device, "fp32", views)
            found[name] = maps[:, 0].numpy()
    return [GridPredictions(images, found) for images, found in zip(sets, logits, strict=True)]


@dataclass(frozen=True)
class Fitted:
    """What turns members' logits into a mask: one temperature for all, and a threshold of the mean."""

    temperature: float
    threshold: float

    @classmethod
    def on(cls, validation: GridPredictions, networks: Sequence[str]) -> "Fitted":
        """Fitted as `icefloe.ensemble.fit.assemble` does: least log-likelihood, then the best Dice.

        Raises
        ------
        IcefloeError
            If the validation masks hold only one class.
        """
        masks = validation.images.references
        images = [validation.members(networks, i).reshape(len(networks), -1) for i in range(len(masks))]
        pixels, truth = np.concatenate(images, axis=1), np.concatenate([mask.ravel() for mask in masks])
        temperature = fit_temperature(pixels, truth)
        mean = mean_probability(probabilities(pixels, temperature))
        return cls(temperature, roc_curve(truth, mean).best_dice_threshold())

    def segment(self, member_logits: FloatArray) -> tuple[FloatArray, FloatArray, MaskArray]:
        """Mean probability, standard deviation over members, and mask of one image, shape (h, w) each.

        Logits are float32 of shape (M, h, w); the deviation of a member alone is 0.
        """
        members = probabilities(member_logits, self.temperature)
        mean = mean_probability(members)
        std = members.std(axis=0, dtype=np.float64).astype(np.float32)
        return mean, std, class_mask(mean, self.threshold)


@dataclass(frozen=True, eq=False)
class PooledScores:
    """One ensemble on one test set.

    Attributes
    ----------
    pooled, images
        Scores by the names of `evaluate.DatasetScores`, over all pixels and image by image. Over all pixels
        also `ambiguity`, the mean square of the members' distance from their mean: what the ensemble's Brier
        score is below its members' mean one (Krogh and Vedelsby 1995). UQ and ambiguity of a network alone
        are 0.
    calibration, accuracy
        Sums of the reliability curve and of the paper's accuracy by probability.
    """

    pooled: dict[str, float]
    images: dict[str, tuple[float, ...]]
    calibration: CalibrationBins
    accuracy: CalibrationBins

    @classmethod
    def of(cls, predictions: GridPredictions, networks: Sequence[str], fitted: Fitted) -> "PooledScores":
        """Score an ensemble of networks on all images."""
        tally, variances = Tally(), []
        for index, truth in enumerate(predictions.images.references):
            mean, std, mask = fitted.segment(predictions.members(networks, index))
            tally.add(truth, mean, mask, image_uncertainty(std, mask))
            variances.append(std[truth != IGNORE].astype(np.float64) ** 2)
        accuracy = tally.accuracy
        assert accuracy is not None  # there are two classes
        return cls(
            {**tally.pooled(), "ambiguity": float(np.concatenate(variances).mean())},
            {name: tuple(row[name] for row in tally.images) for name in tally.images[0]},
            tally.calibration,
            accuracy,
        )


@dataclass(frozen=True, eq=False)
class ScoredEnsemble:
    """One ensemble: its networks, what was fitted for it, and its scores by test set."""

    networks: tuple[str, ...]
    fitted: Fitted
    tests: dict[str, PooledScores]


@dataclass(frozen=True, eq=False)
class FamilyScores:
    """All ensembles of one kind and version, by the seeds they are made of."""

    ensembles: dict[Seeds, tuple[ScoredEnsemble, ...]]

    @classmethod
    def of(
        cls, family: Family, validation: GridPredictions, tests: Mapping[str, GridPredictions]
    ) -> "FamilyScores":
        """Fit every ensemble of a family on validation images, score it on all test sets."""

        def scored(networks: tuple[str, ...]) -> ScoredEnsemble:
            fitted = Fitted.on(validation, networks)
            found = {name: PooledScores.of(images, networks, fitted) for name, images in tests.items()}
            return ScoredEnsemble(networks, fitted, found)

        return cls({seeds: tuple(map(scored, choices)) for seeds, choices in family.items()})

    @property
    def all(self) -> list[ScoredEnsemble]:
        """Every ensemble."""
        return [scored for choices in self.ensembles.values() for scored in choices]

    def over_seeds(self, measure: Callable[[dict[str, PooledScores]], float]) -> Values:
        """What is measured on an ensemble's test sets, one number a seed; one in all for one ensemble."""
        by_seeds = {
            seeds: float(np.mean([measure(scored.tests) for scored in choices]))
            for seeds, choices in self.ensembles.items()
        }
        return np.array([*by_seeds.values()]) if len(by_seeds) == 1 else pseudo_values(by_seeds)

    def per_seed(self, test: str, metric: str) -> Values:
        """A pooled score on a test set, as `over_seeds`."""
        return self.over_seeds(lambda tests: tests[test].pooled[metric])

    def per_image(self, test: str, metric: str) -> Values:
        """A score of each image, mean over ensembles, shape (n_images,)."""
        return np.mean([scored.tests[test].images[metric] for scored in self.all], axis=0)

    def bins(self, test: str, curve: str) -> CalibrationBins:
        """`calibration` or `accuracy`, the pixels of all ensembles together."""
        return reduce(add, (getattr(scored.tests[test], curve) for scored in self.all))

    @property
    def mean_fit(self) -> Fitted:
        """Mean temperature (geometric) and threshold."""
        fits = [scored.fitted for scored in self.all]
        temperature = np.exp(np.mean([np.log(fit.temperature) for fit in fits]))
        return Fitted(float(temperature), float(np.mean([fit.threshold for fit in fits])))
