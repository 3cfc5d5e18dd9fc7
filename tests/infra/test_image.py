"""The image as a pod runs it: by a user without rights, on a read-only root, without network.

Run by `make images`, which builds it before.
"""

import ast
import json
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import yaml
from kfp import components, local

from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.versions import commit, init_workspace
from icefloe.pods import Pods
from icefloe.registry.registry import Registry
from icefloe.registry.runs import list_runs
from icefloe.settings import load_settings
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.standard import random_standard_spec
from icefloe.simulate.workspace import write_dataset
from infra.images.runner import locked_runner
from pipelines.catalogue import PIPELINES
from pipelines.packages import compile_package

pytestmark = pytest.mark.images

IMAGE = f"icefloe:{version('icefloe')}"
REPOSITORY = Path(__file__).parents[2]
LOCK = ("--read-only", "--network=none", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")
IMPORTS = """
import ast, json, sys
for name, source in json.load(sys.stdin).items():
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(nodes, []), name, "exec"), {})
    print(name, len(nodes))
"""
TRAINING = {
    "members": [
        {"encoder": "mobilenet_v2", "decoder_channels": [16, 16, 8, 8, 8], "seed": seed} for seed in (0, 1)
    ],
    "preprocessing": {"size": 64},
    "epochs": 6,
    "patience": 6,
    "draws_per_epoch": 16,
    "learning_rate": 3e-3,
    "precision": "fp32",
}


def docker(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, **options)


def in_container(*command: str, **options) -> str:
    """What a command prints in a container of its own."""
    ended = docker("run", "--rm", "--interactive", *LOCK, IMAGE, *command, **options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def about() -> dict:
    return json.loads(docker("image", "inspect", IMAGE).stdout)[0]


@pytest.fixture
def container():
    """Start a container in the background; it ends with the test."""
    started = []

    def start(*command: str) -> str:
        started.append(docker("run", "--detach", "--shm-size=1g", *LOCK, IMAGE, *command).stdout.strip())
        return started[-1]

    yield start
    docker("rm", "--force", *started)


def test_it_is_the_user_and_has_the_commands_that_manifests_name():
    assert in_container("id", "-u").strip() == "1000"
    helped = in_container("icefloe", "--help")
    for command in ("serve", "worker", "db", "pipeline"):
        assert f" {command} " in helped
    pinned = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8")
    # KubeRay's shell, which may be a login shell with a PATH of its own.
    ray = in_container("bash", "-lc", "ray --version").split()[-1]
    assert f"ray=={ray}\n" in pinned
    assert in_container("mlflow", "--version").split()[-1] == version("mlflow")
    assert in_container("git", "--version").startswith("git version 2.")


def test_only_tmp_can_be_written_to():
    probe = "for place; do touch $place/probe 2> /dev/null && echo $place; done; true"
    places = ("/", "/opt/icefloe", "/var/tmp", "/tmp")
    assert in_container("sh", "-c", probe, "probe", *places) == "/tmp\n"
    homes = "import os; print({os.environ[name] for name in ('HOME', 'DVC_SITE_CACHE_DIR', 'MPLCONFIGDIR')})"
    assert ast.literal_eval(in_container("python", "-c", homes)) == {"/tmp", "/tmp/dvc", "/tmp/matplotlib"}


def test_it_trusts_the_usual_authorities():
    count = "import ssl; print(ssl.create_default_context().cert_store_stats()['x509_ca'])"
    assert int(in_container("python", "-c", count)) > 100


def test_it_says_which_commit_it_was_built_from(about):
    program = "from icefloe.datasets.git import code_revision; print(code_revision())"
    labels = about["Config"]["Labels"]
    revision = labels["org.opencontainers.image.revision"]
    assert in_container("python", "-c", program).strip() == revision
    assert len(revision.removesuffix("-dirty")) == 40
    assert labels["org.opencontainers.image.version"] == version("icefloe")


def test_it_carries_no_workspace_no_repository_and_no_wheel(about):
    names = " -o ".join(
        f"-name '{name}'" for name in (".git", ".venv", "torch*.whl", "icefloe.toml", "build")
    )
    found = f"find / -xdev -path /proc -prune -o '(' {names} ')' -print 2> /dev/null; true"
    assert [path for path in in_container("sh", "-c", found).split() if "/site-packages/" not in path] == []


def test_it_does_not_grow_unnoticed(about):
    """Above its base: that of this machine may be a stand-in, larger than the official one."""
    recipe = (REPOSITORY / "infra" / "images" / "Containerfile").read_text(encoding="utf-8")
    base = json.loads(docker("image", "inspect", recipe.split("FROM ")[-1].split()[0]).stdout)[0]
    assert about["Size"] - base["Size"] < 2.15e9


def test_every_step_of_the_packages_finds_what_it_imports(tmp_path):
    sources = {}
    for name, pipeline in PIPELINES.items():
        path = compile_package(pipeline, {}, tmp_path / f"{name}.yaml", IMAGE, Pods())
        package = next(yaml.safe_load_all(path.read_text(encoding="utf-8")))
        for label, executor in package["deploymentSpec"]["executors"].items():
            assert executor["container"]["image"] == IMAGE
            (sources[f"{name}/{label}"],) = (
                part for part in executor["container"]["command"] if "\ndef " in part
            )
    printed = in_container("python", "-c", IMPORTS, input=json.dumps(sources)).splitlines()
    counts = dict(line.rsplit(maxsplit=1) for line in printed)
    assert counts.keys() == sources.keys()
    assert min(map(int, counts.values())) > 3


def test_what_it_starts_with_is_compiled():
    """Python would compile it again at every start, since it can't keep it."""
    program = (
        "import sys; from pathlib import Path; import kfp.dsl.executor_main, icefloe.workflow.training, ray\n"
        "specs = [s for m in sys.modules.values() if (s := getattr(m, '__spec__', None)) and s.cached]\n"
        "print([s.origin for s in specs if '/opt/' in s.cached and not Path(s.cached).exists()])"
    )
    assert in_container("python", "-c", program).strip() == "[]"


@pytest.mark.parametrize(
    "command",
    [
        ["mlflow", "server", "--port", "5001", "--backend-store-uri", "sqlite:////tmp/mlflow.db"],
        ["bash", "-lc", "ray start --head --block --dashboard-agent-listen-port 52365"],
    ],
    ids=["mlflow", "ray"],
)
def test_a_server_is_well_once_it_answers(container, command):
    started = container(*command)

    def is_well() -> bool:
        return docker("exec", started, "python", "/opt/icefloe/health.py").returncode == 0

    assert not is_well()
    deadline = time.monotonic() + 180
    while not is_well():
        assert time.monotonic() < deadline, docker("logs", started).stdout
        time.sleep(2)


def test_what_serves_nothing_is_well_while_it_runs(container):
    assert docker("exec", container("sleep", "600"), "python", "/opt/icefloe/health.py").returncode == 0


@pytest.fixture
def workspace(tmp_path) -> Path:
    """A tiny labelled dataset, in a workspace of the image's user."""
    folder = tmp_path / "workspace"
    init_workspace(folder, "presets: {}\n")
    spec = random_standard_spec(np.random.default_rng(1), "round").changed(size_px=128, pixel_size_nm=4.0)
    info = DatasetInfo(name="D1", experiment="D1", preprocessing=["stacked"])
    write_dataset(simulate_experiment(spec, 1), folder / "data" / "D1", info, labelled=True)
    commit(folder, "D1")
    (tmp_path / "steps").mkdir()
    for path in (folder, tmp_path / "steps"):
        subprocess.run(["chown", "-R", "1000:1000", str(path)], check=True)
    for path in tmp_path.parents:  # pytest's folders are closed to other users
        if path != Path("/"):
            path.chmod(path.stat().st_mode | 0o011)
    tmp_path.chmod(0o755)
    return folder


@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore:.*custom or non-Python base image")
def test_train_registers_a_version_of_this_commit(workspace, tmp_path, about):
    settings_file = tmp_path / "icefloe.toml"
    settings_file.write_text('profile = "local"\n', encoding="utf-8")
    defaults = {"training": TRAINING, "pruning": {"min_accuracy": 0.2}}
    package = compile_package(PIPELINES["train"], defaults, tmp_path / "train.yaml", IMAGE, Pods())
    local.init(
        runner=locked_runner(workspace, settings_file),
        pipeline_root=str(tmp_path / "steps"),
        raise_on_error=True,
    )

    components.load_component_from_file(str(package))(datasets=["D1"])

    settings = load_settings(workspace)
    (made,) = Registry(settings).list()
    (run,) = list_runs(settings)
    assert (made.name, run["status"]) == ("EA-T1", "FINISHED")
    assert made.git_sha == about["Config"]["Labels"]["org.opencontainers.image.revision"]
    assert 0 < made.metrics["D1"]["dice"] <= 1
    (report,) = (tmp_path / "steps").glob("*/write-report/report")
    assert "EA-T1" in report.read_text(encoding="utf-8")
    assert {path.stat().st_uid for path in (tmp_path / "steps").rglob("*")} == {1000}
