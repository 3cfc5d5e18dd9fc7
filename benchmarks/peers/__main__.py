"""Icefloe beside a plain U-Net script, nnU-Net and trivial baselines, on real images at equal minutes.

    python -m benchmarks.peers --data ../shared/data --minutes 10 --seeds 3

Each cell (case x method x seed) is trained bound to the same cores and kept as a JSON file under `--output`,
beside the table: killed and run again, later or on another machine, the command goes on where it stood.
"""

import argparse
import json
import os
import shlex
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

from grimp import build_graph

from benchmarks.peers.cases import CASES, Prepared, prepare
from benchmarks.peers.cells import ROOT, Cell, Method, baseline_cell, remove_leftovers, run_cell, save_cell
from benchmarks.peers.jobs import Job
from benchmarks.peers.table import read_cells, write_comparison
from benchmarks.peers.variants import VARIANTS
from icefloe.errors import IcefloeError
from icefloe.scoring.baselines import BASELINES
from icefloe.training.planner import WEIGHTS

SETTINGS = ("icefloe/params.yaml", "icefloe/models/sim/*.safetensors")
"""What decides what a version is, beside the code."""

LITE = ("lite0", "lite1", "lite2")
FIRST_WEIGHTS = {"scratch": "none", "sim": "sim", "imagenet": "imagenet", "image-sim": "image-sim"}
METHODS = {
    **{name: Method(f"*{name}*") for name in BASELINES},
    **{
        f"ours-{name}": Method(f"Icefloe, {name}", "ours", {"weights": weights})
        for name, weights in FIRST_WEIGHTS.items()
    },
    **{f"smp-{name}": Method(f"smp U-Net, {name}", "smp_unet", {"encoders": [name]}) for name in LITE},
    "smp-three": Method("smp U-Nets, mean of three", "smp_unet", {"encoders": list(LITE)}),
    **{
        f"ours-{name}": Method(f"Icefloe, {name}", "ours", {"weights": WEIGHTS, "training": entries})
        for name, entries in VARIANTS.items()
    },
    "nnunet": Method("nnU-Net v2, 2d", "nnunet", {}),
    "nnunet-1gb": Method("nnU-Net v2, 2d, planned for 1 GB", "nnunet", {"gpu_memory_gb": 1}),
}
"""On the command line and in files; the trivial baselines always are in the table."""

COMPARED = [
    name for name, method in METHODS.items() if method.module and "training" not in (method.options or {})
]
"""What is compared unless methods are named: not the variants, which settings are chosen by."""


def main() -> None:
    chosen = _arguments()
    methods = {name: METHODS[name] for name in (*BASELINES, *chosen.methods)}
    command = shlex.join(["python", "-m", "benchmarks.peers", *sys.argv[1:]])
    cells: dict[tuple[str, str, int], Path] = {}
    for seed in range(chosen.seeds):  # first, so that a run that is stopped has compared all methods
        for case in chosen.cases:
            for name, method in methods.items():
                if method.module or seed == 0:
                    cells[case, name, seed] = chosen.output / "cells" / _cell_name(chosen, case, name, seed)
    missing = {key: path for key, path in cells.items() if not _is_finished(path)}
    print(f"{len(cells)} cells, {len(missing)} to do, {chosen.minutes:g} minutes each", flush=True)
    prepared: dict[str, Prepared] = {}
    for number, ((case, name, seed), path) in enumerate(missing.items(), start=1):
        if case not in prepared:
            prepared[case] = prepare(CASES[case], chosen.data, chosen.work / "data" / case)
        print(f"[{number}/{len(missing)}] {case} {name} seed {seed} ...", flush=True)
        cell = _cell(chosen, methods[name], name, prepared[case], seed)
        save_cell(path, cell | {"case": case, "method": name, "seed": seed})
        print(f"    {_short(cell)}", flush=True)
        write_comparison(chosen.output, read_cells(cells.values()), CASES, methods, command)
    print(write_comparison(chosen.output, read_cells(cells.values()), CASES, methods, command))


def _arguments() -> argparse.Namespace:
    learning = [name for name, method in METHODS.items() if method.module]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data = os.environ.get("ICEFLOE_REAL_DATA")
    parser.add_argument(
        "--data",
        type=Path,
        default=data,
        required=not data,
        help="folder of ice, nanoparticle-sintering and so on; or ICEFLOE_REAL_DATA",
    )
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), metavar="CASE")
    parser.add_argument("--methods", nargs="+", choices=learning, default=COMPARED, metavar="METHOD")
    parser.add_argument(
        "--by-cpu", action="store_true", help="count minutes of CPU by core: for a machine with other work"
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="of training, for each cell")
    parser.add_argument(
        "--threads", type=int, default=len(os.sched_getaffinity(0)), help="cores for each cell"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--preset", default="auto", help="of Icefloe; other than auto, it takes its own time")
    parser.add_argument(
        "--work", type=Path, default=Path("peers"), help="data by case, and trainings in progress"
    )
    parser.add_argument(
        "--output", type=Path, default=Path("peers"), help="for peers.md, and cells: what was finished"
    )
    return parser.parse_args()


def _cell_name(chosen: argparse.Namespace, case: str, name: str, seed: int) -> str:
    """What a cell depends on, the code of its method included: where that differs it is trained again."""
    method = METHODS[name]
    if not method.module:
        return f"{case}--{name.replace(' ', '-').replace(',', '')}.json"
    preset = f"-{chosen.preset}" if method.module == "ours" else ""
    time = f"{chosen.minutes:g}{'cpu' if chosen.by_cpu else 'min'}-{chosen.threads}threads"
    return f"{case}--{name}{preset}--{time}--{_code(method.module)}--seed{seed}.json"


@cache
def _code(module: str) -> str:
    """Digest of the code that a method's result depends on."""
    files = sorted(Path(__file__).parent.glob(f"{module}*"))
    if module == "ours":
        files += [
            *_imported(f"{__package__}.{module}"),
            *(p for one in SETTINGS for p in sorted(ROOT.glob(one))),
        ]
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:8]


def _imported(module: str) -> list[Path]:
    """Files of Icefloe's modules that a module imports, and of those that they do."""
    found = build_graph("icefloe", "benchmarks").find_upstream_modules(module)
    paths = (ROOT.joinpath(*name.split(".")) for name in sorted(found) if name.startswith("icefloe"))
    return [path / "__init__.py" if path.is_dir() else path.with_suffix(".py") for path in paths]


def _is_finished(path: Path) -> bool:
    """A cell that failed is tried again."""
    return path.is_file() and "error" not in json.loads(path.read_text(encoding="utf-8"))


def _cell(chosen: argparse.Namespace, method: Method, name: str, prepared: Prepared, seed: int) -> Cell:
    if not method.module:
        return baseline_cell(name, prepared)
    job = Job(
        source=prepared.source.absolute(),
        train=prepared.train.path.absolute(),
        test=prepared.test.path.absolute(),
        folder=(chosen.work / "jobs" / f"{prepared.train.info.experiment}-{name}-{seed}").absolute(),
        seed=seed,
        minutes=chosen.minutes,
        threads=chosen.threads,
        by_cpu=chosen.by_cpu,
        options={
            "preset": chosen.preset,
            "environment": str((chosen.work / "nnunet").absolute()),
            "classes": prepared.train.info.classes,
            **(method.options or {}),
        },
    )
    cell = run_cell(method, prepared, job)
    if "error" not in cell:
        remove_leftovers(job.folder)
    return cell


def _short(cell: Cell) -> str:
    if "error" in cell:
        return f"failed: {cell['error']}"
    return f"{cell['training_s'] / 60:.1f} min" if "training_s" in cell else "scored"


if __name__ == "__main__":
    try:
        main()
    except IcefloeError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
