"""What a Ray cluster runs for a training that was submitted to it: `python -m icefloe.training.cluster_job`.

All that it knows of the training is in the store of checkpoints.
"""

import argparse
import sys

import ray

from icefloe.errors import IcefloeError
from icefloe.progress import Lines
from icefloe.settings import MemberShare
from icefloe.training.jobs import follow
from icefloe.training.outcome import is_finished
from icefloe.training.request import read_request
from icefloe.training.store import open_store
from icefloe.training.submission import FAILED, TOLD
from icefloe.training.tasks import started


def main() -> int:
    """Run the trainings of a request on the Ray that this job is part of; its exit code."""
    arguments = argparse.ArgumentParser(prog="cluster_job")
    arguments.add_argument("place")
    arguments.add_argument("request")
    arguments.add_argument("--cpus", type=int, required=True)
    arguments.add_argument("--gpu", action="store_true")
    arguments.add_argument("--per-gpu", type=int)
    arguments.add_argument("--weights-dir")
    given = arguments.parse_args()
    try:
        store = open_store(given.place)
        path = store.local(given.request)
        if path is None:
            raise IcefloeError(f"{store.address(given.request)}: the request is gone. Train again.")
        jobs, progress = read_request(path), Lines(_tell)
        unfinished = [job for job in jobs if not is_finished(job.store)]
        share = MemberShare(cpus=given.cpus, gpu=given.gpu)
        ray.init("auto")
        with started(unfinished, len(jobs), share, given.weights_dir, given.per_gpu, progress) as tasks:
            follow(jobs, tasks.wait, tasks.n_at_once, progress)
    except IcefloeError as error:
        print(f"{FAILED}{error}", flush=True)
        return 2
    return 0


def _tell(line: str) -> None:
    print(f"{TOLD}{line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
