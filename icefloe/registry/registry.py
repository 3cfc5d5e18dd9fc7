"""Versions EA-Tn of the ensemble: register, list, show, promote, roll back, download."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from mlflow.entities import Metric
from mlflow.entities.model_registry import ModelVersion
from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

from icefloe.errors import IcefloeError
from icefloe.evaluation.evaluate import Evaluation
from icefloe.evaluation.promotion import PromotionReport, mean_scores
from icefloe.files import atomic_directory, sha256_file
from icefloe.registry.admission import check_held_out, check_weights, file_hashes, refusal
from icefloe.registry.guarantees import guarantees_of
from icefloe.registry.history import HistoryEntry, champion_line, current_user, now, read_history
from icefloe.registry.lineage import Lineage
from icefloe.registry.package import ENSEMBLE_FOLDER, package
from icefloe.registry.store import (
    CHALLENGER,
    CHAMPION,
    PREVIOUS,
    StoreSettings,
    VersionStore,
    name_of,
    run_id_of,
)
from icefloe.registry.version import Version, VersionDetails

MODEL_FOLDER = "model"
LINEAGE_FILE, EVALUATION_FILE, MANIFEST_FILE = "lineage.json", "evaluation.json", "manifest.json"
MANIFEST_TAG = "manifest.sha256"


class Registry:
    """The versions of one study's ensemble.

    A version is complete before it has a number: its files, lineage and evaluation are first put in an MLflow
    run of its own, then the version is made with all its tags in one transaction. n of `EA-Tn` is MLflow's
    version number, which its database hands out atomically, on SQLite and PostgreSQL alike, so that two
    trainings that end together get two numbers.

    Parameters
    ----------
    settings
        Name the store, the experiment and the registered model.
    """

    def __init__(self, settings: StoreSettings) -> None:
        self._store = VersionStore(settings)

    def register(
        self,
        ensemble: Path,
        lineage: Lineage,
        evaluation: Evaluation,
        report: PromotionReport | None = None,
        run_id: str | None = None,
    ) -> Version:
        """Make the ensemble directory the next version, and the challenger.

        Registering the same files again returns the version that has them.

        Parameters
        ----------
        ensemble
            Directory of `icefloe.ensemble.ensemble.Ensemble.save`.
        lineage
            What it was made from; hashes are checked against the files and against the parent version.
        evaluation
            On held-out images of every dataset seen so far.
        report
            Outcome of the promotion gate, if it was judged already.
        run_id
            MLflow run that this version's run is nested under.

        Raises
        ------
        IcefloeError
            If the weights are not those that the lineage names, it did not start from its parent's, or it
            was evaluated on images it was trained on.
        """
        check_weights(ensemble, lineage)
        check_held_out(lineage, evaluation)
        self._check_parent(lineage)
        files = file_hashes(ensemble)
        digest = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
        version = next((v for v in self._store.versions() if v.tags.get(MANIFEST_TAG) == digest), None)
        if version is None:
            with self._version_run(run_id) as version_run:
                self._log_files(version_run, ensemble, files, lineage, evaluation)
                tags = {
                    "dvc.rev": lineage.data.rev,
                    "dvc.md5": lineage.data.md5,
                    "git.sha": lineage.git_sha,
                    "parent": lineage.parent.name if lineage.parent else "",
                    MANIFEST_TAG: digest,
                }
                version = self._store.create_version(version_run, MODEL_FOLDER, tags)
            # For readers of MLflow's own pages; here the name follows from the number.
            self._store.tag(version, {"ensemble_version": name_of(version)})
            self._store.client.set_tag(version_run, "mlflow.runName", name_of(version))
            self._store.set_alias(CHALLENGER, name_of(version))
        if report is not None:
            self.attach_report(name_of(version), report)
        return self.get(name_of(version))

    def attach_report(self, version: str, report: PromotionReport) -> None:
        """Keep the outcome of a promotion gate with the version; it is what `promote` goes by.

        Reports against different champions are all kept; the tags name the latest.
        """
        found = self._find(version)
        run_id = run_id_of(found)
        path = f"gate/against-{report.champion or 'baselines'}"
        self._store.client.log_text(run_id, json.dumps(report.to_dict(), indent=1), f"{path}.json")
        self._store.client.log_text(run_id, report.to_markdown(), f"{path}.md")
        self._store.tag(
            found,
            {
                "gate.verdict": report.verdict,
                "gate.champion": report.champion or "",
                "gate.report": f"{path}.json",
            },
        )

    def list(self) -> list[Version]:
        """All versions, oldest first; none where nothing was registered yet."""
        aliases = self._store.aliases()
        return [self._describe(version, aliases) for version in self._store.versions()]

    def get(self, version: str) -> Version:
        """One version by name (`EA-T2`) or alias (`champion`).

        Raises
        ------
        IcefloeError
            If there is no such version; the message lists those there are.
        """
        return self._describe(self._find(version), self._store.aliases())

    def newest(self) -> Version:
        """The version registered last, promoted or not.

        Raises
        ------
        IcefloeError
            If none was.
        """
        return self._describe(self._store.newest(), self._store.aliases())

    def champion(self) -> Version | None:
        """The version in use; None before the first promotion."""
        name = self._store.aliases().get(CHAMPION)
        return self.get(name) if name else None

    def show(self, version: str) -> VersionDetails:
        """Everything known of a version, by name or alias."""
        found = self._find(version)
        return VersionDetails(
            version=self._describe(found, self._store.aliases()),
            lineage=self._lineage(found),
            report=self._report(found),
            guarantees=guarantees_of(self._store, found),
            history=tuple(e for e in self.history() if name_of(found) in (e.champion, e.replaced)),
        )

    def evaluation(self, version: str) -> Evaluation:
        """The version's evaluation at its registration, by name or alias."""
        return Evaluation.from_dict(self._store.read_json(self._find(version), EVALUATION_FILE))

    def history(self) -> tuple[HistoryEntry, ...]:
        """Every promotion and rollback, oldest first."""
        return tuple(read_history(self._store.model_tags()))

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
            If the gate did not pass it, or judged it against another champion than the present one.
        """
        found = self._find(version)
        name = name_of(found)
        aliases = self._store.aliases()
        replaced = aliases.get(CHAMPION)
        if replaced == name:
            return None
        report = self._report(found)
        objection = refusal(name, report, replaced)
        if objection and not force:
            raise IcefloeError(objection)
        if objection and not reason.strip():
            raise IcefloeError(
                f"{name}: overruling the promotion gate needs a reason. Add --reason; the history keeps it."
            )
        entry = HistoryEntry(
            action="promote",
            champion=name,
            replaced=replaced,
            by=by or current_user(),
            at=now(),
            reason=reason.strip() or (report.sentence() if report else ""),
            verdict=report.verdict if report else None,
            forced=bool(objection),
        )
        # Noted first: a process killed after it leaves a champion, and the same command ends the change.
        self._store.tag_model(*entry.as_tag())
        if replaced is not None:
            self._store.set_alias(PREVIOUS, replaced)
        self._store.set_alias(CHAMPION, name)
        if aliases.get(CHALLENGER) == name:
            self._store.delete_alias(CHALLENGER)
        return entry

    def rollback(self, *, reason: str = "", by: str | None = None) -> HistoryEntry:
        """Make the previous champion the champion again; repeated, it goes back one champion at a time.

        Raises
        ------
        IcefloeError
            If there is no champion yet, or none before it.
        """
        champion = name_of(self._find(CHAMPION))
        restored = self._store.aliases().get(PREVIOUS)
        if restored is None or restored == champion:
            raise IcefloeError(
                f"{champion}: there is no champion before it to go back to. "
                "Promote another version with `icefloe models promote`."
            )
        report = self._report(self._find(restored))
        entry = HistoryEntry(
            action="rollback",
            champion=restored,
            replaced=champion,
            by=by or current_user(),
            at=now(),
            reason=reason.strip() or "no reason given",
            verdict=report.verdict if report else None,
        )
        self._store.tag_model(*entry.as_tag())
        self._store.set_alias(CHAMPION, restored)
        earlier = champion_line(self.history())[:-1]
        if earlier:
            self._store.set_alias(PREVIOUS, earlier[-1])
        else:
            self._store.delete_alias(PREVIOUS)
        return entry

    def download(self, version: str, destination: Path) -> Path:
        """Copy a version's ensemble directory to `destination`, checking every file's hash.

        A destination that holds these very files already is left as it is.

        Raises
        ------
        IcefloeError
            If a file is missing or damaged in the store, or `destination` holds something else.
        """
        found = self._find(version)
        files: dict[str, str] = self._store.read_json(found, MANIFEST_FILE)
        if destination.is_dir() and file_hashes(destination) == files:
            return destination
        try:
            with atomic_directory(destination) as beside, tempfile.TemporaryDirectory() as scratch:
                source = self._store.download(found, f"{MODEL_FOLDER}/{ENSEMBLE_FOLDER}", Path(scratch))
                for name, digest in files.items():
                    path = source / name
                    if not path.is_file() or sha256_file(path) != digest:
                        raise IcefloeError(
                            f"{name_of(found)}/{name}: the file in the artifact store is missing or damaged. "
                            "Restore the store from its backup, or use another version."
                        )
                    (beside / name).parent.mkdir(parents=True, exist_ok=True)
                    shutil.move(path, beside / name)
        except FileExistsError as error:
            raise IcefloeError(
                f"{destination}: it exists and is not {name_of(found)}. Remove it or name another folder."
            ) from error
        return destination

    def _find(self, version: str) -> ModelVersion:
        if version == CHAMPION and CHAMPION not in self._store.aliases():
            self._explain_no_champion()
        return self._store.find(version)

    def _explain_no_champion(self) -> None:
        """Say why the newest version is not in use, where its gate has refused it."""
        newest = next(reversed(self._store.versions()), None)
        report = self._report(newest) if newest else None
        if newest is None or report is None or report.verdict == "pass":
            return
        name = name_of(newest)
        raise IcefloeError(
            f"{name} was not promoted, so there is no champion yet: {report.sentence()} "
            f"Train longer, label more, or overrule it: `icefloe models promote {name} --force --reason ...`."
        )

    @contextmanager
    def _version_run(self, parent: str | None) -> Iterator[str]:
        tags = {MLFLOW_PARENT_RUN_ID: parent} if parent else {}
        run_id = self._store.create_run("register", tags)
        try:
            yield run_id
        except BaseException:
            self._store.client.set_terminated(run_id, "FAILED")
            raise
        self._store.client.set_terminated(run_id)

    def _log_files(
        self, run_id: str, ensemble: Path, files: Mapping[str, str], lineage: Lineage, evaluation: Evaluation
    ) -> None:
        client = self._store.client
        with tempfile.TemporaryDirectory() as scratch:
            package(ensemble, Path(scratch, MODEL_FOLDER))
            client.log_artifacts(run_id, str(Path(scratch, MODEL_FOLDER)), MODEL_FOLDER)
        documents = {
            LINEAGE_FILE: lineage.to_dict(),
            EVALUATION_FILE: evaluation.to_dict(),
            MANIFEST_FILE: dict(files),
        }
        for name, document in documents.items():
            client.log_text(run_id, json.dumps(document, indent=1), name)
        time = round(datetime.now(UTC).timestamp() * 1000)
        metrics = [
            Metric(f"{dataset}/{metric}", mean, time, 0)
            for dataset, means in mean_scores(evaluation).items()
            for metric, mean in means.items()
        ]
        client.log_batch(run_id, metrics=metrics)

    def _check_parent(self, lineage: Lineage) -> None:
        lineage.check_start()
        if lineage.parent is None:
            return
        name = lineage.parent.name
        if self._lineage(self._find(name)).as_parent(name) != lineage.parent:
            raise IcefloeError(
                f"{name}: the lineage names other data or weights for it than the registry. "
                "Start the training from the registered version."
            )

    def _describe(self, version: ModelVersion, aliases: Mapping[str, str]) -> Version:
        metrics: dict[str, dict[str, float]] = {}
        for key, value in sorted(self._store.client.get_run(run_id_of(version)).data.metrics.items()):
            dataset, _, metric = key.rpartition("/")
            metrics.setdefault(dataset, {})[metric] = value
        created = datetime.fromtimestamp(version.creation_timestamp / 1000, UTC)
        return Version(
            number=int(version.version),
            aliases=tuple(sorted(alias for alias, name in aliases.items() if name == name_of(version))),
            created=created.isoformat(timespec="seconds"),
            parent=version.tags["parent"] or None,
            data_rev=version.tags["dvc.rev"],
            data_md5=version.tags["dvc.md5"],
            git_sha=version.tags["git.sha"],
            verdict=version.tags.get("gate.verdict"),
            compared_with=version.tags.get("gate.champion") or None,
            metrics=metrics,
            run_id=run_id_of(version),
        )

    def _lineage(self, version: ModelVersion) -> Lineage:
        return Lineage.from_dict(self._store.read_json(version, LINEAGE_FILE))

    def _report(self, version: ModelVersion) -> PromotionReport | None:
        path = version.tags.get("gate.report")
        return PromotionReport.from_dict(self._store.read_json(version, path)) if path else None
