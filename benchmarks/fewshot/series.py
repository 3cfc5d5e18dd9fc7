"""A series of images: images a second, and peak memory, by the number of images.

Each series is classified by a process of its own, `python -m benchmarks.fewshot.series FOLDER IMAGES`, so
that its peak is not that of another.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tifffile

from icefloe.settings import Settings
from icefloe.tables import Table
from icefloe.workflow.fewshot import FewShotOptions, classify_images

SIDE, EDGE = 512, 32
SUPPORTS_A_CLASS = 5


def series_table(counts: Sequence[int]) -> Table:
    """Series of so many images, each with its process."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="icefloe-series-") as scratch:
        folder = Path(scratch)
        make_images(folder, max(counts))
        for count in counts:
            command = [sys.executable, "-m", "benchmarks.fewshot.series", str(folder), str(count)]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            measured = json.loads(done.stdout.splitlines()[-1])
            rows.append(
                {
                    "images": count,
                    "s": measured["s"],
                    "CPU s": measured["cpu_s"],
                    "images a second": count / measured["s"],
                    "images a CPU second": count / measured["cpu_s"],
                    "peak memory, MiB": measured["peak_mib"],
                }
            )
    formats = {"s": ".1f", "CPU s": ".1f", "images a second": ".2f", "images a CPU second": ".2f"}
    return Table.of(rows, {**formats, "peak memory, MiB": ".0f"})


def make_images(folder: Path, n_images: int) -> None:
    """Two textures side by side, the border on its way from left to right; and a table of supports."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    left, right = np.sin((x + y) / 2), np.sin(x / 2) * np.sin(y / 2)
    for number in range(n_images):
        border = SIDE * (0.3 + 0.4 * number / n_images)
        noise = np.random.default_rng(number).normal(0, 0.5, (SIDE, SIDE))
        values = np.where(x < border, left, right) + noise
        tifffile.imwrite(folder / f"frame_{number:04}.tif", (20000 + 4000 * values).astype(np.uint16))
    rows = [
        f"{row},{column},{name}"
        for name, column in (("left", 1), ("right", SIDE // EDGE - 1))
        for row in range(SUPPORTS_A_CLASS)
    ]
    (folder / "supports.csv").write_text("\n".join(["row,column,set", *rows]) + "\n", encoding="utf-8")


def peak_mib() -> float:
    """Peak memory of this program, MiB; `getrusage` would give the peak of the one that started it, too."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main() -> None:
    """Classify the first images of a folder, and print what it took."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    images = sorted(folder.glob("*.tif"))[:count]
    began, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory(dir=folder) as workspace:
        classify_images(
            Settings(workspace=Path(workspace)),
            images,
            folder / "supports.csv",
            Path(workspace) / "out",
            FewShotOptions(edge=EDGE),
        )
    told = {
        "s": time.perf_counter() - began,
        "cpu_s": time.process_time() - cpu,
        "peak_mib": peak_mib(),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
