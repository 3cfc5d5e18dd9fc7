"""Runs a command that must not outlive who asked for it: `python -m serving.worker.leash COMMAND...`."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

from serving.worker.niceness import step_back


def main() -> None:
    """Run the command; when standard input ends, end it with all the processes that it has started."""
    step_back()
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)  # nothing is ever written: it returns at the end
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    code = process.wait()
    os._exit(code if code >= 0 else 128 - code)  # the thread still waits


if __name__ == "__main__":
    main()
