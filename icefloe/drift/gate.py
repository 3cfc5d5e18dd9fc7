"""The gate: one dataset against the benchmark, one outcome."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from icefloe.drift.attribution import attribute
from icefloe.drift.benchmark import Benchmark
from icefloe.drift.comparison import Comparison, adjusted_p_values, compare, compared_quantities, ratios
from icefloe.drift.config import GateConfig
from icefloe.drift.domain import Domain, NoiseRule
from icefloe.drift.ice import ICE
from icefloe.drift.predicted_dice import EXPECTED_DICE, DiceModels, PredictedDice, predict_dice
from icefloe.drift.quantities import Quantity
from icefloe.drift.report import GateReport, Outcome
from icefloe.drift.results import EvidenceResult, NoiseDecision
from icefloe.ensemble.rows import ImageRow, columns, in_time_order
from icefloe.errors import IcefloeError


def check(
    benchmark: Benchmark,
    new_rows: Iterable[ImageRow],
    config: GateConfig | None = None,
    domain: Domain = ICE,
) -> GateReport:
    """Judge a new dataset.

    Uncertainty and each kind of input evidence are tested against the predictive distribution of a
    further experiment of the benchmark's kind (`statistics`), with Holm's correction, so that such an
    experiment is called anything but accepted with a probability of at most `config.alpha`. Uncertainty
    counts when it is larger, input evidence either way: an ensemble can be confidently wrong where the images
    have changed.

    Parameters
    ----------
    benchmark : Benchmark
        Rows of the experiments accepted so far.
    new_rows : iterable of ImageRow
        One dataset's rows, in any order; scores of the same ensemble as the benchmark's.
    config : GateConfig, optional
        Error rates and assumptions; by default those of `GateConfig`.
    domain : Domain
        Quantities to compare, and the causes a shift may have.

    Returns
    -------
    GateReport
        `noisy` when edges in the images cannot be seen (`noise_decision`), else `shifted` when any quantity
        is significant, else `accept`; `inconclusive` with fewer than `config.min_images` images or a
        benchmark of one image.

    Raises
    ------
    IcefloeError
        If the rows are of several datasets, a column that decides is missing, or the settings name a
        quantity that the domain lacks.
    """
    config = config or GateConfig()
    new = in_time_order(new_rows)
    dataset = _one_dataset(new)
    deciding = compared_quantities(benchmark, new, config, domain)
    report = GateReport(
        outcome="inconclusive",
        dataset=dataset,
        decided_by=(),
        evidence=(),
        noise=None,
        n_images=len(new),
        reference_experiments=benchmark.experiments,
        alpha=config.alpha,
        reason=_too_few(benchmark, new, deciding, config),
    )
    if report.reason:
        return report

    compared = compare(benchmark, new, deciding, config)
    evidence = _decided(compared, config, domain)
    decided_by = tuple(result.name for result in evidence if result.significant)
    outcome: Outcome = "shifted" if decided_by else "accept"
    noise = domain.noise and noise_decision(benchmark, new, config, domain.noise, evidence)
    if noise and noise.is_noisy:
        outcome, decided_by = "noisy", noise.because
    return report.model_copy(
        update={
            "outcome": outcome,
            "decided_by": decided_by,
            "evidence": evidence + _only_shown(benchmark, new, config, domain),
            "noise": noise,
            "not_compared": tuple(q.words for q in domain.deciding(config) if q not in deciding),
            "predicted": _predicted(benchmark, new, evidence, domain),
            "attribution": None if outcome == "accept" else attribute(ratios(compared), domain),
        }
    )


def _one_dataset(rows: Sequence[ImageRow]) -> str:
    names = sorted({row.dataset for row in rows})
    if len(names) != 1:
        raise IcefloeError(
            f"Drift gate: the table holds {len(names)} datasets ({', '.join(names) or 'no rows'}). Check "
            "one dataset at a time."
        )
    return names[0]


def _decided(
    compared: Mapping[str, Comparison], config: GateConfig, domain: Domain
) -> tuple[EvidenceResult, ...]:
    """The quantities that take part in the decision, with Holm's p-values."""
    level = config.alpha / len(compared)
    return tuple(
        _result(compared[name], level, name == domain.uncertainty.name).decided(p, p < config.alpha)
        for name, p in adjusted_p_values(compared).items()
    )


def _only_shown(
    benchmark: Benchmark, new: Sequence[ImageRow], config: GateConfig, domain: Domain
) -> tuple[EvidenceResult, ...]:
    """Other scores that both have on enough images; they take no part in the decision."""
    new_columns = {name for row in new for name in row.values}
    common = new_columns & {name for row in benchmark.rows for name in row.values}
    quantities = (
        quantity
        for quantity in domain.other_scores(config, common)
        if len(quantity.values(new)) >= config.min_images and len(quantity.values(benchmark.rows)) > 1
    )
    return tuple(
        _result(comparison, config.alpha, of_prediction=True)
        for comparison in compare(benchmark, new, quantities, config).values()
    )


def _predicted(
    benchmark: Benchmark, new: Sequence[ImageRow], evidence: Sequence[EvidenceResult], domain: Domain
) -> PredictedDice | None:
    """None where the domain has no fit, or the table is of before there was one."""
    if domain.dice_file is None or not any(EXPECTED_DICE in row.values for row in new):
        return None
    return predict_dice(DiceModels.load(domain.dice_file), benchmark.rows, new, evidence)


def noise_decision(
    benchmark: Benchmark,
    new: Sequence[ImageRow],
    config: GateConfig,
    rule: NoiseRule,
    evidence: Sequence[EvidenceResult],
) -> NoiseDecision:
    """Whether the dataset is too noisy for labels to help.

    All three must hold: a quantity of the rule is significantly worse than the benchmark's; the
    contrast-to-noise ratio is below that of the benchmark's poorest experiment by `config.noise_margin` (a
    benchmark that was labelled at several doses shows what can be labelled); and an edge cannot be seen over
    `config.readable_length_px`.
    """
    snr = _typical(new, rule.snr)
    poorest = min(_typical(benchmark.of(experiment), rule.snr) for experiment in benchmark.experiments)
    because = tuple(
        result.name
        for result in evidence
        if result.significant
        and (
            (result.name in rule.higher and result.effect > 1)
            or (result.name in rule.lower and result.effect < 1)
        )
    )
    limit = min(poorest / config.noise_margin, config.readable_snr)
    return NoiseDecision(
        is_noisy=bool(because) and snr < limit,
        snr=snr,
        reference_snr=poorest,
        margin=config.noise_margin,
        readable_snr=config.readable_snr,
        readable_length_px=config.readable_length_px,
        because=because,
    )


def _typical(rows: Sequence[ImageRow], column: str) -> float:
    values = columns(rows, [column])
    return float(np.nanmedian(values)) if np.isfinite(values).any() else np.nan


def _too_few(
    benchmark: Benchmark, new: Sequence[ImageRow], deciding: Sequence[Quantity], config: GateConfig
) -> str:
    """The reason why nothing can be decided, and the remedy; empty if there are enough images."""
    required = [quantity for quantity in deciding if quantity.required]
    n_usable = min(len(quantity.values(new)) for quantity in required)
    if n_usable < config.min_images:
        n_unusable = len(new) - n_usable
        unusable = f" ({n_unusable} of {len(new)} have no usable score)" if n_unusable else ""
        return (
            f"it has {n_usable} usable image{'' if n_usable == 1 else 's'}{unusable} and {config.min_images} "
            f"are needed. Take {config.min_images - n_usable} more, or look at these yourself"
        )
    if min(len(quantity.values(benchmark.rows)) for quantity in required) < 2:
        return "the benchmark has fewer than 2 usable images. Evaluate the ensemble on more held-out images"
    return ""


def _result(found: Comparison, level: float, of_prediction: bool) -> EvidenceResult:
    quantity, predictive = found.quantity, found.predictive
    test = predictive.test(found.mean, quantity.alternative, level)

    def natural(values: NDArray[np.float64]) -> tuple[float, ...]:
        if quantity.is_ratio:
            return tuple(np.exp(values[:, 0]).tolist())
        return tuple(np.linalg.norm(values - predictive.mean, axis=1).tolist())

    scale = np.exp if quantity.is_ratio else np.asarray
    return EvidenceResult(
        name=quantity.name,
        words=quantity.words,
        alternative=quantity.alternative,
        is_ratio=quantity.is_ratio,
        reference_mean=float(np.exp(predictive.mean[0])) if quantity.is_ratio else 0.0,
        new_mean=float(np.exp(found.mean.mean[0])) if quantity.is_ratio else test.effect,
        statistic=test.statistic,
        p_value=test.p_value,
        adjusted_p_value=None,
        significant=False,
        effect=float(scale(test.effect)),
        low=float(scale(test.low)),
        high=float(scale(test.high)),
        threshold=float(scale(test.critical)),
        n_images=found.mean.n_images,
        n_effective=found.mean.n_effective,
        reference_values={e: natural(values) for e, values in found.reference.items()},
        new_values=natural(found.new),
        at_equal_size=found.at_equal_size,
        of_prediction=of_prediction,
    )
