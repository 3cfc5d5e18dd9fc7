"""Which version is in use: promotion and rollback."""

from collections.abc import Sequence

from mlflow.entities.model_registry import ModelVersion

from icefloe.errors import IcefloeError
from icefloe.evaluation.promotion import PromotionReport
from icefloe.registry.admission import refusal
from icefloe.registry.description import describe_model, describe_version
from icefloe.registry.documents import read_provisional, read_report, write_report
from icefloe.registry.history import HistoryEntry, champion_line, current_user, time_after
from icefloe.registry.journal import Journal
from icefloe.registry.store import CHALLENGER, CHAMPION, PREVIOUS, VersionStore


class ChampionChange:
    """Changes the champion of one family.

    A change is noted in the history first, and takes effect by pointing the aliases at what the history says.
    A process killed between the two leaves the old champion, and the same command ends the change. One killed
    between two aliases leaves the new champion, and the next promotion or rollback sets the others first. Of
    two processes that change the champion at once the later note wins, in history and aliases alike.

    Parameters
    ----------
    store
        Versions of the family, in MLflow.
    """

    def __init__(self, store: VersionStore) -> None:
        self._store, self._journal = store, Journal(store)

    def promote(self, version: str, *, force: bool, reason: str, by: str | None) -> HistoryEntry | None:
        """See `Registry.promote`."""
        self._finish()
        found = self._store.find(version)
        name = self._store.name_of(found)
        aliases = self._store.aliases()
        replaced = aliases.get(CHAMPION)
        if replaced == name:
            return None
        report, objection = read_report(self._store, found), self.objection(found)
        if objection and not force:
            raise IcefloeError(objection)
        if objection and not reason.strip():
            raise IcefloeError(
                f"{name}: overruling the promotion gate needs a reason. Add one with --reason."
            )
        entry = HistoryEntry(
            action="promote",
            champion=name,
            replaced=replaced,
            by=by or current_user(),
            at=time_after(self._journal.read()),
            reason=reason.strip() or self._grounds(found, report),
            verdict=report.verdict if report else None,
            forced=bool(objection),
        )
        if report and report.provisional:  # a version judged by an earlier Icefloe does not say so yet
            write_report(self._store, found, report)
        self._journal.add(entry)
        self._describe(entry, self._update_aliases())
        return entry

    def objection(self, found: ModelVersion) -> str:
        """See `Registry.objection`."""
        champion = self._store.aliases().get(CHAMPION)
        shown = champion is None or not read_provisional(self._store, self._store.find(champion)).sentence()
        return refusal(self._store.name_of(found), read_report(self._store, found), champion, shown=shown)

    def _grounds(self, found: ModelVersion, report: PromotionReport | None) -> str:
        """The reason of a promotion that nobody gave one for."""
        if report is None:
            return ""
        members = read_provisional(self._store, found).members
        if report.provisional:
            return f"Provisional: {report.provisional} {members}".strip()
        return f"{report.cause()}." + (f" Provisional: {members}" if members else "")

    def rollback(self, *, reason: str, by: str | None) -> HistoryEntry:
        """See `Registry.rollback`."""
        self._finish()
        champion = self._store.name_of(self._store.find(CHAMPION))
        restored = self._store.aliases().get(PREVIOUS)
        if restored is None or restored == champion:
            raise IcefloeError(
                f"{champion}: there is no champion before it to go back to. "
                "Promote another version with `icefloe models promote`."
            )
        report = read_report(self._store, self._store.find(restored))
        entry = HistoryEntry(
            action="rollback",
            champion=restored,
            replaced=champion,
            by=by or current_user(),
            at=time_after(self._journal.read()),
            reason=reason.strip() or "no reason given",
            verdict=report.verdict if report else None,
        )
        self._journal.add(entry)
        self._describe(entry, self._update_aliases())
        return entry

    def _finish(self) -> None:
        """Set the other aliases of a change whose process was killed when it had set the champion's."""
        history, aliases = self._journal.read(), self._store.aliases()
        if not history or aliases.get(CHAMPION) != history[-1].champion:
            return
        *earlier, champion = self._existing(champion_line(history))
        others = (earlier[-1] if earlier else None, aliases.get(CHALLENGER) == champion)
        if (aliases.get(PREVIOUS), False) != others:
            self._describe(history[-1], self._update_aliases())

    def _update_aliases(self) -> tuple[HistoryEntry, ...]:
        """Point the aliases at the history's last champions; repeat if another process added a change."""
        in_effect: tuple[HistoryEntry, ...] = ()
        while (history := self._journal.read()) != in_effect:
            in_effect = history
            *earlier, champion = self._existing(champion_line(history))
            self._store.set_alias(CHAMPION, champion)
            if earlier:
                self._store.set_alias(PREVIOUS, earlier[-1])
            elif PREVIOUS in self._store.aliases():
                self._store.delete_alias(PREVIOUS)
            if self._store.aliases().get(CHALLENGER) == champion:
                self._store.delete_alias(CHALLENGER)
        return in_effect

    def _existing(self, names: Sequence[str | None]) -> list[str]:
        """The versions among `names` that still exist in MLflow."""
        known = set(map(self._store.name_of, self._store.versions()))
        return [name for name in names if name in known]

    def _describe(self, entry: HistoryEntry, history: Sequence[HistoryEntry]) -> None:
        """Update the descriptions on MLflow's pages."""
        for name in self._existing([entry.champion, entry.replaced]):
            describe_version(self._store, self._store.find(name), history)
        self._journal.write_note(history)
        describe_model(self._store, history, self._journal.run_id())
