"""Whether the container is well: what serves is asked, anything else is well while it runs."""

import http.client
import sys
from itertools import pairwise
from pathlib import Path

SERVERS = (
    (("icefloe", "serve"), 8080, "/healthz"),
    (("mlflow", "server"), 5000, "/health"),
    (("ray", "start"), 52365, "/api/local_raylet_healthz"),
)
"""Words of the first process, in order; port, unless `--port` says another; path."""


def is_well(command: list[str]) -> bool:
    """Ask what the container's first process, started by `command`, serves."""
    words = [Path(word).name for argument in command for word in argument.split()]
    for named, port, path in SERVERS:
        if named in pairwise(words):
            if named[0] != "ray" and "--port" in words:
                port = int(words[words.index("--port") + 1])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=8)
            try:
                connection.request("GET", path, headers={"Host": "localhost"})
                return connection.getresponse().status == 200
            except OSError:
                return False
    return True


if __name__ == "__main__":
    sys.exit(not is_well(Path("/proc/1/cmdline").read_text(encoding="utf-8").split("\0")))
