"""Name what a run starts from: the data version, and the registered version that it uses."""

from typing import NamedTuple

from components.base import component


@component
def resolve(version: str = "") -> NamedTuple("Resolved", [("data", str), ("version", str)]):  # type: ignore[valid-type]
    """Look up what is current, so that the steps after it depend on it by name, and can be reused.

    Args:
        version: A registered version, by name or by an alias such as `champion`; empty: none is used.

    Returns:
        data: Git commit of the workspace's data version.
        version: The registered version's name, such as `EA-T2`; empty where none is used.
    """
    from typing import NamedTuple

    from icefloe.settings import load_settings
    from icefloe.workflow.data import current_data
    from icefloe.workflow.versions import version_name

    settings = load_settings()
    found = version_name(settings, version) if version else ""

    class Resolved(NamedTuple):
        data: str
        version: str

    return Resolved(current_data(settings).rev, found)
