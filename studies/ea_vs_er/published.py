"""What Baskaran et al. 2022 publish (arXiv 2209.01908, tables 4 to 6): pixel accuracy and uncertainty."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """Pixel accuracy (pCA) and dataset UQ."""

    pca: float
    uq: float


TESTS = ("D1-D2", "D3", "D4")
"""In order: the standard datasets, and the two that arrive. Nothing is published on D5."""

RESULTS: dict[str, tuple[Published, ...]] = {
    "EA-T1": (Published(0.996, 0.015), Published(0.964, 0.027), Published(0.931, 0.017)),
    "EA-T2": (Published(0.986, 0.016), Published(0.985, 0.010), Published(0.941, 0.032)),
    "EA-T3": (Published(0.975, 0.012), Published(0.984, 0.009), Published(0.962, 0.012)),
    "EA-T4": (Published(0.974, 0.012), Published(0.982, 0.009), Published(0.961, 0.011)),
    "ER vgg19": (Published(0.926, 0.012), Published(0.934, 0.018), Published(0.883, 0.010)),
    "ER resnet18": (Published(0.897, 0.017), Published(0.872, 0.019), Published(0.879, 0.014)),
    "ER densenet121": (Published(0.954, 0.016), Published(0.954, 0.024), Published(0.923, 0.017)),
    "ER densenet201": (Published(0.958, 0.014), Published(0.950, 0.017), Published(0.915, 0.013)),
}
"""One value a test set. The EA by version; ERs are trained on D1 and D2 only."""


def published(who: str, test: int) -> Published | None:
    """The paper's result on its test set at a place in `TESTS`; None where nothing is published."""
    values = RESULTS.get(who, ())
    return values[test] if test < len(values) else None


def published_effect(metric: str, after: Published | None, before: Published | None) -> float | None:
    """Difference in pCA or ratio of UQ between two published results; None where there is none."""
    if after is None or before is None:
        return None
    return {"pca": after.pca - before.pca, "uq": after.uq / before.uq}.get(metric)
