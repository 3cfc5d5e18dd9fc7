"""Descriptions of a registered model, a version and its run on MLflow's pages, in Markdown."""

from collections import Counter
from collections.abc import Iterable, Sequence

from mlflow.entities.model_registry import ModelVersion
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NOTE

from icefloe.evaluation.columns import mean_scores, scores_by_dataset
from icefloe.evaluation.evaluate import Evaluation
from icefloe.evaluation.promotion import PromotionReport
from icefloe.experiment import run_page
from icefloe.registry.documents import (
    PROVISIONAL_TAG,
    REPORT_TAG,
    read_evaluation,
    read_guarantees,
    read_lineage,
    read_provisional,
    read_report,
)
from icefloe.registry.history import HistoryEntry, champion_line
from icefloe.registry.journal import LONGEST_NOTE
from icefloe.registry.lineage import Lineage
from icefloe.registry.store import VersionStore
from icefloe.tables import Table


def describe_version(store: VersionStore, version: ModelVersion, history: Iterable[HistoryEntry]) -> None:
    """Write the description of a version, and the same as the note of its run.

    Parameters
    ----------
    store
        Versions of the family, in MLflow.
    version
        One of them, as it is now.
    history
        Changes of the champion; those that involve the version are listed.
    """
    name, run_id = store.name_of(version), store.run_id_of(version)
    evaluation, report = read_evaluation(store, version), read_report(store, version)
    guarantees, provisional = read_guarantees(store, version), read_provisional(store, version).sentence()
    run = store.client.get_run(run_id)
    experiment, parent = run.info.experiment_id, run.data.tags.get(MLFLOW_PARENT_RUN_ID)
    links = [f"[its files]({run_page(experiment, run_id, 'model')})"]
    if REPORT_TAG in version.tags:
        path = version.tags[REPORT_TAG].removesuffix(".json") + ".md"
        links.insert(0, f"[the gate's report]({run_page(experiment, run_id, path)})")
    if parent:
        links.append(f"[the run that made it]({run_page(experiment, parent)})")
    parts = [
        f"**Provisional.** {provisional}" if provisional else "",
        _gate(report),
        origin(read_lineage(store, version)),
        dice_table(evaluation, report).markdown().replace(" |", "&ensp;|"),  # the page leaves no space
        f"See {', '.join(links)}.",
        *([guarantees.sentences()[0]] if guarantees else []),
        "\n".join(
            f"- {entry.when}: {entry.change()}"
            for entry in history
            if name in (entry.champion, entry.replaced)
        ),
    ]
    text = "\n\n".join(part.strip() for part in parts if part)[:LONGEST_NOTE]
    store.describe(version, text)
    store.client.set_tag(run_id, MLFLOW_RUN_NOTE, text)


def _gate(report: PromotionReport | None) -> str:
    if report is None:
        return "**Not judged yet.**"
    verdict = f"**Gate: {report.verdict}.**"
    return verdict if report.provisional else f"{verdict} {report.sentence()}"  # said already


def origin(lineage: Lineage) -> str:
    """Origin of a version: parent, images, labels and their authors, data, code."""
    roles = Counter(image.role for image in lineage.images)
    n_folds = len({image.fold for image in lineage.images if image.fold is not None})
    places = [f"{roles[role]} {role}" for role in ("train", "validation")]
    if n_folds:
        places = [f"{roles['fold']} in {n_folds} folds, each kept from some members"]
    datasets = list(dict.fromkeys(image.key.split("/")[0] for image in lineage.images))
    authors = Counter(image.author for image in lineage.images)
    imported = authors.pop(None, 0)
    labels = [f"{n} by {author}" for author, n in authors.most_common()]
    labels += [f"{imported} came with the data"] if imported else []
    data = f"`{lineage.data.md5[:12]}` (commit `{lineage.data.rev[:12]}`)" if lineage.data.rev else "none"
    parent, n = lineage.parent, len(lineage.images)
    share = lineage.simulated_share
    simulated = f" Simulated micrographs were {share:.0%} of every training batch." if share else ""
    before = f", that of {parent.name} `{parent.data.md5[:12]}`" if parent else ""
    return (
        f"Trained from {parent.name if parent else 'scratch'} on {n} image{'' if n == 1 else 's'} "
        f"of {', '.join(datasets)}: {', '.join(places)}. "
        f"Labels: {', '.join(labels)}.{simulated}\n\n"
        f"Data version {data}{before}. Code `{lineage.git_sha[:12] or 'unknown'}`. "
        f"Members: {', '.join(lineage.weights_sha256)}.{_first_weights(lineage)}"
    )


def _first_weights(lineage: Lineage) -> str:
    """Which pre-trained weights are behind the version, and what they saw."""
    members: dict[str, list[str]] = {}
    for member, weights in lineage.first_weights.items():
        members.setdefault(weights, []).append(member)
    return "".join(f"\n\n{', '.join(names)} began with {weights}." for weights, names in members.items())


def dice_table(evaluation: Evaluation, report: PromotionReport | None) -> Table:
    """Mean Dice over the held-out images of each dataset, and the gate's interval of the difference."""
    differences = {c.dataset: c.interval for c in report.comparisons if c.metric == "dice"} if report else {}
    images = {dataset: len(columns["dice"]) for dataset, columns in scores_by_dataset(evaluation).items()}
    rows = [
        {
            "dataset": dataset,
            "held-out images": images[dataset],
            "Dice": means["dice"],
            **(
                {f"less that of {report.against}": differences[dataset].text(signed=True)}
                if report and dataset in differences
                else {}
            ),
        }
        for dataset, means in mean_scores(evaluation).items()
    ]
    return Table.of(rows, {"Dice": ".3f"}, () if rows else ("dataset", "held-out images", "Dice"))


def _is_provisional(store: VersionStore, name: str) -> bool:
    """Whether a version says so; not one that somebody has deleted in MLflow since."""
    return any(
        store.name_of(version) == name and version.tags.get(PROVISIONAL_TAG) for version in store.versions()
    )


def describe_model(store: VersionStore, history: Sequence[HistoryEntry], history_run: str | None) -> None:
    """Write the description of the registered model: what its versions are, and which is in use.

    Parameters
    ----------
    store
        Versions of the family, in MLflow.
    history
        Every change of the champion, oldest first.
    history_run
        The run that keeps it; None: there is none yet.
    """
    parts = [f"Versions {store.family.version_name('n')} of this study: {store.family.title}."]
    if history:
        *earlier, champion = champion_line(history)
        before = f"; before it {earlier[-1]}" if earlier else ""
        before = (", provisionally" if _is_provisional(store, champion) else "") + before
        parts.append(f"The champion is **{champion}**{before}. Latest change: {history[-1].sentence()}")
    else:
        parts.append("None is the champion yet.")
    if history_run is not None:
        page = run_page(store.client.get_run(history_run).info.experiment_id, history_run)
        parts.append(f"[Every promotion and rollback]({page})")
    store.describe_model("\n\n".join(parts)[:LONGEST_NOTE])
