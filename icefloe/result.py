"""Result of a user task: one object that a page, a report, MLflow and a KFP step show."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from icefloe.tables import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Result(BaseModel, ABC):
    """Frozen; JSON both ways by pydantic (`model_dump_json`, `model_validate_json`)."""

    model_config = ConfigDict(frozen=True)

    @abstractmethod
    def sentence(self) -> str:
        """The outcome, the most important cause, and what to do: at most two lines."""

    @abstractmethod
    def table(self) -> Table:
        """All numbers that the outcome is based on."""

    @abstractmethod
    def plot(self, ax: Axes) -> None:
        """Draw it into one panel."""

    def figure(self) -> Figure:
        """A figure of its own; by default the one panel."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7, 3.5), layout="constrained")
        self.plot(figure.subplots())
        return figure

    def to_markdown(self) -> str:
        """The sentence, and the table if it has a row."""
        table = self.table()
        return f"{self.sentence()}\n" + (f"\n{table.markdown()}" if table.rows else "")
