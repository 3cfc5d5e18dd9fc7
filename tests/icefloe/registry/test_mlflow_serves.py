"""`mlflow models serve` on a version: an image by HTTP, and what the signature promises back."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest

from icefloe.ensemble.prediction import SCORES


def post(port, document):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations",
        json.dumps(document).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


@pytest.mark.integration
def test_mlflows_own_server_answers_with_the_documented_signature(
    registry, settings, real_ensemble, tmp_path, evaluation_of, rng, lineage_of
):
    images = rng.normal(100, 20, (2, 48, 64)).astype(np.float32)
    expected = [real_ensemble.predict_image(image) for image in images]
    registry.register(
        tmp_path / "EA-T1", lineage_of(tmp_path / "EA-T1", ["D1"]), evaluation_of({"D1": (0.9, 2)})
    )
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--env-manager", "local"]
    command += ["-m", f"models:/{settings.registered_model}@challenger", "--port", str(port)]
    # MLflow starts uvicorn by its name, as in an environment that is activated.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "MLFLOW_TRACKING_URI": settings.tracking_uri, "PATH": path}
    with subprocess.Popen(command, env=environment, start_new_session=True) as server:
        try:
            deadline = time.monotonic() + 600
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5).close()
                    break
                except OSError:
                    assert server.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(1)
            found = post(port, {"inputs": {"image": images.tolist()}})["predictions"]
            with pytest.raises(urllib.error.HTTPError) as refusal:
                post(port, {"inputs": {"image": images[0].tolist()}})
            refused = refusal.value.read().decode()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)  # what it has started, too
    assert set(found) == {"mask", "mean", "std", *SCORES}
    assert np.array_equal(found["mask"], [each.mask for each in expected])
    assert np.allclose(found["mean"], [each.mean for each in expected], atol=1e-5)
    assert np.allclose(found["std"], [each.std for each in expected], atol=1e-5)
    assert np.allclose(found["uq_mean"], [each.scores()["uq_mean"] for each in expected], atol=1e-5)
    assert refusal.value.code == 400
    assert "shape" in refused
