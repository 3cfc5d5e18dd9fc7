"""Stacking a long recording against reading it into memory: time, throughput and peak memory, in one run.

    python benchmarks/stacking.py --gigabytes 10

A 16-bit recording of 1024 x 1024 pixels is written to a temporary folder in `--folder` and removed
afterwards. Each way of stacking it runs in a process of its own.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import numpy as np
import tifffile

SIDE, RATE = 1024, 25

PLAIN = """
import tifffile
frames = tifffile.imread(path)
n_seconds = len(frames) // 25
means = frames[: 25 * n_seconds].reshape(n_seconds, 25, *frames.shape[1:]).mean(axis=1)
for index, mean in enumerate(means):
    tifffile.imwrite(f"{output}_{index:04d}.tif", mean.astype("float32"))
"""
"""What a person writes who has the memory."""

ICEFLOE = """
from pathlib import Path
from icefloe.acquisition.composite_folder import CompositeFolder
from icefloe.acquisition.stack import Stacking, StackOptions
options = StackOptions(frame_rate_hz=25, **chosen)
recording = options.open(Path(path))
folder = CompositeFolder(Path(output), options.to_dict())
for _ in Stacking(recording, recording.frames, folder, options).run():
    pass
"""

MEASURED = """
import json, resource, sys, time
path, output, chosen = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
began = time.perf_counter()
{code}
seconds = time.perf_counter() - began
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6]))
"""

WAYS: dict[str, tuple[str, dict[str, bool]]] = {
    "tifffile.imread + mean, in memory": (PLAIN, {}),
    "icefloe stack": (ICEFLOE, {}),
    "icefloe stack --hot-pixels --remove-xrays": (ICEFLOE, {"hot_pixels": True, "remove_xrays": True}),
    "icefloe stack --align": (ICEFLOE, {"align": True}),
    "icefloe stack --hot-pixels --remove-xrays --align": (
        ICEFLOE,
        {"hot_pixels": True, "remove_xrays": True, "align": True},
    ),
}


def write_recording(path: Path, n_frames: int) -> None:
    """A BigTIFF of Poisson counts on a mottled specimen that drifts by a pixel a second."""
    rng = np.random.default_rng(0)
    mottle = np.fft.irfft2(
        np.fft.rfft2(rng.standard_normal((SIDE, SIDE)))
        * np.exp(-200 * (np.fft.fftfreq(SIDE)[:, None] ** 2 + np.fft.rfftfreq(SIDE) ** 2)),
        s=(SIDE, SIDE),
    )
    scene = 200.0 * (1 + 0.1 * mottle / mottle.std())
    exposures = [rng.poisson(scene).astype(np.uint16) for _ in range(8)]
    with tifffile.TiffWriter(path, bigtiff=True) as tiff:
        for index in range(n_frames):
            # The same eight exposures in turn: noise is not what is measured.
            frame = np.roll(exposures[index % 8], index // RATE, axis=1)
            tiff.write(frame, contiguous=False, metadata=None)


def measure(code: str, chosen: dict[str, bool], path: Path, output: Path) -> tuple[float, float]:
    """Seconds, and peak memory in GB, of a process that runs `code`."""
    arguments = [sys.executable, "-c", MEASURED.format(code=code), path, output, json.dumps(chosen)]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    seconds, peak_gb = json.loads(done.stdout)
    return seconds, peak_gb


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--folder", type=Path, default=Path(), help="on the disk to use")
    parser.add_argument(
        "--skip-in-memory", action="store_true", help="where the recording is larger than memory"
    )
    chosen = parser.parse_args()
    n_frames = round(chosen.gigabytes * 1e9 / (2 * SIDE**2))
    print(f"{date.today()}, {platform.processor() or platform.machine()}: {' '.join(sys.argv)}")
    print(f"{n_frames} frames of {SIDE} x {SIDE}, 16 bit, in a BigTIFF of {chosen.gigabytes:g} GB\n")
    print("| way | s | MB/s | frames/s | peak memory, GB | speed against in memory |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=chosen.folder) as scratch:
        path = Path(scratch) / "recording.tif"
        write_recording(path, n_frames)
        in_memory = None
        for index, (name, (code, options)) in enumerate(WAYS.items()):
            if code == PLAIN and chosen.skip_in_memory:
                continue
            seconds, peak_gb = measure(code, options, path, Path(scratch) / f"out{index}")
            in_memory = in_memory or (seconds if code == PLAIN else None)
            ratio = f"{in_memory / seconds:.2f}" if in_memory else "-"
            print(
                f"| {name} | {seconds:.1f} | {n_frames * 2 * SIDE**2 / seconds / 1e6:.0f} "
                f"| {n_frames / seconds:.0f} | {peak_gb:.2f} | {ratio} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
