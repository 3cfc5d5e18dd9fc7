"""The gate: one dataset against the benchmark, one outcome."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from icefloe.drift.benchmark import Benchmark, ImageRecord, image_records, in_time_order
from icefloe.drift.config import GateConfig
from icefloe.drift.quantities import Quantity, deciding_quantities, reported_quantities, require_columns
from icefloe.drift.report import EvidenceResult, GateReport, NoiseDecision, Outcome
from icefloe.drift.statistics import Predictive, experiment_means, holm
from icefloe.errors import IcefloeError


def check(
    benchmark: Benchmark, new_rows: Iterable[Mapping[str, Any]], config: GateConfig | None = None
) -> GateReport:
    """Judge a new dataset.

    Uncertainty and four kinds of input evidence are each tested against the predictive distribution of a
    further experiment of the benchmark's kind (`statistics`), with Holm's correction, so that such an
    experiment is called anything but accepted with a probability of at most `config.alpha`. Uncertainty
    counts when it is larger, input evidence either way: an ensemble can be confidently wrong where the images
    have changed.

    Parameters
    ----------
    benchmark : Benchmark
    new_rows : iterable of mappings
        One dataset's rows, as `image_records` reads them; scores of the same ensemble as the benchmark's.
    config : GateConfig, optional

    Returns
    -------
    GateReport
        `noisy` when the images can't be read (`noise_decision`), else `shifted` when any quantity is
        significant, else `accept`; `inconclusive` with fewer than `config.min_images` images or a benchmark
        of one image.

    Raises
    ------
    IcefloeError
        If the rows are of several datasets, or a column that decides is missing.
    """
    config = config or GateConfig()
    new = in_time_order(image_records(new_rows))
    names = sorted({record.dataset for record in new})
    if len(names) != 1:
        raise IcefloeError(
            f"Drift gate: the table holds {len(names)} datasets ({', '.join(names) or 'no rows'}). Check "
            f"one dataset at a time."
        )
    deciding = deciding_quantities(config)
    require_columns(benchmark.records, deciding, "Drift benchmark")
    require_columns(new, deciding, names[0])
    usable = min(len(quantity.values(new)) for quantity in deciding)
    too_few = _too_few(benchmark, deciding, len(new), usable, config)
    if too_few:
        return GateReport(
            "inconclusive", names[0], (), (), None, len(new), benchmark.experiments, config.alpha, too_few
        )

    level = config.alpha / len(deciding)
    results = [_compare(quantity, benchmark, new, config, level) for quantity in deciding]
    adjusted = holm([result.p_value for result in results])
    evidence = tuple(result.decided(p, p < config.alpha) for result, p in zip(results, adjusted, strict=True))
    columns = {name for record in new for name in record.features} & {
        name for record in benchmark.records for name in record.features
    }
    others = tuple(
        _compare(quantity, benchmark, new, config, config.alpha)
        for quantity in reported_quantities(config, columns)
        if len(quantity.values(new)) >= config.min_images and len(quantity.values(benchmark.records)) > 1
    )
    noise = noise_decision(benchmark, new, config, evidence)
    significant = tuple(result.name for result in evidence if result.significant)
    outcome: Outcome = "noisy" if noise.is_noisy else "shifted" if significant else "accept"
    decided_by = noise.because if noise.is_noisy else significant
    return GateReport(
        outcome,
        names[0],
        decided_by,
        evidence + others,
        noise,
        len(new),
        benchmark.experiments,
        config.alpha,
        "",
    )


def noise_decision(
    benchmark: Benchmark,
    new: Sequence[ImageRecord],
    config: GateConfig,
    evidence: Sequence[EvidenceResult],
) -> NoiseDecision:
    """Whether the dataset is too noisy for labels to help.

    All three must hold: its noise is significantly higher or its contrast lower than the benchmark's; its
    contrast-to-noise ratio is below that of the benchmark's poorest experiment by `config.noise_margin` (a
    benchmark that was labelled at several doses shows what can be labelled); and an edge can't be seen over
    `config.readable_length_px`.
    """
    snr = _typical_snr(new)
    poorest = min(_typical_snr(benchmark.of(experiment)) for experiment in benchmark.experiments)
    because = tuple(
        result.name
        for result in evidence
        if result.significant
        and (
            (result.name == "noise" and result.effect > 1)
            or (result.name == "contrast" and result.effect < 1)
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


def _typical_snr(records: Sequence[ImageRecord]) -> float:
    values = np.array([record.features.get("snr", np.nan) for record in records])
    return float(np.nanmedian(values))


def _too_few(
    benchmark: Benchmark, deciding: Sequence[Quantity], n_images: int, usable: int, config: GateConfig
) -> str:
    if usable < config.min_images:
        unusable = f" ({n_images - usable} of {n_images} have no usable score)" if usable < n_images else ""
        return (
            f"it has {usable} usable images{unusable} and {config.min_images} are needed; take more images, "
            "or look at these yourself"
        )
    if min(len(quantity.values(benchmark.records)) for quantity in deciding) < 2:
        return "the benchmark has fewer than two usable images; evaluate the ensemble on more held-out images"
    return ""


def _compare(
    quantity: Quantity, benchmark: Benchmark, new: Sequence[ImageRecord], config: GateConfig, level: float
) -> EvidenceResult:
    reference = {e: quantity.values(benchmark.of(e)) for e in benchmark.experiments}
    reference = {e: values for e, values in reference.items() if len(values)}
    new_values = quantity.values(new)
    # A shifted dataset may scatter more; that must not count as error of the reference.
    known = experiment_means(list(reference.values()))
    mean = experiment_means([*reference.values(), new_values])[-1]
    predictive = Predictive(
        [k.mean for k in known], [k.squared_error for k in known], config.prior(quantity.spread)
    )
    test = predictive.test(mean, quantity.alternative, level)

    def natural(values: np.ndarray) -> tuple[float, ...]:
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
        new_mean=float(np.exp(mean.mean[0])) if quantity.is_ratio else test.effect,
        statistic=test.statistic,
        p_value=test.p_value,
        adjusted_p_value=None,
        significant=False,
        effect=float(scale(test.effect)),
        low=float(scale(test.low)),
        high=float(scale(test.high)),
        threshold=float(scale(test.critical)),
        n_images=mean.n_images,
        n_effective=mean.n_effective,
        reference_values={e: natural(values) for e, values in reference.items()},
        new_values=natural(new_values),
    )
