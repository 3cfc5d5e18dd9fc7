"""A large object to S3 and back: Icefloe's transfers, which sum up every byte, beside plain boto3.

    python -m benchmarks.s3_transfer s3://bucket/prefix --mib 1024 --repeats 3

Needs a bucket that may be written to, and boto3's variables for its store. The two take turns, and what they
wrote is removed. The trivial baseline is a copy on the local disk.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from statistics import median

import boto3

from icefloe.s3.address import open_s3
from icefloe.tables import Table

PIECE = 1 << 20


def main() -> None:
    """Print a table of medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("address", help="s3://bucket/prefix")
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "object"
        with file.open("wb") as written:
            for _ in range(chosen.mib):
                written.write(os.urandom(PIECE))
        seconds = measure(chosen.address, file, chosen.repeats)
    medians = {what: median(found) for what, found in seconds.items()}
    rows = [
        {
            "": what,
            "s": took,
            "MiB/s": chosen.mib / took,
            "of boto3": took / medians[f"{way}, boto3"] if (way := what.split(",")[0]) != "copy" else None,
        }
        for what, took in medians.items()
    ]
    cores = len(os.sched_getaffinity(0))
    print(f"{chosen.mib} MiB, medians of {chosen.repeats}, {cores} cores, {date.today()}.\n")
    print(Table.of(rows, {"s": ".1f", "MiB/s": ".0f", "of boto3": ".2f"}).markdown())


def measure(address: str, file: Path, repeats: int) -> dict[str, list[float]]:
    """Seconds of each way, a number a repeat."""
    ours, client = open_s3(address), boto3.client("s3")
    bucket = ours.bucket
    summed, key = (ours.address(name).removeprefix(f"s3://{bucket}/") for name in ("summed", "plain"))
    copy = file.with_name("copy")

    def download() -> None:
        found = ours.find("summed")
        assert found is not None
        ours.download(found, copy)

    ways: dict[str, Callable[[], object]] = {
        "up, Icefloe": lambda: ours.upload(file, "summed"),
        "up, boto3": lambda: client.upload_file(str(file), bucket, key),
        "down, Icefloe": download,
        "down, boto3": lambda: client.download_file(bucket, key, str(copy)),
        "copy, local": lambda: shutil.copyfile(file, copy),
    }
    seconds: dict[str, list[float]] = {what: [] for what in ways}
    for _ in range(repeats):
        for what, way in ways.items():
            began = time.perf_counter()
            way()
            seconds[what].append(time.perf_counter() - began)
            if what.startswith("down"):
                assert copy.stat().st_size == file.stat().st_size
            copy.unlink(missing_ok=True)
        for written in (summed, key):
            client.delete_object(Bucket=bucket, Key=written)
    return seconds


if __name__ == "__main__":
    main()
