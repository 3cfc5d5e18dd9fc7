"""How often the intervals of the counts hold the fractions that are true."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.fewshot.draws import DRAWS, SUPPORTS, draws
from benchmarks.fewshot.scenes import Scene
from icefloe.fewshot.classifier import Classifier
from icefloe.fewshot.grid import constant_chips
from icefloe.fewshot.rule import Rule
from icefloe.tables import Table
from icefloe.typing import FloatArray

RULES = {"default rule": Rule(), "no chip unsure": Rule(max_risk=1.0)}


@dataclass(frozen=True, eq=False)
class Coverage:
    """Fractions and intervals of one class by one rule, over draws.

    Attributes
    ----------
    rule, name
        A key of `RULES`, and the class.
    n
        Supports a class.
    true
        Fraction of the chips.
    found : float, shape (D,)
        Fraction as counted.
    bounds : float, shape (D, 2)
        Its 95 % interval.
    """

    rule: str
    name: str
    n: int
    true: float
    found: NDArray[np.float64]
    bounds: NDArray[np.float64]

    @property
    def holds(self) -> NDArray[np.bool_]:
        """Whether each draw's interval holds the true fraction."""
        return (self.bounds[:, 0] <= self.true) & (self.true <= self.bounds[:, 1])


def measure_coverage(
    scene: Scene, embeddings: FloatArray, n_draws: int = DRAWS, supports: tuple[int, ...] = SUPPORTS
) -> list[Coverage]:
    """All classes by both rules."""
    constant = constant_chips(scene.image, scene.grid)
    measured = []
    for rule_name, rule in RULES.items():
        for n in supports:
            results = [
                Classifier.fit(embeddings, sets, scene.grid, rule).classify(
                    embeddings, scene.grid, constant, is_support_image=True
                )
                for sets in draws(scene, n, n_draws)
            ]
            for name, true in zip(scene.names, scene.fractions, strict=True):
                counted = [next(c for c in one.classes if c.name == name).fraction for one in results]
                measured.append(
                    Coverage(
                        rule_name,
                        name,
                        n,
                        float(true),
                        np.array([one.mean for one in counted]),
                        np.array([(one.low, one.high) for one in counted]),
                    )
                )
    return measured


def coverage_table(measured: list[Coverage]) -> Table:
    """Share of the draws whose interval holds the true fraction, with the intervals' mean width."""
    rows: dict[tuple[str, str], dict[str, object]] = {}
    for one in measured:
        width = np.mean(one.bounds[:, 1] - one.bounds[:, 0])
        row = rows.setdefault(
            (one.rule, one.name), {"rule": one.rule, "class, true fraction": f"{one.name}, {one.true:.1%}"}
        )
        row[f"{one.n} a class"] = f"{np.mean(one.holds):.0%} ({width:.2f})"
    return Table.of(rows.values())


def error_table(measured: list[Coverage], n: int) -> Table:
    """How far counted fractions are off: on average, and from draw to draw."""
    return Table.of(
        [
            {
                "rule": one.rule,
                "class": one.name,
                "true fraction": one.true,
                "mean found": np.mean(one.found),
                "standard deviation over draws": np.std(one.found, ddof=1),
                "mean half width of the interval": np.mean(one.bounds[:, 1] - one.bounds[:, 0]) / 2,
            }
            for one in measured
            if one.n == n
        ],
        dict.fromkeys(
            (
                "true fraction",
                "mean found",
                "standard deviation over draws",
                "mean half width of the interval",
            ),
            ".3f",
        ),
    )
