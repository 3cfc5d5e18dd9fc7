"""Label Studio itself: images pushed, annotated there and pulled back; the service as its ML backend."""

import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
import requests
import tifffile
from PIL import Image

from icefloe.active.exchange.brush import decode_brush
from icefloe.active.exchange.label_studio_tasks import brush_regions
from icefloe.active.items import NewItem, Purpose
from icefloe.active.queue import open_queue
from icefloe.active.uploads import decode_png, encode_png
from icefloe.database.open import open_database
from icefloe.datasets.dataset import DatasetInfo
from icefloe.settings import load_settings
from icefloe.workflow.labels import pull_labels, push_labels
from serving.auth.people import People
from serving.auth.roles import Role
from serving.auth.tokens import Tokens
from tests.conftest import REPOSITORY
from tests.icefloe.cli.conftest import workspace_with_version

pytestmark = [pytest.mark.integration, pytest.mark.timeout(3600)]

PROGRAM = REPOSITORY / ".venv-label-studio" / "bin" / "label-studio"
KEY, EMAIL = "abcdef0123456789abcdef0123456789abcdef01", "ann@lab.org"
TITLE = "Melting ice"
SHAPE = (80, 96)
CLASSES = ("background", "ice", "gas")
STARTING_SECONDS = 1800  # the first start makes all its tables


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        return int(free.getsockname()[1])


@contextmanager
def running(command: list[str], url: str, log: Path, **environment: str) -> Iterator[None]:
    with log.open("w") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + STARTING_SECONDS
        while True:
            try:
                if requests.get(url, timeout=10).ok:
                    break
            except requests.RequestException:
                assert process.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < deadline, log.read_text()[-2000:]
            time.sleep(1)
        yield
    finally:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def label_studio(tmp_path_factory) -> Iterator[str]:
    """Its address; on this machine only, and silent to the world."""
    if not PROGRAM.is_file():
        pytest.fail(f"{PROGRAM} is missing. Run these tests by `make integration`, which installs it.")
    folder, url = tmp_path_factory.mktemp("label-studio"), f"http://127.0.0.1:{free_port()}"
    command = [str(PROGRAM), "start", "--no-browser", "--internal-host", "127.0.0.1", "--host", url]
    command += ["--port", url.rpartition(":")[2], "--data-dir", str(folder), "--user-token", KEY]
    command += ["--username", EMAIL, "--password", "four words in a row"]
    quiet = {"COLLECT_ANALYTICS": "false", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": ""}
    quiet |= {"LATEST_VERSION_CHECK": "false", "LABEL_STUDIO_BASE_DATA_DIR": str(folder)}
    quiet |= {"LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true"}
    quiet |= {"ML_TIMEOUT_HEALTH": "30", "ML_TIMEOUT_SETUP": "30"}  # this machine may be busy
    # The service is on this machine, and Label Studio makes a webhook of every backend.
    quiet |= {"ML_BLOCK_LOCAL_IP": "false", "SSRF_PROTECTION_ENABLED": "false"}
    with running(command, f"{url}/health", folder / "log", **quiet):
        yield url


@pytest.fixture(scope="module")
def settings(tmp_path_factory, make_ensemble):
    """A workspace with a champion, and five images in its queue."""
    folder, registry = workspace_with_version(tmp_path_factory.mktemp("workspace"), make_ensemble(3))
    registry.promote("EA-T1", force=True, reason="a test", by="ada")
    images = folder / "data" / "D3" / "images"
    images.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(5):
        tifffile.imwrite(images / f"frame {number}.tif", rng.integers(0, 4000, SHAPE).astype(np.uint16))
    DatasetInfo(name="D3", experiment="D3", classes=list(CLASSES)).save(folder / "data" / "D3")
    settings = load_settings(folder)
    open_queue(settings).add(
        NewItem(
            "D3",
            f"frame {number}",
            "EA-T1",
            SHAPE,
            CLASSES,
            Purpose("random", 0.5, number + 1, "drawn at random", uncertainty=0.02 * (number + 1)),
            encode_png(blocks(number)),
        )
        for number in range(5)
    )
    return settings


def blocks(seed: int) -> np.ndarray:
    """A mask of all classes and of ignored pixels."""
    coarse = np.random.default_rng(seed).choice([0, 1, 2, 255], (20, 24)).astype(np.uint8)
    return np.kron(coarse, np.ones((4, 4), np.uint8))


@pytest.fixture(scope="module")
def api(label_studio):
    from label_studio_sdk.client import LabelStudio

    return LabelStudio(base_url=label_studio, api_key=KEY)


@pytest.fixture(scope="module")
def project(label_studio, settings, api) -> int:
    """The project, pushed twice: the second time brings nothing new."""
    first = push_labels(settings, label_studio, KEY, TITLE)
    again = push_labels(settings, label_studio, KEY, TITLE)
    assert (first.n_new, first.n_known) == (5, 0)
    assert (again.n_new, again.n_updated, again.n_known) == (0, 0, 5)
    (found,) = [one.id for one in api.projects.list(title=TITLE)]
    return int(found)


def by_stem(api, project: int, **options) -> dict[str, object]:
    return {task.data["stem"]: task for task in api.tasks.list(project=project, **options)}


def drawn(result) -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    for region in result:
        (label,) = region["value"]["brushlabels"]
        value = 255 if label == "ignore" else CLASSES.index(label)
        mask[decode_brush(region["value"]["rle"], SHAPE, label)] = value
    return mask


def test_tasks_show_the_image_and_its_prediction_and_sort_by_uncertainty(api, project, label_studio):
    sorted_tasks = api.tasks.list(project=project, query='{"ordering": ["-tasks:data.uncertainty"]}')
    assert [task.data["uncertainty"] for task in sorted_tasks] == [0.1, 0.08, 0.06, 0.04, 0.02]
    for number in range(5):
        task = by_stem(api, project)[f"frame {number}"]
        picture = requests.get(
            label_studio + task.data["image"], headers={"Authorization": f"Token {KEY}"}, timeout=60
        )
        with Image.open(io.BytesIO(picture.content)) as shown:
            assert (shown.size, shown.mode) == (SHAPE[::-1], "L")
        (prediction,) = api.predictions.list(task=task.id)
        np.testing.assert_array_equal(drawn(prediction.result), blocks(number))


def test_annotations_come_back_pixel_for_pixel_and_what_does_not_fit_is_refused(
    api, project, label_studio, settings
):
    tasks = by_stem(api, project)
    small = brush_regions(np.ones((8, 8), np.uint8), CLASSES)
    unknown = brush_regions(blocks(3), ("background", "snow", "gas"))
    results = [brush_regions(blocks(0), CLASSES), brush_regions(blocks(17), CLASSES), small, unknown]
    for number, result in enumerate(results):
        api.annotations.create(tasks[f"frame {number}"].id, result=result, lead_time=12.5)
    began = time.time()

    pulled = pull_labels(settings, label_studio, KEY, TITLE)
    again = pull_labels(settings, label_studio, KEY, TITLE)

    queue = open_queue(settings)
    assert pulled.refused == (
        "Label Studio: D3/frame 2: was labelled at 8x8 but the image is 96x80. "
        "Label the exported image as it is.",
        "Label Studio: D3/frame 3: unknown class 'snow'; known are background, ice, gas. Rename it.",
    )
    assert (again.labels, again.n_known, again.refused) == (pulled.labels, 2, pulled.refused)
    labels = queue.labels()
    for label, mask in zip(labels, (blocks(0), blocks(17)), strict=True):
        np.testing.assert_array_equal(decode_png(label.png), mask)
        assert (label.labeler, label.seconds, label.source) == (EMAIL, 12.5, "label-studio")
        assert began - 600 < label.time < began + 60

    (first,) = api.annotations.list(tasks["frame 0"].id)
    api.annotations.update(first.id, result=brush_regions(blocks(23), CLASSES))
    late = pull_labels(settings, label_studio, KEY, TITLE)
    assert late.refused[-1].startswith("D3/frame 0: the image has been submitted already, labelled by ann@")
    queue.reopen(labels[0].item_id, "ada", "she looked again")
    pull_labels(settings, label_studio, KEY, TITLE)
    np.testing.assert_array_equal(decode_png(queue.labels()[0].png), blocks(23))


@pytest.fixture(scope="module")
def service(settings, tmp_path_factory) -> Iterator[tuple[str, str]]:
    """Address of a service with a worker, and a labeler's token."""
    database, url = open_database(settings), f"http://127.0.0.1:{free_port()}"
    person, _ = People(database).add("Label Studio", Role.LABELER, actor="test")
    _, token = Tokens(database).add(person, "Label Studio", days=1)
    command = [sys.executable, "-c", "from icefloe.cli import main; main()", "-C", str(settings.workspace)]
    command += ["serve", "--port", url.rpartition(":")[2]]
    log = tmp_path_factory.mktemp("service") / "log"
    with running(command, f"{url}/readyz", log, PYTHONPATH=str(REPOSITORY)):
        until(lambda: requests.get(f"{url}/readyz", timeout=60).json()["champion"] == "EA-T1", 600)
        yield url, token


def test_label_studio_has_its_tasks_predicted_by_the_champion(api, project, service):
    url, token = service
    backend = api.ml.create(
        url=f"{url}/label-studio",
        project=project,
        title="Icefloe",
        auth_method="BASIC_AUTH",
        basic_auth_user="label-studio",
        basic_auth_pass=token,
    )
    until(lambda: api.ml.get(backend.id).model_version == "EA-T1")
    assert api.ml.get(backend.id).state == "CO"

    everything = {"all": True, "excluded": []}
    api.actions.create(id="retrieve_tasks_predictions", project=project, selected_items=everything)

    for stem, task in by_stem(api, project).items():
        (predicted,) = [one for one in api.predictions.list(task=task.id) if one.model_version == "EA-T1"]
        answer = requests.get(
            f"{url}/api/v1/images/D3/{stem}/maps/mask",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
        with Image.open(io.BytesIO(answer.content)) as mask:
            np.testing.assert_array_equal(drawn(predicted.result), np.asarray(mask))
        assert 0 <= predicted.score <= 1


def until(is_so, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.5)
