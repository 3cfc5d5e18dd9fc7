"""Whether the attribution names the cause that was simulated."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from icefloe.drift.attribution import Attribution, attribute
from icefloe.drift.benchmark import Benchmark
from icefloe.drift.comparison import adjusted_p_values, compare_rows, ratios
from icefloe.drift.config import GateConfig
from icefloe.drift.ice import ICE
from icefloe.drift.patterns import UNKNOWN
from studies.gate.rates import Rate
from studies.gate.simulation import CAUSES, Rows, Scenario, thinned

ACCEPTED, NONE = "accepted", "none"
GROUP_OF = {cause: group for group, causes in ICE.groups.items() for cause in causes}


@dataclass(frozen=True, eq=False)
class Confusion:
    """Counts of simulated causes by what the gate said.

    Attributes
    ----------
    truths, answers
        Names of rows and columns; the last row is "none", the last columns are "unknown" and "accepted".
    counts : int, shape (rows, columns)
    """

    truths: tuple[str, ...]
    answers: tuple[str, ...]
    counts: NDArray[np.int_]

    @classmethod
    def of(cls, names: Sequence[str], pairs: Sequence[tuple[str, str]]) -> "Confusion":
        """Count (truth, answer) pairs."""
        truths, answers = (*names, NONE), (*names, UNKNOWN, ACCEPTED)
        counts = np.zeros((len(truths), len(answers)), int)
        for truth, answer in pairs:
            counts[truths.index(truth), answers.index(answer)] += 1
        return cls(truths, answers, counts)

    @property
    def _alarms(self) -> NDArray[np.int_]:
        """Counts of simulated causes that were not accepted."""
        return self.counts[:-1, :-1]

    @property
    def accuracy(self) -> Rate:
        """Right answers among alarms; "unknown" is no right answer."""
        return Rate(hits=int(np.trace(self._alarms)), total=int(self._alarms.sum()))

    @property
    def clear(self) -> Rate:
        """Right answers among those alarms of which a cause was named."""
        return Rate(hits=int(np.trace(self._alarms)), total=int(self._alarms[:, :-1].sum()))

    @property
    def chance(self) -> float:
        """Accuracy of always naming the commonest cause among the alarms."""
        return float(self._alarms.sum(axis=1).max() / self._alarms.sum())

    def to_markdown(self) -> str:
        """Counts, one row a truth."""
        head = ["simulated", *(f"says {answer}" for answer in self.answers[:-1]), ACCEPTED]
        lines = ["| " + " | ".join(head) + " |", "|---|" + "---|" * len(self.answers)]
        for truth, row in zip(self.truths, self.counts, strict=True):
            lines.append(f"| {truth} | " + " | ".join(str(count) for count in row) + " |")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain types."""
        return {
            "truths": list(self.truths),
            "answers": list(self.answers),
            "counts": self.counts.tolist(),
            "accuracy": self.accuracy.model_dump(),
            "clear": self.clear.model_dump(),
            "chance": self.chance,
        }


Answers = Mapping[Scenario, Attribution | None]
"""What the gate says moved; None where it accepts."""


def judge(
    benchmark: Benchmark, measured: Mapping[Scenario, Rows], n_images: int, config: GateConfig
) -> dict[Scenario, Attribution | None]:
    """What `gate.check` says of `n_images` of each experiment."""
    answers = {}
    for scenario, rows in measured.items():
        compared = compare_rows(benchmark, thinned(rows, n_images), config)
        alarm = min(adjusted_p_values(compared).values()) < config.alpha
        answers[scenario] = attribute(ratios(compared)) if alarm else None
    return answers


def by_group(answers: Answers) -> Confusion:
    """What a microscopist would look at."""
    pairs = [
        (GROUP_OF[s.cause] if s.cause else NONE, answer.group if answer else ACCEPTED)
        for s, answer in answers.items()
    ]
    return Confusion.of(tuple(ICE.groups), pairs)


def by_cause(answers: Answers) -> Confusion:
    """Every cause by itself."""
    pairs = [(s.cause or NONE, answer.cause if answer else ACCEPTED) for s, answer in answers.items()]
    return Confusion.of(CAUSES, pairs)
