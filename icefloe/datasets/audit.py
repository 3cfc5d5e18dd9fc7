"""What is wrong or remarkable in datasets before anything is trained on them."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from icefloe.datasets.dataset import MASK_SUFFIXES, Dataset, Sample
from icefloe.datasets.duplicates import DuplicateGroup, find_groups
from icefloe.datasets.splits import Split
from icefloe.errors import IcefloeError
from icefloe.scoring.baselines import ALL_BACKGROUND, BASELINES
from icefloe.scoring.metrics import PixelScores, confusion_matrix, pixel_scores, scores_from_confusion
from icefloe.tables import markdown_text
from icefloe.typing import IGNORE, FloatArray, MaskArray


@dataclass(frozen=True)
class DatasetAudit:
    """Counts and trivial baselines of one dataset.

    Attributes
    ----------
    name, experiment
        As in `dataset.yaml`.
    n_images, n_labelled
        Images, and those of them with a usable mask.
    foreground
        Part of the labelled pixels that is not background; None without labels.
    baselines
        What a method that learns nothing scores on the labelled images, pooled over pixels: `all
        background`, and `Otsu` (each image thresholded by Otsu's method, the brighter or the darker side,
        whichever is better).
    """

    name: str
    experiment: str
    n_images: int
    n_labelled: int
    foreground: float | None
    baselines: dict[str, PixelScores]


@dataclass(frozen=True)
class AnnotatorPair:
    """Two labels of one image, which show how well people agree: no claim above it means anything."""

    keys: tuple[str, str]
    agreement: PixelScores


@dataclass(frozen=True)
class AuditReport:
    """All findings; `problems` and `leaks` are what must be fixed.

    Attributes
    ----------
    datasets
        Counts and baselines by dataset.
    groups
        Groups of images that are duplicates of each other.
    annotators
        Pairs of labels of identical images.
    problems
        One line for each image or mask that can't be used.
    leaks
        Groups of duplicates that stand on two sides of the split.
    """

    datasets: tuple[DatasetAudit, ...]
    groups: tuple[DuplicateGroup, ...]
    annotators: tuple[AnnotatorPair, ...]
    problems: tuple[str, ...]
    leaks: tuple[DuplicateGroup, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing must be fixed."""
        return not self.problems and not self.leaks

    def sentence(self) -> str:
        """The report in one line."""
        n_images = sum(dataset.n_images for dataset in self.datasets)
        n_labelled = sum(dataset.n_labelled for dataset in self.datasets)
        parts = [
            f"{n_images} images in {_count(len(self.datasets), 'dataset')}",
            f"{n_labelled} labelled",
            f"{_count(len(self.groups), 'duplicate group')}",
            f"{_count(len(self.leaks), 'group')} on two sides of the split",
            f"{_count(len(self.problems), 'problem')}",
        ]
        return ", ".join(parts) + "."

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for YAML and JSON."""
        return asdict(self)

    def to_markdown(self) -> str:
        """The report as Markdown tables and lists."""
        lines = [
            "# Data audit",
            "",
            self.sentence(),
            "",
            "| dataset | images | labelled | foreground | baseline | pCA | IoU | Dice |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for dataset in self.datasets:
            shown = markdown_text(dataset.name)
            foreground = "" if dataset.foreground is None else f"{dataset.foreground:.3f}"
            counts = f"| {shown} | {dataset.n_images} | {dataset.n_labelled} | {foreground} |"
            for name, score in dataset.baselines.items():
                lines.append(f"{counts} {name} | {_row(score)} |")
            if not dataset.baselines:
                lines.append(f"{counts} | | | |")
        if self.annotators:
            lines += ["", "## Annotator ceiling", ""]
            lines += ["| same image | pCA | IoU | Dice |", "|---|---|---|---|"]
            lines += [
                f"| {markdown_text(' = '.join(pair.keys))} | {_row(pair.agreement)} |"
                for pair in self.annotators
            ]
        if self.groups:
            lines += ["", "## Duplicates", ""]
            lines += [f"- {group.kind}: {markdown_text(', '.join(group.keys))}" for group in self.groups]
        if self.leaks:
            lines += ["", "## On two sides of the split", ""]
            lines += [f"- {group.kind}: {markdown_text(', '.join(group.keys))}" for group in self.leaks]
        if self.problems:
            lines += ["", "## Problems", "", *(f"- {markdown_text(problem)}" for problem in self.problems)]
        return "\n".join(lines) + "\n"


def audit(datasets: Sequence[Dataset], split: Split | None = None) -> AuditReport:
    """Look at every image and mask of the datasets; an unusable file is a finding here, not an error.

    Parameters
    ----------
    datasets
        Datasets to look at together.
    split
        If given, groups of duplicates are looked up in it.

    Returns
    -------
    AuditReport
    """
    problems: list[str] = []
    usable: list[Sample] = []
    masks: dict[str, MaskArray] = {}
    audits = []
    for dataset in datasets:
        images: dict[str, FloatArray] = {}
        for sample in dataset.samples:
            if (image := _collect(sample.image, problems)) is not None:
                images[sample.key] = image
                usable.append(sample)
                if sample.is_labelled and (mask := _collect(sample.mask, problems)) is not None:
                    masks[sample.key] = mask
                if sample.has_truth:
                    _collect(sample.truth, problems)
        problems += _suspicious_masks(dataset, masks)
        problems += _masks_without_image(dataset)
        audits.append(_audit_one(dataset, images, masks))
    groups = find_groups(usable)
    pairs = [
        AnnotatorPair(pair, pixel_scores(_foreground(masks[pair[0]]), _foreground(masks[pair[1]])))
        for group in groups
        if group.kind == "exact"
        for pair in combinations((key for key in group.keys if key in masks), 2)
    ]
    leaks = [group for group in groups if split is not None and _n_sides(group, split) > 1]
    return AuditReport(tuple(audits), tuple(groups), tuple(pairs), tuple(problems), tuple(leaks))


def _collect(read: Callable[[], FloatArray | MaskArray], problems: list[str]) -> Any:
    try:
        return read()
    except IcefloeError as error:
        problems.append(str(error))
        return None


def _audit_one(dataset: Dataset, images: dict[str, FloatArray], masks: dict[str, MaskArray]) -> DatasetAudit:
    keys = [sample.key for sample in dataset.labelled if sample.key in masks]
    foreground, baselines = None, {}
    if keys:
        truth = [_foreground(masks[key]) for key in keys]
        scores = {
            name: scores_from_confusion(
                np.sum(
                    [confusion_matrix(m, baseline(images[k])) for k, m in zip(keys, truth, strict=True)], 0
                )
            )
            for name, baseline in BASELINES.items()
        }
        labelled = np.concatenate([mask[mask != IGNORE] for mask in truth])
        foreground = float(labelled.mean(dtype=np.float64)) if len(labelled) else None
        baselines = {
            ALL_BACKGROUND: scores.pop(ALL_BACKGROUND),
            "Otsu": max(scores.values(), key=lambda score: score.dice),
        }
    return DatasetAudit(
        dataset.name, dataset.info.experiment, len(dataset.samples), len(keys), foreground, baselines
    )


def _foreground(mask: MaskArray) -> MaskArray:
    """The mask with all classes but the background as one."""
    return np.where(mask == IGNORE, mask, mask > 0).astype(np.uint8)


def _suspicious_masks(dataset: Dataset, masks: dict[str, MaskArray]) -> list[str]:
    """Masks put in by hand as 0/255, where 255 would silently mean ignore."""
    found = [sample for sample in dataset.labelled if sample.key in masks]
    values = {int(value) for sample in found for value in np.unique(masks[sample.key])}
    if values != {0, IGNORE}:
        return []
    return [
        f"{dataset.path / 'masks'}: the masks hold only 0 and 255, and 255 means ignore. "
        "Import them with `icefloe data import`, which makes 255 the second class."
    ]


def _masks_without_image(dataset: Dataset) -> list[str]:
    stems = {sample.stem for sample in dataset.samples}
    return [
        f"{path}: no image to go with this label. Name it as its image is named, or remove it."
        for folder in ("masks", "truth")
        for path in sorted((dataset.path / folder).glob("*"))
        if path.suffix.lower() in MASK_SUFFIXES and path.stem not in stems
    ]


def _n_sides(group: DuplicateGroup, split: Split) -> int:
    return len({side for key in group.keys if (side := split.side(key)) is not None})


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _row(score: PixelScores) -> str:
    return f"{score.accuracy:.4f} | {score.iou:.3f} | {score.dice:.3f}"
