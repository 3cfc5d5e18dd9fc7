"""The image's containers as a locked-down pod has them, for `kfp.local`."""

from pathlib import Path

from docker.types import Mount
from kfp import local

LOCKED = {
    "read_only": True,
    "network_mode": "none",
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
}


def locked_runner(workspace: Path, settings: Path) -> local.DockerRunner:
    """Steps as containers without rights or network, that write to `/tmp`, the workspace and their outputs.

    Parameters
    ----------
    workspace
        Mounted where it is, since MLflow's records name files by their whole path.
    settings
        Mounted where packages say that a pod's settings are.
    """
    return local.DockerRunner(
        **LOCKED,
        tmpfs={"/tmp": "size=4g"},
        shm_size="1g",
        mounts=[
            Mount(str(workspace), str(workspace), type="bind"),
            Mount("/etc/icefloe/icefloe.toml", str(settings), type="bind", read_only=True),
        ],
        environment={"ICEFLOE_WORKSPACE": str(workspace), "ICEFLOE_PIPELINE_RUN": "run-1"},
    )
