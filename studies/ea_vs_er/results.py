"""Scores of every ensemble of every version on every test set, and intervals over seeds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from icefloe.scoring.calibration import CalibrationBins
from icefloe.statistics.interval import Interval
from icefloe.statistics.repetitions import over_seeds, pseudo_values
from studies.ea_vs_er.design import Family, Networks, Seeds
from studies.ea_vs_er.scoring import Fitted, Scores, Seen

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scored:
    """One ensemble: what was fitted for it, and its scores by test set."""

    networks: Networks
    fitted: Fitted
    tests: dict[str, Scores]

    @classmethod
    def of(cls, networks: Networks, validation: Seen, tests: Mapping[str, Seen]) -> "Scored":
        """Fit on validation images, score on all test sets."""
        fitted = Fitted.on(validation, networks)
        return cls(
            networks, fitted, {name: Scores.of(seen, networks, fitted) for name, seen in tests.items()}
        )


@dataclass(frozen=True, eq=False)
class FamilyScores:
    """All ensembles of one kind and version, by the seeds they are made of."""

    ensembles: dict[Seeds, tuple[Scored, ...]]

    @classmethod
    def of(cls, family: Family, validation: Seen, tests: Mapping[str, Seen]) -> "FamilyScores":
        """Score every ensemble of a family."""
        return cls(
            {
                seeds: tuple(Scored.of(networks, validation, tests) for networks in choices)
                for seeds, choices in family.items()
            }
        )

    @property
    def all(self) -> list[Scored]:
        """Every ensemble."""
        return [scored for choices in self.ensembles.values() for scored in choices]

    def per_seed(self, test: str, metric: str) -> Values:
        """A pooled score on a test set, one number a seed; one number in all where there is one ensemble.

        Returns
        -------
        float64, shape (n_seeds,) or (1,)
        """
        return self._per_seed(lambda scored: scored.tests[test].pooled[metric])

    def log_ratio_per_seed(self, metric: str, test: str, to: str) -> Values:
        """Logarithm of a score on one test set over that on another, as `per_seed`."""
        return self._per_seed(
            lambda scored: float(np.log(scored.tests[test].pooled[metric] / scored.tests[to].pooled[metric]))
        )

    def _per_seed(self, measure: Callable[[Scored], float]) -> Values:
        by_seeds = {
            seeds: float(np.mean([measure(scored) for scored in choices]))
            for seeds, choices in self.ensembles.items()
        }
        return np.array([*by_seeds.values()]) if len(by_seeds) == 1 else pseudo_values(by_seeds)

    def estimate(self, test: str, metric: str) -> Interval:
        """Mean over ensembles, and its interval over seeds."""
        return over_seeds(self.per_seed(test, metric))

    def per_image(self, test: str, metric: str) -> Values:
        """A score of each image, mean over ensembles, shape (n_images,)."""
        return np.mean([scored.tests[test].images[metric] for scored in self.all], axis=0)

    def calibration(self, test: str) -> CalibrationBins:
        """The reliability curve, the pixels of all ensembles together."""
        return reduce(add, (scored.tests[test].calibration for scored in self.all))

    def accuracy(self, test: str) -> CalibrationBins:
        """The paper's accuracy by probability, likewise."""
        return reduce(add, (scored.tests[test].accuracy for scored in self.all))

    @property
    def mean_fit(self) -> Fitted:
        """Mean temperature (geometric) and threshold."""
        fits = [scored.fitted for scored in self.all]
        return Fitted(
            float(np.exp(np.mean([np.log(fit.temperature) for fit in fits]))),
            float(np.mean([fit.threshold for fit in fits])),
        )
