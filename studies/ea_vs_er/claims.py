"""What the paper claims, and what these datasets say to it: effects with intervals, and a word for each."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from icefloe.scoring.diversity import ErrorCounts
from icefloe.statistics.interval import Interval
from icefloe.statistics.means import mean_interval
from icefloe.statistics.multiple import simultaneous
from icefloe.statistics.repetitions import over_seeds, pseudo_values
from studies.ea_vs_er.design import Design, Seeds
from studies.ea_vs_er.published import published, published_effect
from studies.ea_vs_er.scoring import FamilyScores, Values
from studies.kit.study import Record

HOLDS, HERE, NOT, UNDECIDED = "holds", "holds on these images", "does not hold", "undecided"
METRICS = {"pca": "pCA", "iou": "IoU", "uq": "UQ", "uq_boundary": "UQ per boundary"}
PAIR_MEASURES = ("disagreement", "double_fault", "error_correlation", "q_statistic")
DIFFERENT = "different architectures"


class Effect(Record):
    """A difference or a ratio on one test set, and which way a claim says it goes.

    Attributes
    ----------
    claim, test, what
        The claim, which holds on the test set if all its effects do; what is compared, in words.
    rises, is_ratio
        What the claim expects, else it falls; whether the numbers are ratios, whose intervals are taken on
        the scale of logarithms.
    per_seed
        Differences, or ratios, one a seed.
    over_images
        Ends of the 95 % interval over the test set's images, in blocks of time, of the mean over ensembles;
        null ends: one image. None where different images are compared.
    published
        The same effect in the paper.
    """

    claim: str
    test: str
    what: str
    rises: bool
    is_ratio: bool = False
    per_seed: tuple[float, ...]
    over_images: tuple[float | None, float | None] | None = None
    published: float | None = None

    @classmethod
    def of(cls, per_seed: Values, *, is_ratio: bool = False, **which: Any) -> "Effect":
        """Of differences, one number a seed; of a ratio, those of logarithms."""
        shown = np.exp(per_seed) if is_ratio else per_seed
        return cls(per_seed=tuple(shown.tolist()), is_ratio=is_ratio, **which)

    def interval(self, confidence: float = 0.95) -> Interval:
        """Mean and interval over seeds; of a ratio, of its logarithm."""
        return over_seeds(np.log(self.per_seed) if self.is_ratio else self.per_seed, confidence)

    @property
    def images(self) -> Interval | None:
        """The interval over images, on the scale of `interval`; its mean is not kept."""
        if self.over_images is None:
            return None
        ends = [math.log(end) if self.is_ratio and end else end for end in self.over_images]
        return Interval.model_validate({"mean": math.nan, "n": 0, "low": ends[0], "high": ends[1]})

    @property
    def word(self) -> str:
        """The verdict on this effect alone, each interval at 95 %."""
        finding = self.interval().finding(higher_is_better=self.rises)
        if finding != "better":
            return NOT if finding == "worse" else UNDECIDED
        if self.images is None or self.images.finding(higher_is_better=self.rises) == "better":
            return HOLDS
        return HERE

    def contradicts(self, n_effects: int) -> bool:
        """Whether seeds show the contrary, at 95 % for all of so many effects together (Bonferroni)."""
        return self.interval(simultaneous(n_effects)).finding(higher_is_better=self.rises) == "worse"

    @property
    def size(self) -> str:
        """Effect and interval over seeds, as text."""
        return f"×{_exp(self.interval()).text(2)}" if self.is_ratio else self.interval().text(signed=True)

    @property
    def image_interval(self) -> str:
        """Interval over images, as text."""
        if self.images is None:
            return "-"
        return _exp(self.images).bounds(2) if self.is_ratio else self.images.bounds(signed=True)

    @property
    def published_size(self) -> str:
        """The paper's effect, as text."""
        if self.published is None:
            return "-"
        return f"×{self.published:.2f}" if self.is_ratio else f"{self.published:+.3f}"


def _exp(interval: Interval) -> Interval:
    ends = {end: math.exp(getattr(interval, end)) for end in ("mean", "low", "high")}
    return interval.model_copy(update=ends)


def verdict(effects: Sequence[Effect]) -> str:
    """A word for a claim on a test set.

    All effects must hold, so none of them needs a stricter level; one against the claim is enough to refute
    it, so that is tested at a level shared among them.
    """
    if any(effect.contradicts(len(effects)) for effect in effects):
        return NOT
    words = {effect.word for effect in effects}
    if words <= {HOLDS, HERE}:
        return HERE if HERE in words else HOLDS
    return UNDECIDED


@dataclass(frozen=True)
class ClaimedEffects:
    """Measures effects on test sets.

    Attributes
    ----------
    ensembles
        Scores of the EA of every version, and of T1's ERs, by the names that the paper knows them by.
    tests
        Test sets, the standard one first, then in the order in which they arrived.
    """

    ensembles: Mapping[str, FamilyScores]
    tests: Sequence[str]

    def all(self) -> Iterator[Effect]:
        """Of every claim on every test set it speaks of."""
        versions = [name for name in self.ensembles if name.startswith("EA-")]
        ers = [name for name in self.ensembles if name not in versions]
        every, new = range(len(self.tests)), range(1, len(self.tests))
        for metric, i, er in itertools.product(("pca", "iou"), every, ers):
            yield self._between(f"EA beats every ER on {METRICS[metric]}", i, metric, True, versions[0], er)
        for metric, i in itertools.product(("uq", "uq_boundary"), new):
            # T1 on every new dataset; and the version that meets it, which has learned those before it.
            for name in dict.fromkeys((versions[0], versions[i - 1])):
                yield self._on_new(f"{METRICS[metric]} rises on new data", i, metric, True, name)
        for (metric, rises), i in itertools.product((("uq", False), ("pca", True), ("iou", True)), new):
            claim = f"{METRICS[metric]} {'rises' if rises else 'falls'} after retraining on it"
            yield self._between(claim, i, metric, rises, versions[i], versions[i - 1])
        for name, i, metric in itertools.product((*ers, versions[0]), new, ("uq", "pca")):
            yield self._on_new(f"{name} is blind: surer, yet less accurate", i, metric, False, name)
        for metric, i in itertools.product(("pca", "iou"), every[:-1]):
            # An arriving dataset is learned with the version of its number, and may be forgotten after it.
            claim = f"{METRICS[metric]} falls in later retraining (forgetting)"
            yield self._between(claim, i, metric, False, versions[-1], versions[i])

    def _between(self, claim: str, i: int, metric: str, rises: bool, after: str, before: str) -> Effect:
        """One ensemble against another on the same images; uncertainties as ratios."""
        is_ratio, test = metric == "uq", self.tests[i]
        scale: Callable[[Values], Values] = np.log if is_ratio else np.asarray
        one, other = self.ensembles[after], self.ensembles[before]
        per_image = scale(one.per_image(test, metric)) - scale(other.per_image(test, metric))
        images = mean_interval(per_image, rng=np.random.default_rng(0))
        shown = _exp(images) if is_ratio else images
        return Effect.of(
            scale(one.per_seed(test, metric)) - scale(other.per_seed(test, metric)),
            claim=claim,
            test=test,
            what=f"{after} {'/' if is_ratio else '-'} {before}",
            rises=rises,
            is_ratio=is_ratio,
            over_images=(shown.low, shown.high) if images.is_bounded else (None, None),
            published=published_effect(metric, published(after, i), published(before, i)),
        )

    def _on_new(self, claim: str, i: int, metric: str, rises: bool, name: str) -> Effect:
        """One ensemble on a new test set against the standard one; other images, so none over images."""
        standard, test, is_ratio = self.tests[0], self.tests[i], metric != "pca"
        scores = self.ensembles[name]
        log_ratio = scores.over_seeds(lambda t: np.log(t[test].pooled[metric] / t[standard].pooled[metric]))
        difference = scores.per_seed(test, metric) - scores.per_seed(standard, metric)
        return Effect.of(
            log_ratio if is_ratio else difference,
            claim=claim,
            test=test,
            what=f"{name}, {METRICS[metric]}: {test} {'/' if is_ratio else '-'} {standard}",
            rises=rises,
            is_ratio=is_ratio,
            published=published_effect(metric, published(name, i), published(name, 0)),
        )


def architectures_differ(errors: Mapping[str, ErrorCounts], design: Design) -> Iterator[Effect]:
    """What an EA rests on: different architectures err less alike than seeds of one."""
    for test, counts in errors.items():
        values = {kind: of["error_correlation"] for kind, of in diversity(counts, design).items()}
        for architecture in design.architectures:
            same = f"seeds of {architecture}"
            yield Effect.of(
                values[DIFFERENT] - values[same],
                claim="Architectures err less alike than seeds of any one",
                test=test,
                what=f"correlation of errors: {DIFFERENT} - {same}",
                rises=False,
            )


def diversity(counts: ErrorCounts, design: Design) -> dict[str, dict[str, Values]]:
    """How alike pairs of networks err: kind of pair -> measure -> its mean over pairs, one number a seed.

    `counts` are those of the design's networks, in their order.
    """
    row = {name: index for index, name in enumerate(design.specs)}
    networks = {
        architecture: [row[design.network(architecture, seed)] for seed in design.seeds]
        for architecture in design.architectures
    }
    by_seed = zip(design.seeds, zip(*networks.values(), strict=True), strict=True)
    pairs: dict[str, dict[Seeds, list[tuple[int, ...]]]] = {
        DIFFERENT: {(seed,): list(itertools.combinations(rows, 2)) for seed, rows in by_seed}
    }
    for architecture, rows in networks.items():
        of_seeds = itertools.combinations(design.seeds, 2)
        pairs[f"seeds of {architecture}"] = {(i, j): [(rows[i], rows[j])] for i, j in of_seeds}

    def mean(measure: str, chosen: list[tuple[int, ...]]) -> float:
        return float(np.mean([getattr(counts, measure)[pair] for pair in chosen]))

    return {
        kind: {
            measure: pseudo_values({seeds: mean(measure, chosen) for seeds, chosen in by_seeds.items()})
            for measure in PAIR_MEASURES
        }
        for kind, by_seeds in pairs.items()
    }
