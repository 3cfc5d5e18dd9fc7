"""The whole loop with the profile `cluster` on a cluster's servers, against the same loop on one machine.

PostgreSQL, Ceph's S3, MLflow's server, git's daemon and Ray run here, on loopback. Each step is a
process with an empty home, in which it works, and no workspace: it knows the stores' addresses only.
KFP's local runner takes Kubeflow's place, and its folder that of Kubeflow's own store of artifacts.
"""

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from pathlib import Path

import boto3
import pytest
import requests
from kfp import local

from icefloe.active.queue import open_queue
from icefloe.datasets.shared import cloned
from icefloe.datasets.versions import current_version
from icefloe.params import load_params
from icefloe.registry.registry import Registry
from icefloe.registry.runs import RunRecord, list_runs
from icefloe.settings import Settings, load_settings
from pipelines.catalogue import PIPELINES
from pipelines.step_process import step_process
from pipelines.steps import forked_steps
from tests.ceph import ceph, missing_programs
from tests.e2e.test_loop import fill_workspace, succeed
from tests.mlflow_server import Server
from tests.ray_cluster import TOKEN, ray_cluster, wait_for
from tests.shared_repository import publish, served

pytestmark = [pytest.mark.integration, pytest.mark.timeout(3600)]

INHERITED = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "OMP_NUM_THREADS", "OMP_WAIT_POLICY", "TMPDIR", "TZ")


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """These variables and nothing else."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def up(what: str, seconds: float) -> None:
    print(f"{what} was up after {seconds:.1f} s")


@pytest.fixture(scope="module")
def plain() -> dict[str, str]:
    """What a pod has that knows no store."""
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return kept | {"PATH": path, "NO_PROXY": "127.0.0.1", "MLFLOW_DISABLE_TELEMETRY": "true"}


@pytest.fixture(scope="module")
def s3(plain) -> Iterator[dict[str, str]]:
    """Ceph with a bucket `icefloe`: what boto3 goes by."""
    if missing := missing_programs():
        pytest.skip(
            f"{', '.join(missing)}: not on this machine. Install: apt-get install ceph-mon ceph-osd radosgw"
        )
    with ceph() as store:
        up("Ceph", store.seconds)
        with environment(plain | store.environment):
            boto3.Session().client("s3").create_bucket(Bucket="icefloe")
        yield store.environment


@pytest.fixture(scope="module")
def databases(request) -> dict[str, str]:
    """URLs of two empty databases of PostgreSQL."""
    began = time.monotonic()
    server = request.getfixturevalue("postgresql")
    up("PostgreSQL", time.monotonic() - began)
    for name in ("icefloe", "mlflow"):
        server.execute(f"CREATE DATABASE {name}")
    return {
        name: server.url().set(database=name).render_as_string(hide_password=False)
        for name in ("icefloe", "mlflow")
    }


@pytest.fixture(scope="module")
def tracking(plain, s3, databases, tmp_path_factory) -> Iterator[str]:
    """Address of MLflow's server."""
    with environment(plain | s3 | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}):
        server = Server(tmp_path_factory.mktemp("mlflow"), databases["mlflow"], "s3://icefloe/mlflow")
        try:
            server.start()
            up("MLflow", server.seconds)
            yield server.address
        finally:
            server.stop()


@pytest.fixture(scope="module")
def ray(plain, s3, tmp_path_factory) -> Iterator[str]:
    """Address of the dashboard of two nodes with one CPU each."""
    home = {"HOME": str(tmp_path_factory.mktemp("home"))}
    with environment(plain), ray_cluster(**s3, **home) as cluster:
        cluster.add(1, f"--address={cluster.gcs}", "--node-ip-address=127.0.0.1")
        began = time.monotonic()
        wait_for(lambda: cluster.n_alive() == 2, "the second node")
        up("Ray", cluster.seconds + time.monotonic() - began)
        yield cluster.address


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Path:
    """A workspace with the data of D1 to D3, of which there is no version yet."""
    folder = tmp_path_factory.mktemp("study") / "workspace"
    fill_workspace(folder)
    return folder


@pytest.fixture(scope="module")
def copy(workspace) -> Path:
    """A copy of the workspace, which stays."""
    return Path(shutil.copytree(workspace, workspace.with_name("local")))


@pytest.fixture(scope="module")
def on_one_machine(plain, copy) -> Settings:
    """Settings of the copy after the loop with the profile `local`."""
    with environment(plain | {"HOME": str(copy.parent)}):
        succeed("-C", copy, "data", "commit", "-m", "D1 to D3")
        began = time.monotonic()
        succeed("-C", copy, "pipeline", "run", "loop", "--preset", "tiny")
        print(f"The loop took {time.monotonic() - began:.0f} s with the profile local")
        return load_settings(copy)


@pytest.fixture(scope="module")
def repository(plain, s3, workspace, copy, tmp_path_factory) -> Iterator[str]:
    """URL of the git repository, whose data are on S3. The copy is older than that, and of one machine."""
    bare = tmp_path_factory.mktemp("origin") / "study.git"
    with environment(plain | s3 | {"HOME": str(bare.parent)}):
        publish(workspace, "s3://icefloe/dvc", bare)
    began = time.monotonic()
    with served(bare) as url:
        up("git's daemon", time.monotonic() - began)
        yield url


@pytest.fixture(scope="module")
def pod(plain, s3, databases, tracking, ray, repository, tmp_path_factory) -> dict[str, str]:
    """The variables of every step."""
    stores = {
        "ICEFLOE_PROFILE": "cluster",
        "ICEFLOE_DATA_REPO": repository,
        "ICEFLOE_DATABASE_URL": databases["icefloe"],
        "ICEFLOE_CHECKPOINTS": "s3://icefloe/checkpoints",
        "ICEFLOE_RAY_ADDRESS": ray,
        "ICEFLOE_RAY_MEMBER__CPUS": "1",
        "ICEFLOE_PIPELINE_RUN": "8f14e45f-run",
        "MLFLOW_TRACKING_URI": tracking,
        "RAY_AUTH_TOKEN": TOKEN,
    }
    scratch = tmp_path_factory.mktemp("scratch")
    folders = {name: str(scratch / name) for name in ("DVC_SITE_CACHE_DIR", "MPLCONFIGDIR")}
    return plain | s3 | stores | folders


@pytest.fixture(scope="module")
def looped(pod, workspace, copy, tmp_path_factory) -> Iterator[Settings]:
    """Settings of a cluster after the loop; they hold while a test runs."""
    sections = load_params(copy / "params.yaml", "tiny").sections()
    shutil.rmtree(workspace)
    steps, empty = tmp_path_factory.mktemp("steps"), tmp_path_factory.mktemp("empty")
    known = PIPELINES["loop"].component_spec.inputs
    arguments = {name: value for name, value in sections.items() if name in known}
    local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(steps), raise_on_error=True)
    began = time.monotonic()
    with environment(pod | {"HOME": str(empty)}), chdir(empty), step_process() as process:
        with forked_steps(process):
            PIPELINES["loop"](initial=["D1", "D2"], arriving=["D3"], **arguments)
        print(f"The loop took {time.monotonic() - began:.0f} s with the profile cluster")
        yield load_settings()


def test_labels_are_in_the_queue_in_git_and_in_the_registered_version(looped):
    items = open_queue(looped).items()

    assert [item.state for item in items] == ["imported", "imported"]
    with cloned(looped.data_repo) as clone:
        version = current_version(clone)
    assert {item.data_version for item in items} == {version.rev}
    assert Registry(looped).get("EA-T2").data_md5 == version.md5


def test_everything_is_in_the_stores(looped, pod):
    found = boto3.Session().client("s3").list_objects_v2(Bucket="icefloe")["Contents"]

    assert {entry["Key"].split("/")[0] for entry in found} == {"checkpoints", "dvc", "mlflow"}
    assert list(Path.cwd().iterdir()) == []
    jobs = requests.get(
        f"{looped.ray_address}/api/jobs/", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20
    ).json()
    assert [job["status"] for job in jobs] == ["SUCCEEDED", "SUCCEEDED"]
    assert requests.get(f"{looped.ray_address}/api/jobs/", timeout=20).status_code == 401


def test_versions_are_those_of_one_machine(looped, on_one_machine):
    there, here = Registry(looped), Registry(on_one_machine)

    assert [version.name for version in there.list()] == ["EA-T1", "EA-T2"]
    assert there.champion().name == here.champion().name
    assert there.get("EA-T1").data_md5 == here.get("EA-T1").data_md5  # the next one's labels have times
    for name in ("EA-T1", "EA-T2"):
        assert there.get(name).verdict == here.get(name).verdict
        assert there.show(name).lineage.weights_sha256 == here.show(name).lineage.weights_sha256
        assert there.evaluation(name) == here.evaluation(name)


def test_the_gate_and_the_sampler_decide_as_on_one_machine(looped, on_one_machine):
    (there,) = (RunRecord(looped, run["id"]) for run in list_runs(looped))
    (here,) = (RunRecord(on_one_machine, run["id"]) for run in list_runs(on_one_machine))

    for name in ("gate/D3.json", "selection/D3.json"):
        assert there.read_json(name) == here.read_json(name)
    assert there.read_json("gate/D3.json")["outcome"] == "shifted"
    assert there.read_json("labels/D3.json")["keys"] == here.read_json("labels/D3.json")["keys"]
    assert not there.is_open
