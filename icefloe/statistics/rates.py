"""Counted rates."""

from functools import cached_property

from pydantic import BaseModel, ConfigDict, computed_field
from scipy import stats


class Rate(BaseModel):
    """A rate of counted events; the interval is Clopper and Pearson's, 95 %.

    Attributes
    ----------
    hits, total
        Counts; a total of 0 has no share.
    """

    model_config = ConfigDict(frozen=True)

    hits: int
    total: int

    @computed_field  # type: ignore[prop-decorator]
    @property
    def share(self) -> float | None:
        """Share of hits, in [0, 1]."""
        return self.hits / self.total if self.total else None

    @computed_field  # type: ignore[prop-decorator]
    @cached_property
    def interval(self) -> tuple[float, float] | None:
        """Lower and upper end, in [0, 1]."""
        if not self.total:
            return None
        low, high = stats.binomtest(self.hits, self.total).proportion_ci(method="exact")
        return float(low), float(high)

    def __str__(self) -> str:
        if self.interval is None:
            return "–"
        low, high = self.interval
        return f"{self.share:.1%} ({low:.1%}–{high:.1%})"
