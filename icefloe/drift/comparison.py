"""Each quantity of a new dataset, compared with the distribution expected from the benchmark."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icefloe.drift.benchmark import Benchmark
from icefloe.drift.config import GateConfig
from icefloe.drift.domain import Domain
from icefloe.drift.ice import ICE
from icefloe.drift.quantities import Quantity, require_columns
from icefloe.drift.size import at_equal_size
from icefloe.ensemble.rows import ImageRow, in_time_order
from icefloe.statistics.multiple import holm
from icefloe.statistics.predictive import ExperimentMean, Predictive, course_means, experiment_means

_MIN_OUTLINES = 3
"""Fewer images in which a boundary can be followed say nothing of it; the others still count."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """A quantity of the new dataset, and the distribution expected from the benchmark.

    Attributes
    ----------
    quantity : Quantity
        The quantity compared.
    reference : mapping of str to float64, shape (n, L)
        Transformed values of the images of each experiment of the benchmark.
    new : float64, shape (n, L)
        Transformed values of the new dataset's images.
    at_equal_size : bool
        Whether these are as at equal sizes of the foreground.
    mean : ExperimentMean
        The new dataset's mean, with its squared error.
    predictive : Predictive
        Distribution of the mean of a further experiment of the benchmark's kind.
    """

    quantity: Quantity
    reference: Mapping[str, NDArray[np.float64]]
    new: NDArray[np.float64]
    at_equal_size: bool
    mean: ExperimentMean
    predictive: Predictive

    @property
    def shift(self) -> float:
        """New less benchmark, of the logarithm for a ratio; else the length of the difference."""
        difference = self.mean.mean - self.predictive.mean
        return float(difference[0] if self.quantity.is_ratio else np.linalg.norm(difference))

    @property
    def sd(self) -> float:
        """Standard deviation of the shift between experiments of the benchmark's kind, errors included."""
        return self.predictive.sd(self.mean.squared_error)

    @property
    def p_value(self) -> float:
        """Predictive p-value, not corrected for looking at several quantities."""
        mean = self.mean
        return float(self.predictive.p_value(mean.mean, mean.squared_error, self.quantity.alternative))


Comparisons = Mapping[str, Comparison]
"""Comparison by the quantity's name."""


def compare(
    benchmark: Benchmark, new: Sequence[ImageRow], quantities: Iterable[Quantity], config: GateConfig
) -> dict[str, Comparison]:
    """Compare a dataset's images, in time order, with the benchmark's.

    Parameters
    ----------
    benchmark : Benchmark
        Rows of the experiments accepted so far.
    new : sequence of ImageRow
        The dataset's rows in time order.
    quantities : iterable of Quantity
        Quantities to compare.
    config : GateConfig
        Levels, and assumptions about correlation in time.
    """
    return {quantity.name: _compare(quantity, benchmark, new, config) for quantity in quantities}


def compare_rows(
    benchmark: Benchmark,
    new_rows: Iterable[ImageRow],
    config: GateConfig | None = None,
    domain: Domain = ICE,
) -> dict[str, Comparison]:
    """The comparisons that `gate.check` decides on, without intervals and texts, which take most of its time.

    Parameters
    ----------
    benchmark, new_rows, config, domain
        As of `gate.check`; errors likewise. There must be enough images.
    """
    config = config or GateConfig()
    new = in_time_order(new_rows)
    return compare(benchmark, new, compared_quantities(benchmark, new, config, domain), config)


def adjusted_p_values(compared: Comparisons) -> dict[str, float]:
    """Holm's adjusted p-values over all quantities compared."""
    return dict(zip(compared, holm([c.p_value for c in compared.values()]), strict=True))


def ratios(compared: Comparisons) -> dict[str, tuple[float, float]]:
    """Shift and standard deviation of the quantities compared as ratios, as `attribute` takes them."""
    return {name: (c.shift, c.sd) for name, c in compared.items() if c.quantity.is_ratio}


def compared_quantities(
    benchmark: Benchmark, new: Sequence[ImageRow], config: GateConfig, domain: Domain
) -> tuple[Quantity, ...]:
    """The quantities that both tables allow to compare.

    What the benchmark lacks was not measured yet when it was made; where there is no boundary in enough
    images, there is none to compare.

    Raises
    ------
    IcefloeError
        If a required column is missing, or the new table lacks one that the benchmark has.
    """
    quantities = domain.deciding(config)
    require_columns(benchmark.rows, [q for q in quantities if q.required], "Drift benchmark")
    known = [q for q in quantities if q.is_measured(benchmark.rows)]
    require_columns(new, [q for q in known if q.required or not q.of_boundary], new[0].dataset)
    return tuple(
        q
        for q in known
        if q.required or (len(q.values(new)) >= _MIN_OUTLINES and len(q.values(benchmark.rows)) > 1)
    )


def _compare(
    quantity: Quantity, benchmark: Benchmark, new: Sequence[ImageRow], config: GateConfig
) -> Comparison:
    measured = {e: quantity.of(benchmark.of(e)) for e in benchmark.experiments}
    measured = {e: sized for e, sized in measured.items() if len(sized.values)}
    series, values, matched = [sized.values for sized in measured.values()], quantity.values(new), False
    if quantity.with_size:
        series, values, matched = at_equal_size(list(measured.values()), quantity.of(new), config.min_images)
    means = course_means if matched else experiment_means
    # A shifted dataset may scatter more; that must not count as error of the reference.
    known = means(series)
    return Comparison(
        quantity,
        dict(zip(measured, series, strict=True)),
        values,
        matched,
        means([*series, values])[-1],
        Predictive([k.mean for k in known], [k.squared_error for k in known], config.prior(quantity.spread)),
    )
