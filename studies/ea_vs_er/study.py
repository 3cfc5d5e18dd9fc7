"""`icefloe study ea-vs-er`: from datasets to a page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from matplotlib.figure import Figure

from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.splits import SplitConfig
from icefloe.errors import IcefloeError
from icefloe.scoring.diversity import ErrorCounts
from icefloe.statistics.repetitions import over_seeds
from icefloe.training.config import TrainingConfig
from icefloe.training.pruning import PruningRule
from studies.ea_vs_er import page
from studies.ea_vs_er.claims import Claim
from studies.ea_vs_er.design import EA, Design, er_name
from studies.ea_vs_er.figures import (
    calibration_figure,
    diversity_figure,
    scores_figure,
    versions_figure,
)
from studies.ea_vs_er.maps import Example, maps_figure
from studies.ea_vs_er.measured import architectures_differ, measure_claims
from studies.ea_vs_er.pairs import diversity
from studies.ea_vs_er.parts import Parts
from studies.ea_vs_er.results import FamilyScores
from studies.ea_vs_er.scoring import Scenes, Seen, baseline_scores, error_counts
from studies.ea_vs_er.versions import Version, Where, train_versions
from studies.material import Material


@dataclass(frozen=True, eq=False)
class EaVsErStudy:
    """What was found.

    Attributes
    ----------
    design, config, infos, parts, n_labels
        What was compared, how it was trained, on which datasets and images of them, and how many labels each
        arriving dataset gave.
    pruning
        When the preset would have left a network out of an ensemble; here none is left out.
    versions
        T1, T2, ...
    first
        Every family of ensembles of T1.
    ea
        The EA of each version.
    baselines
        Test set -> trivial baseline -> scores.
    errors
        Test set -> where T1's networks err.
    examples
        Test set -> an image as T1's ensembles see it.
    """

    name: ClassVar[str] = "ea-vs-er"
    title: ClassVar[str] = "Ensembles of architectures against ensembles of seeds"

    design: Design
    config: TrainingConfig
    infos: tuple[DatasetInfo, ...]
    parts: Parts
    n_labels: int
    pruning: PruningRule
    versions: tuple[Version, ...]
    first: dict[str, FamilyScores]
    ea: tuple[FamilyScores, ...]
    baselines: dict[str, dict[str, dict[str, float]]]
    errors: dict[str, ErrorCounts]
    examples: dict[str, Example]

    @property
    def tests(self) -> list[str]:
        """Test sets, the standard one first."""
        return list(self.parts.tests)

    @property
    def compared(self) -> list[str]:
        """The ensembles of one size: the EA, then every ER."""
        return [EA, *map(er_name, self.design.architectures)]

    @cached_property
    def claims(self) -> list[Claim]:
        """Every claim with its verdict."""
        return [
            *measure_claims(self.first, self.ea, list(self.design.architectures), self.tests),
            *architectures_differ(self.errors, self.design),
        ]

    @property
    def families(self) -> dict[str, FamilyScores]:
        """Rows of the score tables by name: the EA's versions, then everything else of T1."""
        versions = {f"EA-{version.name}": ea for version, ea in zip(self.versions, self.ea, strict=True)}
        return versions | {name: family for name, family in self.first.items() if name != EA}

    def to_markdown(self) -> str:
        """The page's text."""
        return page.text(self)

    def figures(self) -> Mapping[str, Figure]:
        """By the names in the text."""
        return {
            "scores": scores_figure(self.first, self.compared, self.tests),
            "versions": versions_figure(self.ea, self.tests),
            "calibration": calibration_figure(self.first, self.compared, self.tests),
            "maps": maps_figure(self.examples),
            "diversity": diversity_figure(self.errors, list(self.design.specs)),
        }

    def to_dict(self) -> dict[str, Any]:
        """Every number."""
        metrics = next(iter(self.ea[0].all)).tests[self.tests[0]].pooled
        return {
            "seeds": self.design.n_seeds,
            "members_of_an_ensemble": self.design.size,
            "training": self.config.model_dump(mode="json"),
            "images": {
                "train": [sample.key for sample in self.parts.train],
                "validation": [sample.key for sample in self.parts.validation],
                "tests": {
                    name: [sample.key for sample in samples] for name, samples in self.parts.tests.items()
                },
                "drawn": {version.name: version.drawn for version in self.versions if version.learned},
            },
            "networks": {
                version.name: {
                    name: {
                        "val_pca": network.receipt.val_pca,
                        "val_iou": network.receipt.val_iou,
                        "best_epoch": network.receipt.best_epoch,
                        "refused": self.pruning.refusal(network.receipt.val_pca, network.receipt.val_iou),
                    }
                    for name, network in version.networks.items()
                }
                for version in self.versions
            },
            "scores": {
                name: {
                    test: {
                        metric: family.estimate(test, metric).model_dump()
                        | {"per_seed": family.per_seed(test, metric).tolist()}
                        for metric in metrics
                    }
                    for test in self.tests
                }
                for name, family in self.families.items()
            },
            "baselines": self.baselines,
            "claims": [claim.to_dict() for claim in self.claims],
            "diversity": {
                test: {
                    kind: {measure: over_seeds(values).model_dump() for measure, values in measures.items()}
                    for kind, measures in diversity(counts, self.design).items()
                }
                for test, counts in self.errors.items()
            },
        }


def run_ea_vs_er(
    material: Material,
    standard: Sequence[str],
    arriving: Sequence[str],
    config: TrainingConfig,
    *,
    split: SplitConfig,
    pruning: PruningRule,
    n_labels: int,
    n_seeds: int,
    where: Where,
    tell: Callable[[str], None],
) -> EaVsErStudy:
    """Train every architecture with every seed, retrain for each arriving dataset, and compare.

    Run again after a kill, it goes on where it stood.

    Parameters
    ----------
    material
        All datasets named.
    standard
        Datasets of T1.
    arriving
        Those that come later, in order.
    config
        Its members are the architectures.
    split
        Of the standard datasets.
    pruning
        What the preset asks of a member; networks that fail it are named, not left out.
    n_labels
        Images labelled of each arriving dataset, at random.
    n_seeds
        Networks of each architecture.
    where
        Checkpoints and the like.
    tell
        Told what begins.

    Raises
    ------
    IcefloeError
        If nothing arrives, datasets have more than two classes, there are too few images or seeds, or
        training fails.
    """
    design = Design.of(config.members, n_seeds)
    _require_datasets(material, standard, arriving)
    parts = Parts.of(material, standard, arriving, split)
    versions = train_versions(material, parts, design, config, n_labels, where, tell)
    tell("Scoring")
    scenes = {name: Scenes.of(samples, config.preprocessing) for name, samples in parts.tests.items()}
    validation = Scenes.of(parts.validation, config.preprocessing)

    def seen_by(version: Version) -> tuple[Seen, dict[str, Seen]]:
        to_fit, *tests = Seen.by(version.networks, validation, *scenes.values())
        return to_fit, dict(zip(scenes, tests, strict=True))

    to_fit, tests = seen_by(versions[0])
    first = {name: FamilyScores.of(family, to_fit, tests) for name, family in design.families.items()}
    compared = [EA, *map(er_name, design.architectures)]
    return EaVsErStudy(
        design=design,
        config=config,
        infos=tuple(material.datasets[name].info for name in (*standard, *arriving)),
        parts=parts,
        n_labels=n_labels,
        pruning=pruning,
        versions=tuple(versions),
        first=first,
        ea=(first[EA], *(FamilyScores.of(design.ea, *seen_by(version)) for version in versions[1:])),
        baselines={name: baseline_scores(images) for name, images in scenes.items()},
        errors={name: error_counts(seen) for name, seen in tests.items()},
        examples={name: Example.of(seen, first, compared) for name, seen in tests.items()},
    )


def _require_datasets(material: Material, standard: Sequence[str], arriving: Sequence[str]) -> None:
    if not standard or not arriving:
        what = "to train on" if not standard else "that arrives"
        option = "--standard" if not standard else "--arriving"
        raise IcefloeError(f"There is no dataset {what}. Name one with {option}.")
    if both := set(standard) & set(arriving):
        raise IcefloeError(f"{min(both)}: named as standard and as arriving. Name it once.")
    for name in (*standard, *arriving):
        classes = material.datasets[name].info.classes
        if len(classes) > 2:
            raise IcefloeError(
                f"{name}: has {len(classes)} classes ({', '.join(classes)}), but EA and ER are compared on "
                "two. Merge the others in its masks."
            )
