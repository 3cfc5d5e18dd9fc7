"""What the paper claims, and what these datasets say to it: effects with intervals, and a word for each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from icefloe.statistics.interval import Interval
from icefloe.statistics.means import mean_interval
from icefloe.statistics.multiple import simultaneous
from icefloe.statistics.repetitions import over_seeds

HOLDS, HERE, NOT, UNDECIDED = "holds", "holds on these images", "does not hold", "undecided"
RISES, FALLS = 1, -1


@dataclass(frozen=True)
class Effect:
    """A difference or a ratio, and which way the claim says it goes.

    Attributes
    ----------
    what
        In words.
    expected
        `RISES` or `FALLS`.
    per_seed
        Differences, or logarithms of ratios, one a seed.
    per_image
        The same for each image of the test set, in time order, mean over ensembles; None where different
        images are compared.
    is_ratio
        Whether the numbers are logarithms of ratios.
    published
        The same effect in the paper: a difference, or a ratio itself.
    """

    what: str
    expected: int
    per_seed: tuple[float, ...]
    per_image: tuple[float, ...] | None = None
    is_ratio: bool = False
    published: float | None = None

    @cached_property
    def seeds(self) -> Interval:
        """Mean and interval over seeds, on the scale of `per_seed`."""
        return over_seeds(self.per_seed)

    @cached_property
    def images(self) -> Interval | None:
        """Mean and interval over images, which are taken in blocks of time."""
        if self.per_image is None:
            return None
        return mean_interval(self.per_image, rng=np.random.default_rng(0))

    @property
    def word(self) -> str:
        """The verdict on this effect alone, each interval at 95 %."""
        if self._clear_of_zero(self.seeds.low, self.seeds.high, self.expected):
            if self.images is None:
                return HOLDS
            also = self._clear_of_zero(self.images.low, self.images.high, self.expected)
            return HOLDS if also else HERE
        against = self._clear_of_zero(self.seeds.low, self.seeds.high, -self.expected)
        return NOT if against else UNDECIDED

    def contradicts(self, n_effects: int) -> bool:
        """Whether seeds show the contrary, at 95 % for all of so many effects together (Bonferroni)."""
        interval = over_seeds(self.per_seed, simultaneous(n_effects))
        return self._clear_of_zero(interval.low, interval.high, -self.expected)

    def size(self) -> str:
        """Effect and interval over seeds, as text."""
        return self._text(self.seeds.mean, self.seeds.low, self.seeds.high)

    def image_interval(self) -> str:
        """Interval over images, as text."""
        return "-" if self.images is None else self._bounds(self.images.low, self.images.high)

    def published_text(self) -> str:
        """The paper's effect, as text."""
        if self.published is None:
            return "-"
        return f"×{self.published:.2f}" if self.is_ratio else f"{self.published:+.3f}"

    def to_dict(self) -> dict[str, Any]:
        """Plain types; ratios as such."""
        scale: Callable[[ArrayLike], Any] = np.exp if self.is_ratio else np.asarray
        bounds = [self.seeds.low, self.seeds.high]
        over_images = None if self.images is None else [self.images.low, self.images.high]
        return {
            "what": self.what,
            "expected": "rises" if self.expected == RISES else "falls",
            "kind": "ratio" if self.is_ratio else "difference",
            "effect": float(scale(self.seeds.mean)),
            "over_seeds": scale(bounds).tolist(),
            "over_images": None if over_images is None else _finite(scale(over_images)),
            "per_seed": scale(self.per_seed).tolist(),
            "published": self.published,
            "verdict": self.word,
        }

    @staticmethod
    def _clear_of_zero(low: float, high: float, side: int) -> bool:
        return low > 0 if side == RISES else high < 0

    def _text(self, mean: float, low: float, high: float) -> str:
        centre = f"×{np.exp(mean):.2f}" if self.is_ratio else f"{mean:+.3f}"
        return f"{centre} {self._bounds(low, high)}"

    def _bounds(self, low: float, high: float) -> str:
        if not np.isfinite([low, high]).all():
            return "[one image]"
        if self.is_ratio:
            return f"[{np.exp(low):.2f}, {np.exp(high):.2f}]"
        return f"[{low:+.3f}, {high:+.3f}]"


@dataclass(frozen=True)
class Claim:
    """One claim on one test set: it holds if all its effects do.

    Attributes
    ----------
    text
        Of the claim, without the test set.
    test
        The test set.
    effects
        One or more.
    """

    text: str
    test: str
    effects: tuple[Effect, ...]

    @property
    def word(self) -> str:
        """The verdict.

        All effects must hold, so none of them needs a stricter level; one against the claim is enough to
        refute it, so that is tested at a level shared among them.
        """
        if any(effect.contradicts(len(self.effects)) for effect in self.effects):
            return NOT
        words = {effect.word for effect in self.effects}
        if words <= {HOLDS, HERE}:
            return HERE if HERE in words else HOLDS
        return UNDECIDED

    def to_dict(self) -> dict[str, Any]:
        """Plain types."""
        return {
            "claim": self.text,
            "test": self.test,
            "verdict": self.word,
            "effects": [effect.to_dict() for effect in self.effects],
        }


def matrix(claims: Sequence[Claim], tests: Sequence[str]) -> str:
    """Markdown: a line a claim, a column a test set, the verdict in each cell."""
    lines = [f"| claim | {' | '.join(tests)} |", "|---" * (len(tests) + 1) + "|"]
    for text in dict.fromkeys(claim.text for claim in claims):
        words = {claim.test: claim.word for claim in claims if claim.text == text}
        lines.append(f"| {text} | {' | '.join(words.get(test, '-') for test in tests)} |")
    return "\n".join(lines)


def effects_table(claims: Sequence[Claim]) -> str:
    """Markdown: a line an effect."""
    lines = [
        "| claim | on | effect | size, over seeds | over images | paper | |",
        "|---|---|---|---|---|---|---|",
    ]
    for claim in claims:
        for number, effect in enumerate(claim.effects):
            head = f"{claim.text} | {claim.test}" if number == 0 else " | "
            lines.append(
                f"| {head} | {effect.what} | {effect.size()} | {effect.image_interval()} "
                f"| {effect.published_text()} | {effect.word} |"
            )
    return "\n".join(lines)


def _finite(values: np.ndarray) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
