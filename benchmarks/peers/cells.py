"""One cell of the comparison: a method trained on a case with a seed, and its predictions scored."""

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.peers.cases import Prepared
from benchmarks.peers.clock import ABOUT, TRAINED
from benchmarks.peers.jobs import Job
from icefloe.datasets.dataset import Dataset
from icefloe.errors import IcefloeError
from icefloe.files import write_text_atomic
from icefloe.scoring.baselines import BASELINES
from icefloe.scoring.calibration import calibration_bins
from icefloe.scoring.metrics import brier_score, confusion_matrix
from icefloe.typing import FloatArray, MaskArray

Cell = dict[str, Any]
ROOT = Path(__file__).parents[2]
POLL_S = 0.5


@dataclass(frozen=True)
class Method:
    """A way to segment.

    Attributes
    ----------
    title
        In the table.
    module
        Module of this package that is run with a job; empty: a trivial baseline, which learns nothing.
    options
        What the module is told.
    """

    title: str
    module: str = ""
    options: Mapping[str, Any] | None = None


def run_cell(method: Method, prepared: Prepared, job: Job) -> Cell:
    """Train, predict and score; a method that refuses or fails gives its reason as `error`."""
    cell: Cell = {
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "load_before": os.getloadavg()[0],
        "allowed_min": job.minutes,
        "threads": job.threads,
        "n_train": len(prepared.train.labelled),
    }
    shutil.rmtree(job.folder, ignore_errors=True)
    job.folder.mkdir(parents=True)
    job.save(job.folder / "job.json")
    log = job.folder / "log.txt"
    status, cpu = _run([sys.executable, "-m", f"benchmarks.peers.{method.module}", "job.json"], job, log)
    if status or not (job.folder / ABOUT).is_file():
        lines = [
            line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()
        ]
        return cell | {
            "error": lines[-1].removeprefix("icefloe.errors.IcefloeError: ") if lines else "killed"
        }
    cell |= json.loads((job.folder / ABOUT).read_text(encoding="utf-8")) | cpu
    return cell | {"images": score(prepared.truth, lambda stem: _read(job.folder / f"{stem}.npz"))}


def machine() -> str:
    """The processor and the vector instructions that decide how fast it multiplies."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    entries = dict(line.split(":", 1) for line in lines if ":" in line)
    fields = {name.strip(): value.strip() for name, value in entries.items()}
    flags = fields.get("flags", "").split()
    vectors = next((name for name in ("avx512f", "avx2") if name in flags), platform.machine())
    return f"{fields.get('model name', 'unknown')}, {vectors}"


def baseline_cell(name: str, prepared: Prepared) -> Cell:
    """Scores of a trivial baseline, whose mask is taken for its probability."""
    n_classes = len(prepared.truth.info.classes)
    images = {sample.stem: sample.image() for sample in prepared.truth.samples}

    def predict(stem: str) -> tuple[FloatArray, MaskArray]:
        mask = BASELINES[name](images[stem])
        one_hot = np.eye(n_classes, dtype=np.float32)[mask]
        return (one_hot[..., 1] if n_classes == 2 else np.moveaxis(one_hot, -1, 0)), mask

    return {"n_train": 0, "images": score(prepared.truth, predict)}


def score(truth: Dataset, predict: Callable[[str], tuple[FloatArray, MaskArray]]) -> list[dict[str, Any]]:
    """What every image adds to pooled scores, by the project's scoring at native size."""
    rows = []
    for sample in truth.samples:
        reference, (probability, mask) = sample.mask(), predict(sample.stem)
        confusion = confusion_matrix(reference, mask, len(truth.info.classes))
        bins = calibration_bins(reference, probability)
        rows.append(
            {
                "stem": sample.stem,
                "confusion": confusion.tolist(),
                "squared_error": brier_score(reference, probability) * int(confusion.sum()),
                "bins": [bins.count.tolist(), bins.probability_sum.tolist(), bins.event_sum.tolist()],
            }
        )
    return rows


def save_cell(path: Path, cell: Cell) -> None:
    """Write a finished cell, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text_atomic(path, json.dumps(cell) + "\n")


def remove_leftovers(folder: Path, keep: Iterable[str] = ("log.txt", "job.json", ABOUT)) -> None:
    """Take predictions, weights and workspaces of a finished job away."""
    for path in folder.iterdir():
        if path.name not in keep:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _read(path: Path) -> tuple[FloatArray, MaskArray]:
    with np.load(path) as content:
        return content["probability"], content["mask"]


def _run(command: list[str], job: Job, log: Path) -> tuple[int, dict[str, float]]:
    """Run a method bound to its cores; exit status, and seconds of CPU of all its processes by part."""
    cores = sorted(os.sched_getaffinity(0))[: job.threads]
    if len(cores) < job.threads:
        raise IcefloeError(
            f"This machine gives {len(cores)} cores, not {job.threads}. Ask for fewer --threads."
        )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(job.threads)}
    with log.open("w", encoding="utf-8") as output:
        process = psutil.Popen(
            command,
            cwd=job.folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        used: dict[tuple[int, float], float] = {}
        training: float | None = None
        try:
            while process.poll() is None:
                _count(process, used)
                if training is None and (job.folder / TRAINED).is_file():
                    training = sum(used.values())
                time.sleep(POLL_S)
        finally:
            for child in [*_family(process)]:
                child.kill()
    total = sum(used.values())
    training = total if training is None else training
    return process.returncode, {"training_cpu_s": training, "prediction_cpu_s": total - training}


def _family(process: psutil.Popen) -> list[psutil.Process]:
    try:
        return [*process.children(recursive=True), process]
    except psutil.NoSuchProcess:
        return []


def _count(process: psutil.Popen, used: dict[tuple[int, float], float]) -> None:
    """Note the CPU time so far of a process and its descendants, who may be gone at the next look."""
    for member in _family(process):
        try:
            times = member.cpu_times()
            used[member.pid, member.create_time()] = times.user + times.system
        except psutil.NoSuchProcess:
            continue
