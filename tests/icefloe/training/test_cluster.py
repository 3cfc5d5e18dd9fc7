"""Training on a Ray cluster of two nodes through its Jobs API, with checkpoints on S3."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import boto3
import pytest
import safetensors.numpy
from safetensors import safe_open

from icefloe.errors import IcefloeError
from icefloe.progress import Silent
from icefloe.settings import MemberShare
from icefloe.training.data import prepare
from icefloe.training.fit import fit_member
from icefloe.training.members import MembersDir
from icefloe.training.outcome import is_finished, read_progress
from icefloe.training.parallel import train_members
from icefloe.training.records import EpochRecord
from icefloe.training.store import open_store
from tests.ray_cluster import TOKEN, Cluster, ray_cluster, raylet_of, wait_for
from tests.s3_faults import faulty_store

pytestmark = pytest.mark.integration

STEP = """
import json, sys
from pathlib import Path
from icefloe.datasets.dataset import Dataset
from icefloe.datasets.splits import Split
from icefloe.progress import Lines
from icefloe.settings import MemberShare
from icefloe.training.config import TrainingConfig
from icefloe.training.parallel import train_members
address, dataset, output, checkpoints, split, config = sys.argv[1:]
train_members(
    [Dataset.load(Path(dataset))], Split.from_dict(json.loads(split)),
    TrainingConfig.model_validate_json(config), output=Path(output), checkpoints=checkpoints,
    ray_address=address, share=MemberShare(cpus=1), progress=Lines(lambda line: print(line, flush=True), 0),
)
"""


class Told(Silent):
    """A progress that keeps what it is told."""

    def __init__(self):
        self.lines = []

    def tell(self, line):
        self.lines.append(line)

    warn = tell


@pytest.fixture
def s3(s3_address, monkeypatch):
    with faulty_store(s3_address, serial=True) as s3:
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3.address)
        yield s3


@pytest.fixture
def cluster(bucket, s3, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with ray_cluster(**stores()) as found:
        print(f"Ray's head was up after {found.seconds:.0f} s")
        yield found


def stores() -> dict[str, str]:
    """What boto3 goes by."""
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}


@pytest.fixture
def three(spec, config):
    """Three members, and time to be killed in."""
    members = tuple(spec.model_copy(update={"seed": seed}) for seed in range(3))
    return config.model_copy(update={"members": members, "epochs": 40, "patience": 40})


def weights_of(path: Path) -> dict:
    return safetensors.numpy.load_file(path)


def test_killed_nodes_and_killed_steps_change_nothing(
    cluster: Cluster, bucket, make_dataset, split, three, tmp_path
):
    """A node's raylet and the waiting step are killed; the step started again waits for the same job."""
    node = cluster.add(2, f"--address={cluster.gcs}", "--node-ip-address=127.0.0.1")
    wait_for(lambda: cluster.n_alive() == 2, "the second node")
    dataset = make_dataset()
    checkpoints = f"s3://{bucket.name}/checkpoints"
    environment = {name: value for name, value in cluster.environment.items() if name != "RAY_AUTH_MODE"}

    def step(output: str) -> subprocess.Popen:
        arguments = [str(dataset.path), str(tmp_path / output), checkpoints, json.dumps(split.to_dict())]
        command = [sys.executable, "-c", STEP, cluster.address, *arguments, three.model_dump_json()]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    first = step("first")
    members = wait_for(lambda: all_begun(bucket, checkpoints, 3), "an epoch of each member", 300)
    before = {name: saved_epochs(store) for name, store in members.items()}
    assert not any(is_finished(store) for store in members.values())
    raylet_of(node).send_signal(signal.SIGKILL)
    first.send_signal(signal.SIGKILL)
    first.wait()

    second = step("second")
    said, _ = second.communicate(timeout=600)
    print(said[-3000:])
    assert second.returncode == 0
    (job,) = cluster.jobs()
    assert cluster.jobs() == {job: "SUCCEEDED"}
    assert f"Ray job {job}: goes on since an earlier run" in said
    wait_for(lambda: cluster.n_alive() == 1, "the killed node's end")
    print(cluster.ask(f"/api/jobs/{job}/logs").json()["logs"][-6000:])

    members = MembersDir.load(tmp_path / "second")
    history = members.history()
    (data,) = prepare([dataset], split, three.preprocessing)
    for spec in three.members:
        name = spec.name
        # Seconds were measured in the first run: had an epoch been run again, they would differ.
        assert history[name][: len(before[name])] == before[name]
        assert [record.epoch for record in history[name]] == list(range(1, 41))
        undisturbed = fit_member(spec, data, three, tmp_path / "undisturbed" / name)
        trained, expected = (
            weights_of(path)
            for path in (members.weights_path(name), tmp_path / "undisturbed" / name / "best.safetensors")
        )
        assert trained.keys() == expected.keys()
        assert all((trained[key] == expected[key]).all() for key in expected)
        receipt = next(receipt for receipt in members.receipts if receipt.name == name)
        assert receipt.weights_sha256 == undisturbed.weights_sha256
    assert not [key for key in keys_of(bucket) if "request" in key]


def saved_epochs(store) -> tuple[EpochRecord, ...]:
    """The epochs that a member's checkpoint holds."""
    path = store.local("state.safetensors")
    if path is None:
        return ()
    with safe_open(path, "np") as file:
        records = json.loads(file.metadata()["progress"])["records"]
    return tuple(map(EpochRecord.from_dict, records))


def keys_of(bucket) -> list[str]:
    """By the proxy: a listing looks at ETags, too."""
    found = boto3.Session().client("s3").list_objects_v2(Bucket=bucket.name)
    return [each["Key"] for each in found.get("Contents", ())]


def all_begun(bucket, checkpoints: str, n_members: int) -> dict:
    """Members' stores by name, once each has saved an epoch; before that, none."""
    saved = [key.split("/")[1] for key in keys_of(bucket) if key.endswith("/state.safetensors")]
    if len(saved) < n_members:
        return {}
    return {folder.rsplit("-", 1)[0]: open_store(f"{checkpoints}/{folder}") for folder in saved}


def test_refusals_failures_and_a_dashboard_that_is_away(
    cluster: Cluster, bucket, make_dataset, split, config, tmp_path, monkeypatch
):
    dataset = make_dataset()
    config = config.model_copy(update={"epochs": 2, "patience": 2})
    told = Told()

    def train(name, config=config, address=cluster.address):
        return train_members(
            [dataset],
            split,
            config,
            output=tmp_path / name,
            checkpoints=f"s3://{bucket.name}/checkpoints",
            ray_address=address,
            share=MemberShare(cpus=1),
            progress=told,
        )

    # Without a token, or with a wrong one, nothing is submitted.
    for token, message in (
        ("", "there is no token for Ray. Set RAY_AUTH_TOKEN"),
        ("x" * 40, "refuses the token"),
    ):
        monkeypatch.setenv("RAY_AUTH_TOKEN", token)
        monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "none"))
        with pytest.raises(IcefloeError, match=message) as error:
            train("refused")
        assert "\n" not in str(error.value)
        assert "xxx" not in str(error.value)
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    assert cluster.jobs() == {}

    # What fails is told in one line, and submitted again under the next name.
    diverging = config.model_copy(update={"learning_rate": 1e30})
    for _ in range(2):
        with pytest.raises(IcefloeError, match=r"the loss is no longer finite in epoch \d. Lower") as error:
            train("diverged", diverging)
        assert "\n" not in str(error.value)
    first, second = sorted(cluster.jobs())
    assert (first[-2:], second[-2:]) == ("-1", "-2")
    assert first[:-2] == second[:-2]
    assert set(cluster.jobs().values()) == {"FAILED"}

    # A dashboard that does not answer for a while is asked again; a lost answer submits nothing twice.
    with faulty_store(cluster.address) as proxy:
        proxy.fail("unheard", 1, lambda method, path: method == "POST")
        proxy.fail("lost", 3, lambda method, path: method == "GET")
        proxy.fail("busy", 3, lambda method, path: method == "GET")
        members = train("trained", address=proxy.address)
    assert [len(records) for records in members.history().values()] == [2, 2]
    assert sorted(cluster.jobs().values()) == ["FAILED", "FAILED", "SUCCEEDED"]
    assert any("Ray does not answer" in line for line in told.lines)

    # What is trained is not asked for again.
    assert train("again").receipts == members.receipts
    assert len(cluster.jobs()) == 3


@pytest.fixture
def slow_training(bucket, s3, make_dataset, split, three, tmp_path):
    """A step that trains one member for long; slow writes make its checkpoints rare."""
    steps = []
    s3.fail("slow", 10**6, lambda method, path: method == "PUT" and "state.safetensors" in path)

    def start(address: str, environment: dict[str, str]):
        checkpoints = f"s3://{bucket.name}/checkpoints"
        config = three.model_copy(update={"members": three.members[:1], "epochs": 500, "patience": 500})
        command = [sys.executable, "-c", STEP.replace("cpus=1", "cpus=2"), address]
        command += [str(make_dataset().path), str(tmp_path / "members"), checkpoints]
        command += [json.dumps(split.to_dict()), config.model_dump_json()]
        steps.append(subprocess.Popen(command, env=environment))
        (store,) = wait_for(lambda: all_begun(bucket, checkpoints, 1), "a checkpoint", 300).values()
        wait_for(lambda: n_unsaved(store) >= 3, "epochs without a checkpoint", 100)
        return steps[0], store

    yield start
    for step in steps:
        step.kill()
        step.wait()


def n_unsaved(store) -> int:
    return len(read_progress(store)[1]) - len(saved_epochs(store))


def is_saved_within_30_s_of(end, store) -> None:
    n_trained = len(read_progress(store)[1])
    assert len(saved_epochs(store)) < n_trained
    began = time.monotonic()
    end()
    wait_for(lambda: len(saved_epochs(store)) >= n_trained, "a checkpoint of the last epoch", 30)
    print(f"Epoch {n_trained} was saved {time.monotonic() - began:.0f} s after SIGTERM")


def test_a_step_whose_pod_is_to_go_saves_the_last_epoch_first(slow_training):
    """Where it trains on a Ray of its own: Kubernetes sends SIGTERM, and SIGKILL 30 s later."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    step, store = slow_training("", environment)
    is_saved_within_30_s_of(step.terminate, store)
    assert step.wait(30) != 0


def test_a_ray_node_whose_pod_is_to_go_saves_the_last_epoch_and_another_goes_on(
    cluster: Cluster, slow_training
):
    """Kubernetes runs the hook first; what it has not ended after 30 s is killed."""
    node = cluster.add(2, f"--address={cluster.gcs}", "--node-ip-address=127.0.0.1")
    wait_for(lambda: cluster.n_alive() == 2, "the second node")
    environment = {name: value for name, value in cluster.environment.items() if name != "RAY_AUTH_MODE"}
    _, store = slow_training(cluster.address, environment)
    hook = [sys.executable, "-m", "icefloe.training.node_end", "--main", str(node.pid)]

    is_saved_within_30_s_of(lambda: subprocess.Popen(hook), store)

    assert node.wait(30) is not None
    n_saved = len(saved_epochs(store))
    cluster.add(2, f"--address={cluster.gcs}", "--node-ip-address=127.0.0.1")
    wait_for(lambda: len(saved_epochs(store)) > n_saved, "the training to go on", 300)
    assert list(cluster.jobs().values()) == ["RUNNING"]
