"""From datasets to the study: T1, one version more for each dataset that arrives, and their scores."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from icefloe.datasets.dataset import Sample
from icefloe.errors import IcefloeError
from icefloe.evaluation.scores import BinnedCurve
from icefloe.params import load_params
from icefloe.progress import SILENT, Progress
from icefloe.scoring.tally import mask_scores
from icefloe.settings import Settings
from icefloe.statistics.repetitions import over_seeds
from icefloe.training.config import TrainingConfig
from icefloe.training.members import TrainedMember
from icefloe.training.rule import PruningRule
from studies.ea_vs_er.claims import ClaimedEffects, architectures_differ, diversity
from studies.ea_vs_er.design import EA, Design, ImageSplit, er_name
from studies.ea_vs_er.figures import Example
from studies.ea_vs_er.result import (
    DatasetOrigin,
    Diversity,
    EaVsErResult,
    HeldOutImages,
    LabelledSubset,
    PairMatrix,
    Reliability,
    Score,
    TrainedNetwork,
)
from studies.ea_vs_er.scoring import FamilyScores, GridImages, GridPredictions, predict
from studies.kit.data import StudyData, labelled_and_held_back
from studies.kit.training import Network, Trainer


@dataclass(frozen=True)
class Version:
    """All networks, by name, after one training.

    `dataset` is the one of which images were labelled for it, None for T1; `drawn` are those, by seed.
    """

    name: str
    dataset: str | None
    drawn: Mapping[int, Sequence[Sample]]
    trained: Mapping[str, TrainedMember]


def run_ea_vs_er(
    settings: Settings,
    progress: Progress = SILENT,
    *,
    standard: Sequence[str] = (),
    arriving: Sequence[str] = (),
    preset: str = "study",
    n_seeds: int = 6,
) -> EaVsErResult:
    """Train every architecture with every seed, retrain for each arriving dataset, and compare.

    Run again after a kill, it goes on where it stood.

    Parameters
    ----------
    settings
        Paths and services of the workspace.
    progress
        Told of each version and ensemble as it begins.
    standard, arriving
        Datasets of T1, and those that come later, in order; empty: all labelled ones, and all whose labels
        are held back.
    preset
        Name of a preset of `params.yaml`: its members are the architectures, `sampling.k` images of each
        arriving dataset are labelled at random; networks that its pruning refuses are named, not left out.
    n_seeds
        Number of networks of each architecture, at least 3.

    Raises
    ------
    IcefloeError
        If nothing arrives, datasets have more than two classes, there are too few images or seeds, or
        training fails.
    """
    labelled, held_back = labelled_and_held_back(settings.data)
    standard = standard or labelled
    arriving = arriving or [name for name in held_back if name not in standard]
    params = load_params(settings.workspace / "params.yaml", preset)
    design = Design.of(params.training.members, n_seeds)
    _require_different(standard, arriving)
    data = StudyData.load(settings.data, [*standard, *arriving])
    _require_two_classes(data)
    split, n_labels = ImageSplit.of(data, standard, arriving, params.split), params.sampling.k
    trainer = Trainer(data, settings, progress)
    versions = train_versions(trainer, split, design, params.training, n_labels, progress)
    progress.tell("Scoring")
    preprocessing = params.training.preprocessing
    tests = {name: GridImages.of(samples, preprocessing) for name, samples in split.tests.items()}
    validation = GridImages.of(split.validation, preprocessing)

    def predicted(version: Version) -> tuple[GridPredictions, dict[str, GridPredictions]]:
        to_fit, *found = predict(version.trained, validation, *tests.values(), views=params.training.views)
        return to_fit, dict(zip(tests, found, strict=True))

    to_fit, of_tests = predicted(versions[0])
    first = {name: FamilyScores.of(family, to_fit, of_tests) for name, family in design.families.items()}
    later = {f"EA-{v.name}": FamilyScores.of(design.ea, *predicted(v)) for v in versions[1:]}
    ea = {"EA-T1": first[EA], **later}
    ers = {er_name(name): first[er_name(name)] for name in design.architectures}
    errors = {name: found.error_counts() for name, found in of_tests.items()}
    return EaVsErResult(
        architectures=tuple(design.architectures),
        n_seeds=n_seeds,
        size=design.size,
        n_choices=len(design.ea[(0,)]),
        weights=tuple(sorted({member.weights for member in design.architectures.values()})),
        n_labels=n_labels,
        training=params.training,
        datasets=tuple(
            DatasetOrigin(name=name, source=dataset.info.source, departs_by=tuple(dataset.info.shifts))
            for name, dataset in data.datasets.items()
        ),
        train=_keys(split.train),
        validation=_keys(split.validation),
        tests=tuple(
            HeldOutImages(name=name, images=_keys(samples), n_different=len(data.distinct(samples)))
            for name, samples in split.tests.items()
        ),
        labelled_subsets=_labelled_subsets(versions),
        networks=_networks(versions, params.pruning),
        scores=_scores(ea | {name: found for name, found in first.items() if name != EA}, tests),
        effects=(*ClaimedEffects(ea | ers, list(tests)).all(), *architectures_differ(errors, design)),
        fits={name: first[name].mean_fit for name in (EA, *ers)},
        diversity=tuple(
            Diversity(test=test, pairs=kind, **{name: over_seeds(values) for name, values in found.items()})
            for test, counts in errors.items()
            for kind, found in diversity(counts, design).items()
        ),
        reliability=_reliability({name: first[name] for name in (EA, *ers)}, tests),
        pair_matrices=tuple(
            PairMatrix(
                test=test,
                disagreement=counts.disagreement.tolist(),
                error_correlation=counts.error_correlation.tolist(),
            )
            for test, counts in errors.items()
        ),
        examples={name: Example.of(found, {EA: first[EA], **ers}) for name, found in of_tests.items()},
    )


def _labelled_subsets(versions: Sequence[Version]) -> tuple[LabelledSubset, ...]:
    """Images that each seed of a later version learned from."""
    return tuple(
        LabelledSubset(version=version.name, dataset=version.dataset, seed=seed, images=_keys(samples))
        for version in versions
        if version.dataset
        for seed, samples in version.drawn.items()
    )


def _networks(versions: Sequence[Version], pruning: PruningRule) -> tuple[TrainedNetwork, ...]:
    """Every network, and why pruning would refuse it."""
    return tuple(
        TrainedNetwork(
            version=version.name,
            network=name,
            val_pca=member.receipt.val_pca,
            val_iou=member.receipt.val_iou,
            best_epoch=member.receipt.best_epoch,
            refused=pruning.refusal(member.receipt),
        )
        for version in versions
        for name, member in version.trained.items()
    )


def _scores(families: Mapping[str, FamilyScores], tests: Mapping[str, GridImages]) -> tuple[Score, ...]:
    """Scores of every ensemble and of the trivial baselines on every test set."""
    ensembles = tuple(
        Score(
            ensemble=name,
            test=test,
            metric=metric,
            per_seed=tuple(family.per_seed(test, metric).tolist()),
            single=tuple(scored.tests[test].pooled[metric] for scored in family.all),
        )
        for name, family in families.items()
        for test in tests
        for metric in family.all[0].tests[test].pooled
    )
    baselines = tuple(
        Score(ensemble=name, test=test, metric=metric, per_seed=(score,))
        for test, images in tests.items()
        for name, scores in images.baseline_scores().items()
        for metric, score in mask_scores(scores).items()
    )
    return ensembles + baselines


def _reliability(families: Mapping[str, FamilyScores], tests: Iterable[str]) -> tuple[Reliability, ...]:
    """Reliability curves of every ensemble on every test set."""
    return tuple(
        Reliability(
            ensemble=name,
            test=test,
            calibration=BinnedCurve.from_bins(family.bins(test, "calibration")),
            accuracy=BinnedCurve.from_bins(family.bins(test, "accuracy")),
        )
        for test in tests
        for name, family in families.items()
    )


def train_versions(
    trainer: Trainer,
    split: ImageSplit,
    design: Design,
    config: TrainingConfig,
    n_labels: int,
    progress: Progress = SILENT,
) -> list[Version]:
    """Train every network of the design, then retrain it once for each arriving dataset.

    Networks of one seed are shown the same newly labelled images, drawn anew for each seed; so an EA knows
    one set of labels, and different EAs different ones. Versions are T1, T2, ..., one more than datasets
    arrive.
    """
    train, validation = _keys(split.train), _keys(split.validation)
    networks = {name: Network("T1", spec, config, train, validation) for name, spec in design.specs.items()}
    progress.tell(f"T1: {len(networks)} networks on {len(train)} images")
    trained = trainer.train(networks.values())
    versions = [Version("T1", None, {}, dict(zip(networks, trained, strict=True)))]
    for number, dataset in enumerate(split.pools, 2):
        drawn = {seed: split.draw(dataset, n_labels, seed) for seed in design.seeds}
        for name, before in networks.items():
            new = _keys(drawn[before.spec.seed])
            networks[name] = Network(
                version=f"T{number}",
                spec=before.spec,
                config=config.for_retraining(),
                train=(*before.train, *new),
                validation=validation,
                new=new,
                start=before,
            )
        progress.tell(f"T{number}: all of them again, with {n_labels} images of {dataset}")
        trained = trainer.train(networks.values())
        versions.append(Version(f"T{number}", dataset, drawn, dict(zip(networks, trained, strict=True))))
    return versions


def _keys(samples: Sequence[Sample]) -> tuple[str, ...]:
    return tuple(sample.key for sample in samples)


def _require_different(standard: Sequence[str], arriving: Sequence[str]) -> None:
    for names, what, option in (
        (standard, "to train on", "--standard"),
        (arriving, "that arrives", "--arriving"),
    ):
        if not names:
            raise IcefloeError(f"There is no dataset {what}. Name one with {option}.")
    if both := set(standard) & set(arriving):
        raise IcefloeError(f"{min(both)}: named as standard and as arriving. Name it once.")


def _require_two_classes(data: StudyData) -> None:
    for name, dataset in data.datasets.items():
        if len(classes := dataset.info.classes) > 2:
            raise IcefloeError(
                f"{name}: has {len(classes)} classes ({', '.join(classes)}), but EA and ER are compared on "
                "two. Merge the others in its masks."
            )
