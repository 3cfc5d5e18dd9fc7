"""A number with its interval: its text and its finding."""

import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, field_serializer, field_validator

Finding = Literal["better", "not worse", "worse", "undecided"]


class Interval(BaseModel):
    """A mean, or the difference of two, with a two-sided confidence interval.

    Attributes
    ----------
    mean
        The estimate that the interval belongs to.
    low, high
        Ends of the interval; infinite (null in JSON) where a single value shows no spread.
    n
        Values that the mean is over.
    """

    model_config = ConfigDict(frozen=True)

    mean: float
    n: int
    low: float = -math.inf
    high: float = math.inf

    @field_validator("low", "high", mode="before")
    @classmethod
    def _unbounded(cls, value: Any, info: Any) -> Any:
        return {"low": -math.inf, "high": math.inf}[info.field_name] if value is None else value

    @field_serializer("low", "high")
    def _null(self, bound: float) -> float | None:
        return bound if math.isfinite(bound) else None

    @property
    def is_bounded(self) -> bool:
        """Whether there is an interval."""
        return math.isfinite(self.low) and math.isfinite(self.high)

    def finding(self, margin: float | None = None, *, higher_is_better: bool = True) -> Finding:
        """The finding on a difference, new minus old.

        Parameters
        ----------
        margin
            How much worse still counts as `not worse`; None: that is not asked.
        higher_is_better
            Direction of the quantity.

        Returns
        -------
        `worse` if all of the interval is worse by more than the margin, `better` if all of it is better than
        0, `not worse` if none of it is worse by more than the margin, else `undecided`.
        """
        low, high = (self.low, self.high) if higher_is_better else (-self.high, -self.low)
        if high < -(margin or 0.0):
            return "worse"
        if low > 0:
            return "better"
        return "not worse" if margin is not None and low >= -margin else "undecided"

    def text(self, digits: int = 3, *, signed: bool = False) -> str:
        """`0.912 [0.904, 0.920]`, with `signed` `+0.012 [+0.004, +0.020]`; without bounds the mean alone."""
        if not self.is_bounded and not signed:
            return f"{self.mean:.{digits}f}"
        return f"{self.mean:{'+' if signed else ''}.{digits}f} {self.bounds(digits, signed=signed)}"

    def bounds(self, digits: int = 3, *, signed: bool = False) -> str:
        """The part of `text` in brackets: `[0.904, 0.920]`."""
        if not self.is_bounded:
            return "[no interval]"
        low, high = (f"{bound:{'+' if signed else ''}.{digits}f}" for bound in (self.low, self.high))
        return f"[{low}, {high}]"

    def plus_minus(self, digits: int = 3) -> str:
        """`0.912 ± 0.008`, if the interval is symmetric about its mean; without bounds the mean alone."""
        half = f" ± {self.high - self.mean:.{digits}f}" if self.is_bounded else ""
        return f"{self.mean:.{digits}f}{half}"

    def __str__(self) -> str:
        return self.text()
