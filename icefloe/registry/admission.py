"""Checks before a version is registered, and before it becomes champion."""

from pathlib import Path

from icefloe.errors import IcefloeError
from icefloe.evaluation.evaluate import Evaluation
from icefloe.evaluation.promotion import PromotionReport
from icefloe.files import sha256_file
from icefloe.registry.lineage import Lineage, member_hashes


def file_hashes(folder: Path) -> dict[str, str]:
    """Relative path -> SHA-256 of every file in a folder."""
    return {
        path.relative_to(folder).as_posix(): sha256_file(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def check_weights(folder: Path, lineage: Lineage) -> None:
    """Refuse a folder whose safetensors files are not the lineage's, byte for byte.

    Raises
    ------
    IcefloeError
        If there are no members, or one is missing, too many or another file.
    """
    present = member_hashes(folder)
    if not present:
        raise IcefloeError(
            f"{folder}: there are no member weights here. Name the folder of a saved ensemble."
        )
    for name in sorted(present.keys() | lineage.weights_sha256.keys()):
        if present.get(name) != lineage.weights_sha256.get(name):
            raise IcefloeError(
                f"{folder / name}.safetensors: the weights are not those of the lineage. "
                "Collect the lineage from the ensemble that is registered."
            )


def check_held_out(lineage: Lineage, evaluation: Evaluation) -> None:
    """Refuse scores on images that the version was trained on.

    An image of a fold may have been judged by the members that were not trained on it, and by no other.

    Raises
    ------
    IcefloeError
        If an evaluated image was trained or validated on, or more members judged it than were not trained on
        it.
    """
    known = sorted(
        key
        for image in evaluation.images
        if (allowed := lineage.n_judges(key := f"{image.dataset}/{image.stem}")) is not None
        and not 0 < (image.n_members or 0) <= allowed
    )
    if known:
        raise IcefloeError(
            f"{known[0]}: the version was evaluated on an image it was trained on "
            f"({len(known)} such images). "
            "Evaluate it on the held-out images of the split."
        )


def refusal(name: str, report: PromotionReport | None, champion: str | None, *, shown: bool = True) -> str:
    """The reason why a version may not become champion, and the remedy; empty if it may.

    Parameters
    ----------
    name
        The version.
    report
        The promotion gate's latest report on it; None: it was not judged.
    champion
        The present champion; None: there is none.
    shown
        Whether the champion is more than provisional. If not, a first version that is better than the trivial
        baselines may replace it, which has not been compared with the champion.
    """
    overrule = "or overrule the gate with --force --reason"
    if report is None:
        return f"{name}: the promotion gate has not judged it. Judge it against the champion, {overrule}."
    if report.is_first and report.verdict == "pass" and not shown:
        return ""
    if report.champion != champion:
        return (
            f"{name}: it was judged against {report.against}, but the champion is now {champion or 'none'}. "
            f"Judge it again, {overrule}."
        )
    if report.verdict != "pass" and not report.provisional:
        return f"{report.sentence()} To promote it anyway, overrule the gate with --force --reason."
    return ""
