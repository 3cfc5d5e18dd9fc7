"""Labels: out to labelling tools, back into the queue, and into the data."""

from pathlib import Path
from tempfile import TemporaryDirectory

from icefloe.active.collect import Collection, collect, collect_shared
from icefloe.active.exchange.transfer import ImportResult, export_items
from icefloe.active.exchange.transfer import import_labels as import_into_queue
from icefloe.active.label_studio.pull import pull
from icefloe.active.label_studio.push import Pushed, push
from icefloe.active.label_studio.server import TITLE_LENGTHS, Server
from icefloe.active.labelers import SECONDS_AN_IMAGE, TruthLabeler
from icefloe.active.queue import open_queue
from icefloe.progress import SILENT, Progress
from icefloe.registry.runs import RunRecord
from icefloe.s3.address import is_on_s3, open_s3
from icefloe.settings import Settings
from icefloe.workflow.datasets import datasets_of


def export_labels(settings: Settings, format_name: str, place: Path | str, dataset: str | None = None) -> int:
    """Write the waiting images with their predicted masks, for a labelling tool; return how many.

    Parameters
    ----------
    settings
        Settings of the workspace whose queue and data it is.
    format_name, dataset
        As for `export_items`.
    place
        New folder, or `s3://bucket/prefix`. There images come before the files that list them, so that
        whoever finds a list finds all that is in it; called again after it broke off, it writes the rest.

    Raises
    ------
    IcefloeError
        As `export_items`; or if the store can't be reached, refuses, or holds other files of these names.
    """
    queue = open_queue(settings)
    if not is_on_s3(place):
        return export_items(queue, settings.data, format_name, Path(place), dataset)
    store = open_s3(str(place))
    with TemporaryDirectory(prefix="icefloe-") as scratch:
        folder = Path(scratch) / "export"
        number = export_items(queue, settings.data, format_name, folder, dataset)
        paths = [path for path in folder.rglob("*") if path.is_file()]
        for path in sorted(paths, key=lambda path: (path.parent == folder, path)):
            store.upload(path, path.relative_to(folder).as_posix())
    return number


def import_labels(
    settings: Settings,
    format_name: str,
    source: Path,
    author: str | None = None,
    accept_unchanged: bool = False,
    strict: bool = False,
) -> ImportResult:
    """Take labels back from a labelling tool: all of them, or none if any does not fit.

    Parameters and errors are those of `icefloe.active.exchange.transfer.import_labels`.
    """
    return import_into_queue(open_queue(settings), source, format_name, author, accept_unchanged, strict)


def collect_labels(
    settings: Settings, message: str | None = None, *, dataset: str = "", run: str = ""
) -> Collection:
    """Write all submitted labels into the datasets, as a new data version.

    Parameters
    ----------
    settings
        Settings of the workspace whose queue and data it is, or of the repository that a cluster's steps
        clone and push to.
    message
        Commit message of the data version; None: it counts the labels.
    dataset, run
        The dataset whose arrival asked for them, and the run that keeps what they cost, as
        `labels/<dataset>.json`; empty: nothing is kept.
    """
    queue = open_queue(settings)
    if settings.profile == "local":
        collected = collect(queue, settings.workspace, message)
    else:
        collected = collect_shared(queue, settings.data_repo, message)
    if run:
        record = RunRecord(settings, run)
        cost = {"keys": collected.keys, "seconds": collected.seconds}
        record.write_json(f"labels/{dataset}.json", cost)
        record.tell(f"labels/{dataset}", collected.sentence())
    return collected


def label_from_truth(settings: Settings, dataset: str) -> float:
    """Label everything queued of a dataset with the truth kept back; return a person's minutes for it."""
    with datasets_of(settings, [dataset]) as datasets:
        labelled = TruthLabeler().label_all(open_queue(settings), datasets, dataset)
    return labelled * SECONDS_AN_IMAGE / 60


def push_labels(
    settings: Settings,
    url: str,
    api_key: str,
    project: str | None,
    dataset: str | None = None,
    progress: Progress = SILENT,
) -> Pushed:
    """Bring the waiting images, with their predicted masks, into a project of Label Studio.

    Parameters
    ----------
    settings
        Settings of the workspace whose queue and data it is.
    url, api_key
        Label Studio's address, and the access token of a person there.
    project
        The project's title there; None: it is named after the workspace.
    dataset
        Dataset whose images are pushed; None: those of all.
    progress
        Told of every image.

    Raises
    ------
    IcefloeError
        As `icefloe.active.label_studio.push.push` and `Server`.
    """
    server = Server(url, api_key)
    title = project or _project_title(settings)
    return push(open_queue(settings), settings.data, server, title, progress, dataset)


def pull_labels(
    settings: Settings, url: str, api_key: str, project: str | None, progress: Progress = SILENT
) -> ImportResult:
    """Take a project's annotations back into the queue: each that fits.

    Parameters are those of `push_labels`, errors those of `icefloe.active.label_studio.pull.pull` and
    `Server`.
    """
    server = Server(url, api_key)
    return pull(open_queue(settings), server, project or _project_title(settings), progress)


def _project_title(settings: Settings) -> str:
    return f"Icefloe {settings.workspace.resolve().name}"[: TITLE_LENGTHS[1]]
