"""The whole run is killed, Ray and all, and started again."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from safetensors import safe_open

from icefloe.training.members import MembersDir
from icefloe.training.outcome import is_finished, read_progress
from icefloe.training.store import open_store

RUN = """
import json, sys
from pathlib import Path
from icefloe.datasets.dataset import Dataset
from icefloe.datasets.splits import Split
from icefloe.training.config import TrainingConfig
from icefloe.training.parallel import train_members
dataset, output, checkpoints, split, config = sys.argv[1:]
train_members(
    [Dataset.load(Path(dataset))], Split.from_dict(json.loads(split)),
    TrainingConfig.model_validate_json(config), output=Path(output), checkpoints=Path(checkpoints),
)
"""


@pytest.mark.integration
def test_a_killed_run_leaves_no_process_and_goes_on_where_it_stood(make_dataset, split, config, tmp_path):
    checkpoints = tmp_path / "checkpoints"
    config = config.model_copy(update={"epochs": 30, "patience": 30})
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}

    def start(output: Path) -> subprocess.Popen:
        arguments = [make_dataset_path, str(output), str(checkpoints), json.dumps(split.to_dict())]
        command = [sys.executable, "-c", RUN, *arguments, config.model_dump_json()]
        return subprocess.Popen(command, env=environment)

    make_dataset_path = str(make_dataset().path)
    run = start(tmp_path / "killed")
    directories = wait_for(lambda: all_saved(checkpoints, at_least=1), run)
    processes = [
        process
        for process in psutil.Process(run.pid).children(recursive=True)
        if "Agent" not in process.name()  # Ray's agents look for their raylet only once a minute
    ]
    run.send_signal(signal.SIGKILL)
    run.wait()
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]

    before = {
        directory: read_progress(open_store(directory))[1][: n_saved(directory)] for directory in directories
    }
    assert any(not is_finished(open_store(directory)) for directory in directories)
    assert start(tmp_path / "resumed").wait() == 0
    resumed = MembersDir.load(tmp_path / "resumed").history()
    for directory, records in before.items():
        name = directory.name.rsplit("-", 1)[0]
        # Seconds were measured in the first run: had an epoch been run again, they would differ.
        assert resumed[name][: len(records)] == records
        assert len(resumed[name]) == 30

    checkpoints = tmp_path / "fresh"
    assert start(tmp_path / "undisturbed").wait() == 0
    hashes = [
        [receipt.weights_sha256 for receipt in MembersDir.load(tmp_path / name).receipts]
        for name in ("resumed", "undisturbed")
    ]
    assert hashes[0] == hashes[1]


def n_saved(directory: Path) -> int:
    """Epochs that the member's checkpoint holds."""
    if not (directory / "state.safetensors").is_file():
        return 0
    with safe_open(directory / "state.safetensors", "np") as file:
        return len(json.loads(file.metadata()["progress"])["records"])


def all_saved(checkpoints: Path, at_least: int) -> list[Path]:
    """The members' directories once each has saved so many epochs; before that, none."""
    directories = sorted(checkpoints.glob("*"))
    saved = [n_saved(directory) for directory in directories]
    return directories if len(saved) == 2 and min(saved) >= at_least else []


def wait_for(condition, run: subprocess.Popen, seconds: float = 300):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert run.poll() is None, "the run ended before it could be killed"
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError("the run did not get there in time")
