"""Label Studio itself: images pushed, annotated there and pulled back; the service as its ML backend."""

import io
import time
from collections.abc import Iterator

import numpy as np
import pytest
import requests
import tifffile
from PIL import Image

from benchmarks.service.correction_tasks import GOOD_DICE, make_task
from benchmarks.service.label_studio import EMAIL, KEY
from benchmarks.service.label_studio import label_studio as started
from benchmarks.service.running import serving, tokens_of
from icefloe.active.exchange.brush import decode_brush
from icefloe.active.exchange.label_studio_tasks import brush_regions
from icefloe.active.items import NewItem, Purpose
from icefloe.active.queue import open_queue
from icefloe.active.uploads import decode_png, encode_png
from icefloe.datasets.dataset import DatasetInfo
from icefloe.settings import load_settings
from icefloe.workflow.labels import pull_labels, push_labels
from tests.icefloe.cli.conftest import workspace_with_version

pytestmark = [pytest.mark.integration, pytest.mark.timeout(3600)]

TITLE = "Melting ice"
SHAPE = (80, 96)
CLASSES = ("background", "ice", "gas")


@pytest.fixture(scope="module")
def label_studio(tmp_path_factory) -> Iterator[str]:
    """Its address."""
    with started(tmp_path_factory.mktemp("label-studio")) as url:
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

    return LabelStudio(base_url=label_studio, api_key=KEY, timeout=300)


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
    (token,) = tokens_of(settings, ["Label Studio"])
    with serving(settings, workers=1) as running:
        until(lambda: requests.get(f"{running.url}/readyz", timeout=60).json()["champion"] == "EA-T1", 600)
        yield running.url, token


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

    def by_champion(task):
        return [one for one in api.predictions.list(task=task.id) if one.model_version == "EA-T1"]

    def all_retrieved():  # those that are not ready in time come when asked for again
        everything = {"all": True, "excluded": []}
        api.actions.create(id="retrieve_tasks_predictions", project=project, selected_items=everything)
        return all(by_champion(task) for task in by_stem(api, project).values())

    until(all_retrieved, 900)

    for stem, task in by_stem(api, project).items():
        (predicted,) = by_champion(task)
        answer = requests.get(
            f"{url}/api/v1/images/D3/{stem}/maps/mask",
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )
        with Image.open(io.BytesIO(answer.content)) as mask:
            np.testing.assert_array_equal(drawn(predicted.result), np.asarray(mask))
        assert 0 <= predicted.score <= 1


def test_an_image_corrected_in_label_studios_own_editor_comes_back_corrected(label_studio):
    pytest.importorskip("playwright", reason="`make test-browser` installs it")
    from benchmarks.service.correction_label_studio import correct_in_label_studio
    from benchmarks.service.editor import chromium

    tasks = [make_task(seed) for seed in (1, 2)]
    with chromium() as browser:
        corrected = correct_in_label_studio(browser, label_studio, tasks)
    for done in corrected:
        assert done.before < GOOD_DICE <= done.after


def until(is_so, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.5)
