"""Register a session as the next version FS-Tn, judged on labelled datasets if there are any."""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from icefloe.datasets.dataset import Dataset, Sample, load_datasets
from icefloe.datasets.git import code_revision
from icefloe.datasets.versions import current_version
from icefloe.ensemble.segmenter import Segmenter
from icefloe.errors import IcefloeError
from icefloe.evaluation.compare import compare
from icefloe.evaluation.evaluate import Evaluation, evaluate
from icefloe.evaluation.promotion import PromotionReport
from icefloe.evaluation.rule import PromotionRule
from icefloe.files import sha256_file
from icefloe.progress import SILENT, Progress, tracked
from icefloe.registry.families import FS
from icefloe.registry.history import current_user
from icefloe.registry.lineage import DataState, LabelledImage, Lineage, member_hashes, package_versions
from icefloe.registry.registry import Registry
from icefloe.registry.version import Version
from icefloe.settings import Settings
from icefloe.workflow.fewshot_begin import SOURCE, Begun, begin_session, fitted


@dataclass(frozen=True)
class RegisteredSession:
    """A session that became a version.

    Attributes
    ----------
    version
        The version.
    report
        Of the promotion gate; None: there was nothing to judge it on.
    notes
        What should be known of the supports and the encoder.
    """

    version: Version
    report: PromotionReport | None
    notes: tuple[str, ...]

    def sentence(self) -> str:
        """What it is called, and what was found."""
        name = self.version.name
        if self.report is None:
            return f"{name} is registered; no labelled dataset was named to judge it on."
        return f"{name} is registered. {self.report.sentence()}"


def register_session(
    settings: Settings,
    session: Path,
    image: Path | None = None,
    datasets: Sequence[str] = (),
    author: str | None = None,
    progress: Progress = SILENT,
) -> RegisteredSession:
    """Make a session the next version of its family, with its image, supports and weights as lineage.

    Parameters
    ----------
    settings
        Name the registry.
    session
        The session's file.
    image
        Its image; None: the one beside it.
    datasets
        Labelled datasets whose images it is scored on, its own left out. Their classes must be called as the
        session's sets are, in the same order.
    author
        Who chose the supports; None: the user of this process.
    progress
        Told of images that are scored.

    Raises
    ------
    IcefloeError
        If the session or its image can't be used, or a dataset has other classes or no label.
    """
    begun = begin_session(session, [image] if image else ())
    model = fitted(settings, begun, progress)
    result = model.classify(begun.picture)
    model = model.with_result(result)
    support_hash = sha256_file(begun.path)
    chosen = load_datasets(settings.data, datasets) if datasets else {}
    samples = [] if not chosen else list(_judged(chosen, model.classes, support_hash))
    registry = Registry(settings, FS)
    evaluation = _evaluated(model, samples, progress)
    report = None
    if samples:
        report = _judged_by_champion(registry, evaluation, samples, progress)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "model")
        model.save(folder, settings.weights_dir)
        lineage = _lineage(settings, folder, begun, chosen, author or current_user())
        version = registry.register(folder, lineage, evaluation)
    if report is not None:
        report = report.model_copy(update={"challenger": version.name})
        registry.attach_report(version.name, report)
    notes = (*begun.picture.notes, *model.encoder.notes, *result.notes)
    return RegisteredSession(registry.get(version.name), report, notes)


def _judged_by_champion(
    registry: Registry, evaluation: Evaluation, samples: Sequence[Sample], progress: Progress
) -> PromotionReport:
    """The promotion gate's report; beside the family's champion, if it has the same classes."""
    champion = registry.champion()
    present = registry.load(champion.name) if champion else None
    if champion is None or present is None or present.classes != evaluation.classes:
        return compare(evaluation, None, PromotionRule())
    before = _evaluated(present, samples, progress)
    return compare(evaluation, before, PromotionRule(), champion_version=champion.name)


def _judged(datasets: Mapping[str, Dataset], classes: tuple[str, ...], support_hash: str) -> Iterable[Sample]:
    """Images with a reference, without the one that the supports are of."""
    for dataset in datasets.values():
        if tuple(dataset.info.classes) != classes:
            raise IcefloeError(
                f"{dataset.name}: its classes are {', '.join(dataset.info.classes)}, the session's sets "
                f"{', '.join(classes)}. Name the sets alike, in this order, to score it there."
            )
        found = [
            sample
            for sample in dataset.samples
            if sample.has_reference and sha256_file(sample.image_path) != support_hash
        ]
        if not found:
            raise IcefloeError(f"{dataset.name}: no image with a label to score on. Name another dataset.")
        yield from found


def _evaluated(model: Segmenter, samples: Sequence[Sample], progress: Progress) -> Evaluation:
    if not samples:
        return Evaluation(
            ensemble=model.name,
            classes=model.classes,
            threshold=model.threshold,
            temperature=model.temperature,
            images=(),
            datasets={},
            baselines={},
        )
    return evaluate(model, tracked(samples, progress, "scoring images"))


def _lineage(
    settings: Settings, folder: Path, begun: Begun, datasets: Mapping[str, Dataset], author: str
) -> Lineage:
    session = begun.session
    now = datetime.now(UTC).isoformat(timespec="seconds")
    # Without a dataset the session stands for itself, in a workspace that may hold no data.
    data = current_version(settings.workspace) if datasets else DataState(rev="", md5="")
    supports = LabelledImage(
        key=f"{SOURCE}/{begun.path.stem}",
        role="train",
        image_sha256=sha256_file(begun.path),
        mask_sha256=sha256(session.sets.model_dump_json().encode()).hexdigest(),
        author=author,
        labelled_at=now,
        source=SOURCE,
        made_from=f"{sum(len(one.chips) for one in session.sets.used)} chips of {session.grid.edge} px",
    )
    return Lineage(
        data=DataState(rev=data.rev, md5=data.md5),
        git_sha=code_revision(),
        parameters={"session": session.model_dump(mode="json", exclude={"result"})},
        seeds={"bootstrap": session.rule.seed},
        packages=package_versions(),
        images=(supports,),
        weights_sha256=member_hashes(folder),
        created=now,
    )
