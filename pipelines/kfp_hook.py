"""The one private function of kfp that we replace, so that local steps are forked.

kfp is capped below its next minor release for this: `kfp.local.SubprocessRunner` has no public way to run a
step in another fashion.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kfp.local import subprocess_task_handler as module

from icefloe.errors import IcefloeError

FUNCTION = "run_local_subprocess"

RunStep = Callable[..., int]
"""(full_command, env_vars=None) -> exit status."""


@contextmanager
def steps_run_by(run: RunStep) -> Iterator[None]:
    """Let `kfp.local.SubprocessRunner` run its steps with `run` while the block lasts.

    Raises
    ------
    IcefloeError
        If this kfp has no such function.
    """
    in_kfp = getattr(module, FUNCTION, None)
    if in_kfp is None:
        raise IcefloeError(f"kfp.local has no {FUNCTION} any more, which local runs need. Install kfp 2.17.")
    setattr(module, FUNCTION, run)
    try:
        yield
    finally:
        setattr(module, FUNCTION, in_kfp)
