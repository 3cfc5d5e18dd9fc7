"""Which exchange format a JSON file is of, for those who name another."""

from typing import Any

from icefloe.active.exchange.sources import SourceFile
from icefloe.datasets.annotations.coco import is_coco
from icefloe.datasets.annotations.labelme import is_labelme
from icefloe.errors import IcefloeError


def check_format(file: SourceFile, content: Any, wanted: str) -> None:
    """Refuse JSON of another exchange format, naming that one.

    Parameters
    ----------
    file
        The file that the message names.
    content
        Content of the file, parsed from JSON.
    wanted
        Name of the format that was asked for.

    Raises
    ------
    IcefloeError
        If it is another one's.
    """
    kind = _kind(content)
    if kind not in (None, wanted):
        raise IcefloeError(f"{file.where}: a file of {kind}. Import it with: icefloe queue import {kind} ...")


def _kind(content: Any) -> str | None:
    if is_coco(content):
        return "coco"
    if is_labelme(content):
        return "labelme"
    is_list = isinstance(content, list) and bool(content)
    if is_list and all(isinstance(task, dict) and {"data", "annotations"} <= task.keys() for task in content):
        return "label-studio"
    return None
