"""What a pipeline's step takes on this machine, and in the image's container.

    python -m benchmarks.step_overhead --repeats 3

Needs the image of `make images`, its Docker engine in DOCKER_HOST, and root, since the workspace is given to
the container's user. That workspace is temporary: a dataset of images of 128 px. Locally steps are forked, as
`icefloe pipeline run` does; in containers they start as in a pod. The two take turns.
"""

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import date
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from statistics import median

import numpy as np
from kfp import components, dsl, local

from components.get_data.component import get_data
from components.start_run.component import start_run
from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.versions import commit, init_workspace
from icefloe.pods import Pods
from icefloe.settings import RUN_VARIABLE
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.standard import random_standard_spec
from icefloe.simulate.workspace import write_dataset
from infra.images.runner import locked_runner
from pipelines.packages import compile_package
from pipelines.step_process import step_process
from pipelines.steps import forked_steps


@dsl.pipeline(name="data")
def data_step(rev: str, names: list[str]) -> None:
    """Only `get_data`."""
    get_data(version=rev, names=names, split={})


@dsl.pipeline(name="start")
def start_step() -> None:
    """Only `start_run`."""
    start_run(name="train")


def main() -> None:
    """Print one line a step."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    image = f"icefloe:{version('icefloe')}"
    with tempfile.TemporaryDirectory() as scratch, step_process() as process:
        root = Path(scratch)
        root.chmod(0o755)
        workspace, rev = make_workspace(root / "workspace")
        (root / "icefloe.toml").write_text('profile = "local"\n', encoding="utf-8")
        runners = {
            "forked": local.SubprocessRunner(use_venv=False),
            "container": locked_runner(workspace, root / "icefloe.toml"),
        }
        for pipeline, arguments in ((start_step, {}), (data_step, {"rev": rev, "names": ["D1"]})):
            package = compile_package(pipeline, {}, root / "package.yaml", image, Pods())
            packed = components.load_component_from_file(str(package))
            times: dict[str, list[float]] = {place: [] for place in runners}
            for turn in range(repeats + 1):
                for place, runner in runners.items():
                    steps = root / f"{pipeline.name}-{place}-{turn}"
                    steps.mkdir()
                    subprocess.run(["chown", "-R", "1000:1000", str(workspace), str(steps)], check=True)
                    step = pipeline if place == "forked" else packed  # what is packed looks for its settings
                    with forked_steps(process), local_environment(root, workspace):
                        times[place].append(seconds(runner, steps, step, arguments))
            shown = ", ".join(
                f"{place} {median(each[1:]):.1f} s ({min(each[1:]):.1f} to {max(each[1:]):.1f})"
                for place, each in times.items()
            )
            print(f"{date.today()} {pipeline.name}: {shown}; {repeats} each, after one not counted")


def seconds(
    runner: local.SubprocessRunner | local.DockerRunner,
    steps: Path,
    step: Callable[..., object],
    arguments: dict,
) -> float:
    """Wall time of a step; what it prints is shown only if it fails."""
    local.init(runner=runner, pipeline_root=str(steps), raise_on_error=True)
    log = StringIO()
    began = time.monotonic()
    try:
        with redirect_stdout(log):
            step(**arguments)
    except RuntimeError:
        print(log.getvalue())
        raise
    return time.monotonic() - began


@contextmanager
def local_environment(root: Path, workspace: Path) -> Iterator[None]:
    """The variables of a local run; git takes a folder of another user only where it is told to."""
    (root / "gitconfig").write_text("[safe]\n\tdirectory = *\n", encoding="utf-8")
    before = dict(os.environ)
    os.environ["GIT_CONFIG_GLOBAL"] = str(root / "gitconfig")
    os.environ["ICEFLOE_WORKSPACE"] = str(workspace)
    os.environ[RUN_VARIABLE] = "1"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def make_workspace(folder: Path) -> tuple[Path, str]:
    """A workspace with a labelled dataset, and the commit of its data version."""
    init_workspace(folder, "presets: {}\n")
    spec = random_standard_spec(np.random.default_rng(1), "round").changed(size_px=128, pixel_size_nm=4.0)
    info = DatasetInfo(name="D1", experiment="D1", preprocessing=["stacked"])
    write_dataset(simulate_experiment(spec, 1), folder / "data" / "D1", info, labelled=True)
    return folder, commit(folder, "D1").rev


if __name__ == "__main__":
    main()
