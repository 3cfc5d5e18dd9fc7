"""The versions of a study: register, list, show, promote, roll back, download, load."""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion

from icefloe.ensemble.guarantees import Guarantees
from icefloe.ensemble.rows import ImageRow
from icefloe.ensemble.segmenter import Segmenter
from icefloe.errors import IcefloeError
from icefloe.evaluation.evaluate import Evaluation
from icefloe.evaluation.promotion import PromotionReport
from icefloe.registry.admission import check_held_out
from icefloe.registry.champion import ChampionChange
from icefloe.registry.description import describe_model, describe_version
from icefloe.registry.documents import (
    PROVISIONAL_TAG,
    read_accepted,
    read_evaluation,
    read_guarantees,
    read_lineage,
    read_report,
    write_accepted,
    write_guarantees,
    write_report,
)
from icefloe.registry.download import download
from icefloe.registry.families import EA, Family, family_named
from icefloe.registry.history import HistoryEntry
from icefloe.registry.journal import Journal
from icefloe.registry.lineage import Lineage
from icefloe.registry.paths import plain_metric
from icefloe.registry.provisional import Provisional
from icefloe.registry.registration import make_version, registered
from icefloe.registry.store import CHAMPION, StoreSettings, VersionStore
from icefloe.registry.version import Version, VersionDetails


class Registry:
    """The versions of one family in a study; a name of another family is found there.

    So `Registry(settings).show("ELIT-T2")` needs no family, while `champion`, `newest`, `list`, `history`,
    `rollback` and the aliases are those of the registry's own.

    A version is complete before it has a number: its files, lineage and evaluation are first put in an MLflow
    run of its own, then the version is made with all its tags in one transaction. n of `EA-Tn` is MLflow's
    version number, which its database hands out atomically, on SQLite and PostgreSQL alike, so that two
    trainings that end together get two numbers.

    Parameters
    ----------
    settings
        Name the store, the experiment and the study's registered model.
    family
        Family of the versions, from `icefloe.registry.families`.
    """

    def __init__(self, settings: StoreSettings, family: Family = EA) -> None:
        self._settings = settings
        self._store = VersionStore(settings, family)

    def register(
        self,
        folder: Path,
        lineage: Lineage,
        evaluation: Evaluation,
        report: PromotionReport | None = None,
        run_id: str | None = None,
        provisional: str = "",
    ) -> Version:
        """Make a folder the next version, and the challenger.

        Registering the same files again returns the version that has them.

        Parameters
        ----------
        folder
            A version's files, such as those of `icefloe.ensemble.ensemble.Ensemble.save`.
        lineage
            Data, code and parent it was made from; hashes are checked against the files and the parent
            version.
        evaluation
            Scores on held-out images of every dataset so far.
        report
            Outcome of the promotion gate, if it was judged already.
        run_id
            MLflow run that this version's run is nested under.
        provisional
            Why members are kept that do not pass pruning; empty if all pass.

        Raises
        ------
        IcefloeError
            If the files are not those that the lineage names, it did not start from its parent's, or it was
            evaluated on images it was trained on.
        """
        self._store.family.check(folder, lineage)
        check_held_out(lineage, evaluation)
        self._check_parent(lineage)
        version = registered(self._store, folder)
        if version is None:
            reasons = Provisional(members=provisional)
            version = make_version(self._store, folder, lineage, evaluation, run_id, reasons)
            history = self.history()
            describe_model(self._store, history, Journal(self._store).run_id())
            describe_version(self._store, version, history)
        name = self._store.name_of(version)
        if report is not None:
            self.attach_report(name, report)
        return self.get(name)

    def attach_report(self, version: str, report: PromotionReport) -> None:
        """Store the report of the promotion gate with the version; `promote` reads it.

        Reports against different champions are all kept; the tags name the latest.
        """
        store, found = self._find(version)
        write_report(store, found, report)
        _describe(store, found)

    def attach_guarantees(self, version: str, guarantees: Guarantees) -> None:
        """Store the guarantees of a version, in place of earlier ones."""
        store, found = self._find(version)
        write_guarantees(store, found, guarantees)
        _describe(store, found)

    def accept_experiment(self, version: str, dataset: str, rows: Sequence[ImageRow]) -> None:
        """Add a dataset to a version's benchmark, in place of any rows that it had there.

        Parameters
        ----------
        version
            Name of a version such as `EA-T2`, or an alias.
        dataset
            Name of the dataset.
        rows
            The version's scores of its images, with the drift gate's evidence.
        """
        store, found = self._find(version)
        write_accepted(store, found, dataset, tuple(rows))

    def accepted_rows(self, version: str) -> tuple[ImageRow, ...]:
        """Rows of the datasets that joined a version's benchmark since it was registered."""
        return read_accepted(*self._find(version))

    def list(self) -> list[Version]:
        """All versions, oldest first; none where nothing was registered yet."""
        aliases = self._store.aliases()
        return [_row(self._store, version, aliases) for version in self._store.versions()]

    def get(self, version: str) -> Version:
        """One version by name (`EA-T2`) or alias (`champion`).

        Raises
        ------
        IcefloeError
            If there is no such version; the message lists those there are.
        """
        store, found = self._find(version)
        return _row(store, found, store.aliases())

    def newest(self) -> Version:
        """The version registered last, whether promoted or not.

        Raises
        ------
        IcefloeError
            If none was.
        """
        return _row(self._store, self._store.newest(), self._store.aliases())

    def champion(self) -> Version | None:
        """The version in use; None before the first promotion."""
        name = self._store.aliases().get(CHAMPION)
        return self.get(name) if name else None

    def champion_sentence(self) -> str:
        """The version in use, and why it is only provisional; where there is none, why not and what to do."""
        champion = self.champion()
        if champion is None:
            return self._why_no_champion() or "There is no champion yet."
        why = f", provisionally: {champion.provisional}" if champion.provisional else "."
        return f"The champion is {champion.name}{why}"

    def show(self, version: str) -> VersionDetails:
        """All that is known of a version, by name or alias."""
        store, found = self._find(version)
        name = store.name_of(found)
        return VersionDetails(
            version=_row(store, found, store.aliases()),
            lineage=read_lineage(store, found),
            report=read_report(store, found),
            guarantees=read_guarantees(store, found),
            history=tuple(e for e in Journal(store).read() if name in (e.champion, e.replaced)),
        )

    def evaluation(self, version: str) -> Evaluation:
        """The version's evaluation at its registration, by name or alias."""
        return read_evaluation(*self._find(version))

    def reports(self, newest: int = 10) -> tuple[PromotionReport, ...]:
        """The promotion gate's latest report on each of the newest versions that it judged, oldest first."""
        versions = self._store.versions()[-newest:]
        found = (read_report(self._store, version) for version in versions)
        return tuple(report for report in found if report is not None)

    def guarantees(self, version: str) -> Guarantees | None:
        """The guarantees a version was calibrated to after its registration; None if there are none."""
        return read_guarantees(*self._find(version))

    def history(self) -> tuple[HistoryEntry, ...]:
        """Every promotion and rollback, oldest first."""
        return Journal(self._store).read()

    def objection(self, version: str) -> str:
        """The reason why a version may not become champion, and the remedy; empty if it may."""
        store, found = self._find(version)
        return ChampionChange(store).objection(found)

    def promote(
        self, version: str, *, force: bool = False, reason: str = "", by: str | None = None
    ) -> HistoryEntry | None:
        """Make a version the champion, and the present champion `previous`.

        Parameters
        ----------
        version
            Name or alias, such as `challenger`.
        force
            Overrule the gate; needs a reason.
        reason, by
            Why and who, for the history; by default the gate's finding and the user of this process.

        Returns
        -------
        HistoryEntry or None
            The change as noted; None where the version is the champion already.

        Raises
        ------
        IcefloeError
            If the gate did not pass it, or judged it against another champion than the present one. A first
            version that is not shown to be worse than the trivial baselines becomes champion, provisionally,
            where there is none yet.
        """
        store, found = self._find(version)
        return ChampionChange(store).promote(store.name_of(found), force=force, reason=reason, by=by)

    def rollback(self, *, reason: str = "", by: str | None = None) -> HistoryEntry:
        """Make the previous champion the champion again; repeated, it goes back one champion at a time.

        Raises
        ------
        IcefloeError
            If there is no champion yet, or none before it.
        """
        self._find(CHAMPION)
        return ChampionChange(self._store).rollback(reason=reason, by=by)

    def download(self, version: str, destination: Path) -> Path:
        """Copy a version's files to the folder `destination`, checking every file's hash.

        A destination that holds exactly these files already is left as it is.

        Raises
        ------
        IcefloeError
            If a file is missing or damaged in the store, or `destination` holds something else.
        """
        return download(*self._find(version), destination)

    def load(self, version: str) -> Segmenter:
        """Load a version, with the guarantees it was calibrated to after its registration."""
        store, found = self._find(version)
        with tempfile.TemporaryDirectory() as scratch:
            folder = download(store, found, Path(scratch) / "files")
            return store.family.load(folder, read_guarantees(store, found))

    def _find(self, version: str) -> tuple[VersionStore, ModelVersion]:
        """The version, and the store of its family; an alias is of this registry's own."""
        if version == CHAMPION and CHAMPION not in self._store.aliases() and (why := self._why_no_champion()):
            raise IcefloeError(why)
        family, store = family_named(version), self._store
        if family not in (None, store.family):
            store = VersionStore(self._settings, family)
        return store, store.find(version)

    def _why_no_champion(self) -> str:
        """That there is none yet, why, and what would make one; empty where the gate refused nothing."""
        newest = next(reversed(self._store.versions()), None)
        report = read_report(self._store, newest) if newest else None
        if newest is None or report is None or report.verdict == "pass":
            return ""
        promote = f"icefloe models promote {self._store.name_of(newest)}"
        how = f"To use it: `{promote}`."
        if not report.provisional:
            how = f"To use it anyway: `{promote} --force --reason ...`."
        return f"There is no champion yet. {report.sentence()} {how}"

    def _check_parent(self, lineage: Lineage) -> None:
        lineage.check_start()
        if lineage.parent is None:
            return
        name = lineage.parent.name
        if read_lineage(*self._find(name)).as_parent(name) != lineage.parent:
            raise IcefloeError(
                f"{name}: the lineage names other data or weights for it than the registry. "
                "Start the training from the registered version."
            )


def _describe(store: VersionStore, version: ModelVersion) -> None:
    """Update the description of a version on MLflow's page."""
    name = store.name_of(version)
    describe_version(store, store.find(name), Journal(store).read())


def _row(store: VersionStore, version: ModelVersion, aliases: Mapping[str, str]) -> Version:
    name, run_id = store.name_of(version), store.run_id_of(version)
    metrics: dict[str, dict[str, float]] = {}
    for key, value in sorted(store.client.get_run(run_id).data.metrics.items()):
        dataset, _, metric = plain_metric(key).rpartition("/")
        metrics.setdefault(dataset, {})[metric] = value
    return Version(
        name=name,
        number=int(version.version),
        aliases=tuple(sorted(alias for alias, pointed_at in aliases.items() if pointed_at == name)),
        created=datetime.fromtimestamp(version.creation_timestamp / 1000, UTC).isoformat(timespec="seconds"),
        parent=version.tags["parent"] or None,
        data_rev=version.tags["dvc.rev"],
        data_md5=version.tags["dvc.md5"],
        git_sha=version.tags["git.sha"],
        verdict=version.tags.get("gate.verdict"),
        provisional=version.tags.get(PROVISIONAL_TAG, ""),
        compared_with=version.tags.get("gate.champion") or None,
        metrics=metrics,
        run_id=run_id,
    )
