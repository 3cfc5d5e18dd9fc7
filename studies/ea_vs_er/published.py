"""What Baskaran et al. 2022 publish (arXiv 2209.01908, tables 4 to 6): pixel accuracy and uncertainty."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """Pixel accuracy (pCA) and dataset UQ."""

    pca: float
    uq: float


def _results(*pairs: tuple[float, float]) -> tuple[Published, ...]:
    return tuple(Published(pca, uq) for pca, uq in pairs)


RESULTS: dict[str, tuple[Published, ...]] = {
    "EA-T1": _results((0.996, 0.015), (0.964, 0.027), (0.931, 0.017)),
    "EA-T2": _results((0.986, 0.016), (0.985, 0.010), (0.941, 0.032)),
    "EA-T3": _results((0.975, 0.012), (0.984, 0.009), (0.962, 0.012)),
    "EA-T4": _results((0.974, 0.012), (0.982, 0.009), (0.961, 0.011)),
    "ER vgg19": _results((0.926, 0.012), (0.934, 0.018), (0.883, 0.010)),
    "ER resnet18": _results((0.897, 0.017), (0.872, 0.019), (0.879, 0.014)),
    "ER densenet121": _results((0.954, 0.016), (0.954, 0.024), (0.923, 0.017)),
    "ER densenet201": _results((0.958, 0.014), (0.950, 0.017), (0.915, 0.013)),
}
"""On D1-D2, D3 and D4; nothing is published on D5. The EA by version; ERs are trained on D1 and D2 only."""


def published(ensemble: str, test_index: int) -> Published | None:
    """The paper's result on its standard test set (0) or the n-th that arrives; None: none is published."""
    values = RESULTS.get(ensemble, ())
    return values[test_index] if test_index < len(values) else None


def published_effect(metric: str, after: Published | None, before: Published | None) -> float | None:
    """Difference in pCA or ratio of UQ between two published results; None where there is none."""
    if after is None or before is None:
        return None
    return {"pca": after.pca - before.pca, "uq": after.uq / before.uq}.get(metric)
