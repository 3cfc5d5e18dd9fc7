"""Several comparisons at once."""

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values: rejecting those below alpha keeps the chance of any false alarm below alpha.

    S. Holm, A simple sequentially rejective multiple test procedure, Scand. J. Statist. 6 (1979).
    """
    from statsmodels.stats.multitest import multipletests  # a second of imports, for gates and studies only

    return [float(p) for p in multipletests(p_values, method="holm")[1]] if len(p_values) else []


def simultaneous(n_comparisons: int, confidence: float = 0.95) -> float:
    """Confidence of each interval with which all of them hold together at `confidence` (Bonferroni)."""
    return 1 - (1 - confidence) / n_comparisons
