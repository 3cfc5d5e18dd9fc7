"""What the service adds to a prediction: one 512 x 512 image over HTTP beside `Segmenter.predict`.

    python -m benchmarks.http_latency --requests 50

Needs nothing but this repository: the workspace, its images (noise) and its untrained version are temporary.
The time that networks take does not depend on their weights. `--workspace` names a workspace with a champion
to use instead. Requests, predictions and the trivial baseline, an empty request, take turns, so that whatever
else the machine does meets all of them alike.
"""

import argparse
import http.client
import json
import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from statistics import median

import numpy as np
import tifffile
from safetensors.torch import save_file

from benchmarks.service.untrained import register_untrained
from icefloe import stopwatch
from icefloe.datasets.dataset import Dataset, DatasetInfo, Sample
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.manifest import Manifest, Member
from icefloe.ensemble.segmenter import Segmenter
from icefloe.files import sha256_file
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build
from icefloe.registry.loading import load_version
from icefloe.registry.registry import Registry
from icefloe.settings import Settings, load_settings
from icefloe.tables import Table

SIDE = 512
DATASET = "latency"
PATIENCE_SECONDS = 300.0
ENCODERS = ("resnet18", "mobilenet_v2", "efficientnet-b0", "resnet18", "mobilenet_v2")
WARM_UP = 3
DRAWING_SECONDS = 0.3
"""The worker draws pictures of the maps after its answer, which is not to slow the prediction beside it."""


def make_version(settings: Settings, folder: Path) -> None:
    """Register and promote five untrained members."""
    specs = [MemberSpec(encoder=name, seed=seed) for seed, name in enumerate(ENCODERS)]
    paths = [folder / f"{spec.name}.safetensors" for spec in specs]
    for spec, path in zip(specs, paths, strict=True):
        save_file(build(spec.model_copy(update={"weights": "none"}), 2).state_dict(), path)
    members = tuple(
        Member(spec=spec, sha256=sha256_file(path)) for spec, path in zip(specs, paths, strict=True)
    )
    classes = ("background", "ice")
    manifest = Manifest(name="EA-T1", members=members, preprocessing=Preprocessing(size=256), classes=classes)
    registry = register_untrained(settings.workspace, Ensemble(manifest, paths), "EA-T1")
    registry.promote("EA-T1", force=True, reason="a benchmark", by="benchmark")


def make_images(settings: Settings, number: int) -> Dataset:
    """A dataset of as many 16-bit images as are asked for; each is segmented once."""
    folder = settings.data / DATASET
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for index in range(number):
        image = rng.normal(2000, 300, (SIDE, SIDE)).astype(np.uint16)
        tifffile.imwrite(folder / "images" / f"{index:04d}.tif", image)
    DatasetInfo(name=DATASET, experiment=DATASET).save(folder)
    return Dataset.load(folder)


@contextmanager
def service(settings: Settings) -> Iterator[http.client.HTTPConnection]:
    """A connection to a service with one web process and one worker that has loaded the champion."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "icefloe.cli", "-C", str(settings.workspace)]
    command += ["serve", "--no-auth", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not is_ready(port):
                if time.monotonic() > deadline or process.poll() is not None:
                    sys.exit("The service did not start; see above.")
                time.sleep(0.5)
            with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
                yield connection
        finally:
            process.terminate()


def is_ready(port: int) -> bool:
    """Whether the worker has loaded the champion."""
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            connection.request("GET", "/readyz")
            return json.load(connection.getresponse()).get("champion") is not None
    except OSError:
        return False


def segment(connection: http.client.HTTPConnection, stem: str) -> dict[str, float]:
    """ms of a request for one image's segmentation, in all and by its parts."""
    body = json.dumps({"dataset": DATASET, "stems": [stem]})
    return timed(connection, "/api/v1/segmentations", body.encode(), {"Content-Type": "application/json"})


def infer(connection: http.client.HTTPConnection, model: str, pixels: np.ndarray) -> dict[str, float]:
    """ms of a request by the Open Inference Protocol: pixels there, mask and standard deviation back."""
    raw = pixels.tobytes()
    image = {"name": "image", "datatype": "UINT16", "shape": list(pixels.shape)}
    image["parameters"] = {"binary_data_size": len(raw)}
    outputs = [{"name": name, "parameters": {"binary_data": True}} for name in ("mask", "std")]
    header = json.dumps({"inputs": [image], "outputs": outputs}).encode()
    return timed(
        connection,
        f"/v2/models/{model}/infer",
        header + raw,
        {"Inference-Header-Content-Length": str(len(header)), "Content-Type": "application/octet-stream"},
    )


def timed(
    connection: http.client.HTTPConnection, path: str, body: bytes, headers: dict[str, str]
) -> dict[str, float]:
    """ms of a request in all (`total`), of its parts, and of what is in none of them (`service`)."""
    origin = {"Sec-Fetch-Site": "same-origin", "Prefer": "wait=30"}
    began = time.perf_counter()
    connection.request("POST", path, body, headers | origin)
    answer = connection.getresponse()
    content = answer.read()
    total = 1000 * (time.perf_counter() - began)
    if answer.status != 200:
        sys.exit(f"{path}: {answer.status} {content[:500].decode(errors='replace')}")
    timing = answer.getheader("Server-Timing") or ""
    parts = {name: float(ms) for name, ms in re.findall(r"([\w-]+);dur=([\d.]+)", timing)}
    return parts | {"service": total - sum(parts.values()), "total": total}


def predicted(segmenter: Segmenter, sample: Sample) -> dict[str, float]:
    """ms of a prediction in this process, in all and by its parts."""
    began = time.perf_counter()
    with stopwatch.timed() as seconds:
        list(segmenter.predict([sample]))
    total = 1000 * (time.perf_counter() - began)
    return {name: 1000 * value for name, value in seconds.items()} | {"total": total}


def baseline(connection: http.client.HTTPConnection) -> float:
    """ms of an empty request."""
    began = time.perf_counter()
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    return 1000 * (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--requests", type=int, default=50)
    parser.add_argument("--workspace", type=Path, help="of a champion; a temporary one otherwise")
    parser.add_argument("--json", type=Path, help="file for the numbers")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        settings = prepared(Path(scratch), chosen.workspace)
        measure(settings, chosen.requests, chosen.json)


def prepared(scratch: Path, existing: Path | None) -> Settings:
    """The workspace to serve: its own registry, and a folder of data and state that is temporary."""
    workspace = scratch / "workspace"
    (workspace / "data").mkdir(parents=True)
    (workspace / "icefloe.toml").touch()
    if existing is not None:
        other = load_settings(existing)
        lines = {"tracking_uri": other.tracking_uri, "artifact_uri": other.artifact_uri}
        lines |= {"registered_model": other.registered_model, "experiment": other.experiment}
        text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items())
        (workspace / "icefloe.toml").write_text(text, encoding="utf-8")
        return load_settings(workspace)
    settings = load_settings(workspace)
    make_version(settings, scratch)
    return settings


def measure(settings: Settings, number: int, results: Path | None) -> None:
    """Take turns, and print medians."""
    dataset = make_images(settings, WARM_UP + number)
    champion = Registry(settings).champion()
    assert champion is not None
    segmenter = load_version(settings, champion.name)
    predict, empty, segmented, inferred = [], [], [], []
    with service(settings) as connection:
        for sample in dataset.samples:
            segmented.append(segment(connection, sample.stem))
            time.sleep(DRAWING_SECONDS)
            predict.append(predicted(segmenter, sample))
            inferred.append(infer(connection, settings.registered_model, sample.image().astype(np.uint16)))
            empty.append(baseline(connection))
    alone = median(run["total"] for run in predict[WARM_UP:])
    rows = []
    found: dict[str, object] = {"empty_ms": median(empty[WARM_UP:])}
    compared = {
        "Segmenter.predict": predict,
        "POST /api/v1/segmentations": segmented,
        "POST /v2/.../infer": inferred,
    }
    for name, runs in compared.items():
        parts = {key: median(run[key] for run in runs[WARM_UP:]) for key in runs[-1]}
        total = parts.pop("total")
        rows.append(row(name, total, alone, ", ".join(f"{key} {ms:.1f}" for key, ms in parts.items())))
        found[name] = {"total_ms": total, **parts}
    rows.append(row("GET /healthz", median(empty[WARM_UP:]), alone))
    cores = len(os.sched_getaffinity(0))
    print(
        f"One {SIDE} x {SIDE} image by {champion.name}, medians of {number} in ms, {cores} cores, "
        f"{platform.machine()}, {date.today()}.\n"
    )
    print(Table.of(rows, {"ms": ".1f", "of predict": ".2f", "more than predict": ".1f"}).markdown())
    if results is not None:
        results.write_text(json.dumps(found, indent=1), encoding="utf-8")


def row(name: str, ms: float, alone: float, parts: str = "") -> dict[str, object]:
    """A row of the table."""
    return {"": name, "ms": ms, "of predict": ms / alone, "more than predict": ms - alone, "parts": parts}


if __name__ == "__main__":
    main()
