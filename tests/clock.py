"""A clock that stands still until a test sets it, and machines whose clocks are wrong."""

import json
import subprocess
import sys
from typing import Any

_WRONG = """
import json, sys, time
right = time.time
time.time = lambda: right() + float(sys.argv[1])
"""


class Clock:
    """Seconds since the epoch, or since any moment: `now`."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def run_off(seconds: float, code: str, *arguments: str) -> Any:
    """What a program prints as JSON on a machine whose clock is ahead by so many seconds, or behind.

    Its own arguments begin at `sys.argv[2]`.
    """
    command = [sys.executable, "-c", _WRONG + code, str(seconds), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=300, check=True)
    return json.loads(done.stdout)
