"""Inference by the Open Inference Protocol, with a real worker: by its own client, and byte by byte."""

import json
import socket
import threading
import time
from contextlib import closing

import numpy as np
import pytest
import tritonclient.http as triton
import uvicorn

from icefloe.registry.loading import load_version
from icefloe.settings import load_settings
from serving.app import create_app
from serving.auth.roles import Role
from serving.inference_v2.files import TensorFolders
from serving.options import Options
from tests.serving.worker.processes import until

MODEL = "icefloe-ea"
INFER = f"/v2/models/{MODEL}/infer"


@pytest.fixture(scope="module")
def app(workspace):
    return create_app(load_settings(workspace), Options())


@pytest.fixture(scope="module")
def tokens(app):
    """Headers of a viewer and of a labeler."""
    made = {}
    for role in (Role.VIEWER, Role.LABELER):
        person, _ = app.state.people.add(f"a {role}", role, actor="test")
        made[role] = {"Authorization": f"Bearer {app.state.tokens.add(person, 'test', 1)[1]}"}
    return made


@pytest.fixture(scope="module")
def port(app):
    """Of a real server."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    yield port
    server.should_exit = True
    thread.join()


@pytest.fixture
def client(app, browse, tokens):
    return browse(app, headers=tokens[Role.LABELER])


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 4000, (3, 80, 96)).astype(np.uint16)


@pytest.fixture(scope="module")
def expected(workspace, images):
    version = load_version(load_settings(workspace), "EA-T1")
    return [version.predict_image(image.astype(np.float32)) for image in images]


def test_the_protocols_own_client_gets_what_the_version_predicts(worker, port, tokens, images, expected):
    headers = dict(tokens[Role.LABELER])  # the client adds its own to it
    with closing(triton.InferenceServerClient(f"127.0.0.1:{port}")) as server:
        assert server.is_server_live()
        assert server.is_server_ready()
        assert server.is_model_ready(MODEL, headers=headers)
        assert server.is_model_ready(MODEL, "EA-T1", headers=headers)
        assert not server.is_model_ready(MODEL, "EA-T9", headers=headers)
        assert server.get_server_metadata(headers=headers)["extensions"] == ["binary_tensor_data"]
        described = server.get_model_metadata(MODEL, headers=headers)
        assert described["versions"] == ["EA-T1"]
        assert [each["name"] for each in described["outputs"]] == ["mask", "probability", "std", "entropy"]
        image = triton.InferInput("image", list(images.shape), "UINT16")
        image.set_data_from_numpy(images)
        outputs = [triton.InferRequestedOutput(name, binary_data=True) for name in ("std", "mask")]
        outputs.append(triton.InferRequestedOutput("probability", binary_data=False))
        found = server.infer(MODEL, [image], model_version="EA-T1", outputs=outputs, headers=headers)
    assert np.array_equal(found.as_numpy("mask"), [each.mask for each in expected])
    assert np.allclose(found.as_numpy("std"), [each.std for each in expected], atol=1e-5)
    assert np.allclose(found.as_numpy("probability"), [each.mean for each in expected], atol=1e-5)
    assert found.get_response()["model_version"] == "EA-T1"


def test_bytes_go_there_and_back_as_the_header_says(client, app, worker, images, expected):
    raw = images[0].astype("<f4").tobytes()
    image = {"name": "image", "shape": [80, 96], "datatype": "FP32"}
    outputs = [{"name": name, "parameters": {"binary_data": True}} for name in ("mask", "entropy")]
    header = json.dumps({"id": "7", "inputs": [image], "outputs": outputs}).encode()
    answer = client.post(
        INFER,
        content=header + raw,
        headers={"Inference-Header-Content-Length": str(len(header))},
    )
    assert answer.status_code == 200, answer.text
    length = int(answer.headers["inference-header-content-length"])
    about = json.loads(answer.content[:length])
    assert (about["id"], about["model_version"]) == ("7", "EA-T1")
    assert [each["parameters"]["binary_data_size"] for each in about["outputs"]] == [80 * 96, 4 * 80 * 96]
    mask, entropy = answer.content[length : length + 80 * 96], answer.content[length + 80 * 96 :]
    assert np.array_equal(np.frombuffer(mask, np.uint8).reshape(80, 96), expected[0].mask)
    assert np.allclose(np.frombuffer(entropy, "<f4").reshape(80, 96), expected[0].entropy, atol=1e-5)
    for name in ("wait", "preprocess", "members", "statistics", "encode"):
        assert f"{name};dur=" in answer.headers["server-timing"]
    until(lambda: not list(TensorFolders(app.state.settings).root.iterdir()))  # nothing is left behind


def test_plain_json_is_answered_in_json(client, worker, images, expected):
    image = {"name": "image", "shape": [80, 96], "datatype": "UINT16", "data": images[0].tolist()}
    answer = client.post(INFER, json={"inputs": [image], "outputs": [{"name": "mask"}]})
    assert answer.status_code == 200, answer.text
    (output,) = answer.json()["outputs"]
    assert output["data"] == expected[0].mask.ravel().tolist()


def test_an_image_that_cannot_be_segmented_is_refused_in_the_protocols_form(client, app, worker):
    image = {"name": "image", "shape": [64, 64], "datatype": "UINT8", "data": [7] * 64 * 64}
    answer = client.post(INFER, json={"inputs": [image]})
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
    assert "constant" in answer.json()["error"]
    assert not list(TensorFolders(app.state.settings).root.iterdir())


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/v2/models/other", 404, "Ask for icefloe-ea"),
        ("GET", f"/v2/models/{MODEL}/versions/EA-T9", 404, "EA-T9: no such version"),
        ("POST", f"/v2/models/{MODEL}/versions/EA-T9/infer", 404, "EA-T9: no such version"),
        ("GET", "/v2/nothing", 404, "there is nothing here"),
        ("PUT", INFER, 405, "PUT is not what"),
        ("POST", INFER, 400, "Correct it"),
    ],
)
def test_errors_have_the_protocols_form(client, worker, method, path, status, words):
    answer = client.request(method, path)
    assert (answer.status_code, list(answer.json())) == (status, ["error"]), answer.text
    assert words in answer.json()["error"]


def test_sizes_roles_and_nobody_are_refused_in_the_protocols_form_too(client, app, browse, tokens, worker):
    large = client.post(INFER, content=b"x", headers={"Content-Length": str(2**30)})
    assert (large.status_code, "64 MiB" in large.json()["error"]) == (413, True)
    wide = {"name": "image", "shape": [1, 9000], "datatype": "UINT8", "data": [1]}
    answer = client.post(INFER, json={"inputs": [wide]})
    assert (answer.status_code, "8192 a side" in answer.json()["error"]) == (413, True)
    viewer = browse(app, headers=tokens[Role.VIEWER]).post(INFER, json={})
    assert (viewer.status_code, "role labeler" in viewer.json()["error"]) == (403, True)
    assert list(browse(app, headers={}).post(INFER, json={}).json()) == ["error"]
    packed = client.post(INFER, content=b"x", headers={"Content-Encoding": "gzip"})
    assert packed.status_code == 415


def test_a_segmentation_says_where_its_time_went(client, worker, workspace):
    import tifffile

    from icefloe.datasets.dataset import DatasetInfo

    folder = workspace / "data" / "D3"
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    tifffile.imwrite(folder / "images" / "a.tif", rng.integers(0, 4000, (80, 96)).astype(np.uint16))
    DatasetInfo(name="D3", experiment="D3").save(folder)
    began = time.perf_counter()
    answer = client.post("/api/v1/segmentations", json={"dataset": "D3"}, headers={"Prefer": "wait=30"})
    took = 1000 * (time.perf_counter() - began)
    assert answer.status_code == 200
    parts = dict(part.split(";dur=") for part in answer.headers["server-timing"].split(", "))
    assert list(parts) == ["wait", "decode", "preprocess", "members", "statistics", "encode"]
    assert 0 < sum(map(float, parts.values())) < took
    assert list(answer.json()["job"]["result"]["seconds"]) == list(parts)[1:]


def test_without_a_worker_nothing_is_ready_and_it_says_so(settings, browse):
    browser = browse(create_app(settings, Options(no_auth=True)))
    assert browser.get("/v2/health/live").json() == {"live": True}
    answer = browser.get("/v2/health/ready")
    assert (answer.status_code, "No worker runs" in answer.json()["error"]) == (503, True)
