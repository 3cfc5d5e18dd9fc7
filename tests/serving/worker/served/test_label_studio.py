"""Label Studio's tasks, predicted by a real worker."""

import io

import numpy as np
import pytest
from PIL import Image

from icefloe.active.exchange.brush import decode_brush
from icefloe.active.exchange.label_studio_config import label_config

SHAPE = (80, 96)


CONFIG = label_config(("background", "Ice"))


def predict(client, *stems, config=CONFIG):
    tasks = [{"id": number, "data": {"dataset": "D1", "stem": stem}} for number, stem in enumerate(stems, 1)]
    return client.post("/label-studio/predict", json={"tasks": tasks, "label_config": config})


def test_the_prediction_is_the_champions_mask_pixel_for_pixel(client, worker):
    answer = predict(client, "a").json()
    (predicted,) = answer["results"]
    mask = np.zeros(SHAPE, np.uint8)
    for region in predicted["result"]:
        assert (region["from_name"], region["to_name"], region["type"]) == ("brush", "image", "brushlabels")
        assert region["value"]["brushlabels"] == ["Ice"]  # as the project writes it
        mask[decode_brush(region["value"]["rle"], SHAPE, "a")] = 1
    png = client.get("/api/v1/images/D1/a/maps/mask").content
    assert np.array_equal(mask, np.asarray(Image.open(io.BytesIO(png))))
    about = client.get("/api/v1/images/D1/a/maps").json()
    assert predicted["model_version"] == answer["model_version"] == "EA-T1"
    assert predicted["score"] == pytest.approx(1 - 2 * about["scores"]["uq_mean"])


def test_images_that_fail_or_are_unknown_do_not_keep_the_others_back(client, worker):
    answer = predict(client, "b", "nothing", "it's 50%").json()
    assert answer["results"][:2] == [[], []]
    assert answer["results"][2]["model_version"] == "EA-T1"
    failed, unknown = sorted(answer["problems"], key=lambda line: "b.tif" not in line)
    assert "b.tif" in failed
    assert "D1/nothing: no such image" in unknown


def test_a_project_that_lacks_a_class_is_told_which(client, worker):
    answer = predict(client, "a", config=label_config(("background", "dust")))
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("The project has no label 'ice', only background, dust, ignore")
