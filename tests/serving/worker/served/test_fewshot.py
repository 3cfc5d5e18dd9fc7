"""Few-shot sessions: images, chips, classification, files, series, and who sees what."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import tifffile
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.versions import init_workspace
from icefloe.settings import load_settings
from serving.app import create_app
from serving.auth.roles import Role
from serving.options import Options
from serving.worker.tidying import tidy
from tests.serving.worker.inline import working

FEW = "/api/v1/fewshot"
PATIENT = {"Prefer": "wait=30"}
EDGE, SIDE = 24, 240


def mosaic(seed: int = 0) -> np.ndarray:
    """Stripes on the left, noise on the right; uint16; it has more pixels than there may be chips."""
    rng = np.random.default_rng(seed)
    image = rng.normal(1000, 60, (SIDE, SIDE))
    image[:, : SIDE // 2] += 250 * np.sin(np.arange(SIDE)[:, None])
    return image.clip(0, 4000).astype(np.uint16)


def tiff(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    tifffile.imwrite(content, array)
    return content.getvalue()


def png(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(array).save(content, "PNG")
    return content.getvalue()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """A service that asks who people are, over three images, and a worker."""
    workspace = tmp_path_factory.mktemp("few") / "workspace"
    init_workspace(workspace, params_text="")
    folder = workspace / "data" / "F1"
    (folder / "images").mkdir(parents=True)
    for number in range(3):
        tifffile.imwrite(folder / "images" / f"t_{number}.tif", mosaic(number))
    DatasetInfo(name="F1", experiment="F1", pixel_size_nm=0.5, frame_rate_hz=4.0).save(folder)
    app = create_app(load_settings(workspace), Options())
    with working(app):
        yield app


@pytest.fixture(scope="module")
def tokens(app) -> dict[str, dict[str, str]]:
    made = {}
    for name in ("Ann", "Bob"):
        person, _ = app.state.people.add(name, Role.LABELER, actor="test")
        made[name] = {"Authorization": f"Bearer {app.state.tokens.add(person, 'test', 1)[1]}"}
    return made


@pytest.fixture(autouse=True)
def no_limit(app):
    app.state.rates = type("Unlimited", (), {"check": lambda *_: None})()


@pytest.fixture
def ann(app, browse, tokens) -> TestClient:
    return browse(app, headers=tokens["Ann"])


@pytest.fixture
def bob(app, browse, tokens) -> TestClient:
    return browse(app, headers=tokens["Bob"])


def begin(client: TestClient, dataset: str = "F1", stem: str = "t_0") -> str:
    answer = client.post(f"{FEW}/sessions", json={"dataset": dataset, "stem": stem})
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def change(client: TestClient, session: str, what: str, **content: object):
    tag = client.get(session).headers["etag"]
    return client.put(f"{session}/{what}", json=content, headers={"If-Match": tag})


def two_sets(*more: int) -> list[dict[str, object]]:
    return [
        {"name": "stripes", "chips": [0, 11, 22, *more], "style": 0},
        {"name": "noise", "chips": [9, 18, 27], "style": 1},
    ]


@pytest.fixture
def session(ann) -> str:
    """Ann's, on the mosaic: 10 x 10 chips, two sets."""
    path = begin(ann)
    assert change(ann, path, "grid", edge=EDGE).status_code == 200
    assert change(ann, path, "sets", sets=two_sets()).status_code == 200
    return path


@pytest.fixture
def classified(ann, session) -> str:
    answer = ann.post(f"{session}/classification", headers=PATIENT)
    assert answer.status_code == 200, answer.text
    return session


def exported(client: TestClient, session: str, name: str) -> bytes:
    answer = client.get(f"{session}/exports/{name}", headers=PATIENT)
    assert answer.status_code == 200, answer.text
    return answer.content


def test_a_jpeg_inside_a_png_is_taken_with_a_note(ann, bob, real_data):
    content = (real_data / "fewshot-chips" / "fig2_b" / "LaO.png").read_bytes()
    answer = ann.post(f"{FEW}/images?name=LaO.png", content=content)
    assert answer.status_code == 201, answer.text
    image = answer.json()
    assert (image["stem"], image["height"], image["width"]) == ("LaO", 790, 787)
    assert "a JPEG inside, whatever its name says" in image["notes"][0]
    shown = ann.get(begin(ann, image["dataset"], "LaO")).json()
    assert shown["image"] == image
    own = {"dataset": image["dataset"], "stem": "LaO", "height": 790, "width": 787}
    assert own in ann.get(f"{FEW}/images").json()["images"]
    assert own not in bob.get(f"{FEW}/images").json()["images"]
    wanted = {"dataset": image["dataset"], "stem": "LaO"}
    assert bob.post(f"{FEW}/sessions", json=wanted).status_code == 404


NOT_A_NUMBER = np.where(np.eye(64) > 0, np.nan, mosaic()[:64, :64]).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "content", "status", "words"),
    [
        ("a.tif", b"", 422, "Send the file's bytes as the body"),
        ("a.txt", b"words", 415, "Send TIFF, PNG, MRC or DM4"),
        ("a.png", b"no picture", 422, "a.png"),
        ("a.tif", tiff(mosaic())[:999], 422, "a.tif"),
        (
            "a.png",
            png(np.arange(64 * 64 * 3).reshape(64, 64, 3).astype(np.uint8)),
            422,
            "colour",
        ),
        ("a.tif", tiff(np.stack([mosaic(), mosaic(1)])), 422, "add `frame=0` to `frame=1`"),
        ("a.tif&frame=7", tiff(np.stack([mosaic(), mosaic(1)])), 422, "0 to 1. Choose one of these"),
        ("a.tif", tiff(np.full((64, 64), 7, np.uint16)), 422, "nothing to see"),
        ("a.tif", tiff(NOT_A_NUMBER), 422, "64 pixels are NaN or infinite"),
        ("a.png", png(np.zeros((2, 9000), np.uint8)), 413, "8192 a side"),
    ],
)
def test_what_is_no_grey_image_is_refused_with_the_remedy(ann, name, content, status, words):
    answer = ann.post(f"{FEW}/images?name={name}", content=content)
    assert (answer.status_code, words in answer.json()["detail"]) == (status, True), answer.text
    assert "arriving" not in answer.text


def test_bodies_beyond_the_services_limit_are_refused_unread(ann):
    answer = ann.post(f"{FEW}/images?name=a.tif", content=b"x", headers={"Content-Length": str(2**30)})
    assert (answer.status_code, "64 MiB" in answer.json()["detail"]) == (413, True)


def test_one_frame_of_a_stack_is_an_image(ann):
    content = tiff(np.stack([mosaic(7), mosaic(8)]))
    image = ann.post(f"{FEW}/images?name=two.tif&frame=1", content=content).json()
    path = f"/api/v1/images/{image['dataset']}/{image['stem']}/pixels"
    pixels = np.frombuffer(ann.get(path, headers=PATIENT).content, "<u2").reshape(SIDE, SIDE)
    assert np.array_equal(pixels, mosaic(8))


def test_images_of_the_workspace_that_cannot_be_used_make_no_session(ann, app):
    images = app.state.settings.data / "F1" / "images"
    tifffile.imwrite(images / "constant.tif", np.full((64, 64), 7, np.uint16))
    try:
        answer = ann.post(f"{FEW}/sessions", json={"dataset": "F1", "stem": "constant"})
    finally:
        (images / "constant.tif").unlink()
    assert (answer.status_code, "nothing to see" in answer.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ({"edge": 0}, "takes an edge of 2 to 240 px (at most 50,000 chips)"),
        ({"edge": 241}, "takes an edge of 2 to 240 px"),
        ({"edge": 1}, "takes an edge of 2 to 240 px"),
        ({"edge": -3}, "takes an edge of 2 to 240 px"),
        ({"edge": 10**30}, "takes an edge of 2 to 240 px"),
        ({"edge": 24, "top": 240}, "Choose an offset within it"),
        ({"edge": "wide"}, "edge"),
    ],
)
def test_a_grid_that_does_not_fit_is_refused_with_what_does(ann, session, grid, words):
    answer = change(ann, session, "grid", **grid, release=True)
    assert (answer.status_code, words in answer.json()["detail"]) == (422, True), answer.text
    assert ann.get(session).json()["grid"]["edge"] == EDGE


def one(name: str, *chips: int, style: int = 0) -> dict[str, object]:
    return {"name": name, "chips": list(chips), "style": style}


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        ([one("ice", 1), one("ICE", 2, style=1)], "ICE: a set is called ice already"),
        ([one("  ")], "A set without a name"),
        ([one("x" * 61)], "a set's name of 61 characters"),
        ([one("a\x00b")], "control character"),
        ([one("unsure")], "Choose another name"),
        ([one("ice", 100)], "ice: "),
        ([one("ice", -1)], "ice: "),
        ([one("ice", 5), one("gas", 5, style=1)], "gas: chip 5 is in ice, too"),
        ([one("ice", 5, 5)], "ice: chip 5 is twice"),
        ([one("ice", 5), one("gas", 6)], "Two sets have one style"),
        ([one(f"set {number}", style=number) for number in range(65)], "at most 64"),
    ],
)
def test_sets_that_cannot_be_are_refused_by_name(ann, session, sets, words):
    answer = change(ann, session, "sets", sets=sets)
    assert (answer.status_code, words in answer.json()["detail"]) == (422, True), answer.text
    assert len(ann.get(session).json()["sets"]) == 2


def test_a_set_of_as_many_chips_as_there_may_be_is_checked_at_once(ann, session):
    answer = change(ann, session, "sets", sets=[one("ice", *range(49_999))])
    assert (answer.status_code, "chip 100" in answer.json()["detail"]) == (422, True)


def test_a_classification_needs_a_grid_and_two_sets_with_chips(ann):
    session = begin(ann)
    answer = ann.post(f"{session}/classification")
    assert (answer.status_code, "there is no grid yet" in answer.json()["detail"]) == (422, True)
    answer = change(ann, session, "sets", sets=[one("ice", 5)])
    assert (answer.status_code, "ice: has chips, but there is no" in answer.json()["detail"]) == (
        422,
        True,
    )
    change(ann, session, "grid", edge=EDGE)
    change(ann, session, "sets", sets=[one("ice", 5), one("gas", style=1)])
    answer = ann.post(f"{session}/classification")
    assert answer.status_code == 422
    assert answer.json()["detail"] == (
        "A classification needs two sets with chips, here are 1 (without chips: gas). "
        "Assign chips to two sets at least."
    )
    assert ann.get(f"{session}/classification").status_code == 404


def test_a_new_grid_asks_before_it_releases_chips(ann, session):
    answer = change(ann, session, "grid", edge=30)
    assert (answer.status_code, "6 chips are chosen" in answer.json()["detail"]) == (409, True)
    assert change(ann, session, "grid", edge=EDGE).json()["sets"][0]["chips"] == [0, 11, 22]  # no other chips
    changed = change(ann, session, "grid", edge=30, release=True).json()
    assert (changed["grid"]["edge"], changed["grid"]["n_chips"]) == (30, 64)
    assert [(one["name"], one["chips"]) for one in changed["sets"]] == [("stripes", []), ("noise", [])]


def test_nobody_overwrites_what_another_window_changed(ann, session):
    tag = ann.get(session).headers["etag"]
    assert ann.put(f"{session}/name", json={"name": "first"}, headers={"If-Match": tag}).status_code == 200
    for method, path, content in (
        ("PUT", "/name", {"name": "second"}),
        ("PUT", "/grid", {"edge": 30}),
        ("PUT", "/sets", {"sets": []}),
        ("DELETE", "", None),
    ):
        answer = ann.request(method, session + path, json=content, headers={"If-Match": tag})
        assert (answer.status_code, answer.json()["current"]["name"]) == (412, "first")
        assert answer.headers["etag"] == ann.get(session).headers["etag"] != tag
        assert ann.request(method, session + path, json=content).status_code == 428
    assert ann.get(session).json()["name"] == "first"


def test_another_persons_session_does_not_exist(ann, bob, classified):
    content = {"name": "mine"}, {"edge": 20}, {"sets": []}, ann.get(classified).json()["choices"]
    asked = [
        bob.get(classified),
        bob.delete(classified, headers={"If-Match": '"1"'}),
        *(
            bob.put(f"{classified}/{what}", json=body, headers={"If-Match": '"1"'})
            for what, body in zip(("name", "grid", "sets", "choices"), content, strict=True)
        ),
        bob.get(f"{classified}/advice"),
        bob.get(f"{classified}/classification"),
        bob.post(f"{classified}/classification"),
        bob.get(f"{classified}/exports/chips.csv"),
        bob.post(f"{FEW}/series", json={"session": int(classified.rpartition("/")[2]), "dataset": "F1"}),
        bob.get(f"{FEW}/compare", params={"first": classified.rpartition("/")[2], "second": 1}),
    ]
    assert [answer.status_code for answer in asked] == [404] * len(asked)
    assert bob.get(f"{FEW}/sessions").json() == {"sessions": []}
    job = ann.get(classified).json()["embedding"]["job"]
    assert bob.get(f"/api/v1/jobs/{job}").json()["arguments"] == {}


def test_vectors_are_begun_with_the_grid_and_other_choices_begin_them_anew(ann, session, app, until_done):
    first = until_done(ann, session)
    assert first["embedding"]["state"] == "done"
    choices = {**first["choices"], "max_risk": 0.4}
    same = change(ann, session, "choices", **choices).json()
    assert (same["choices"]["max_risk"], same["embedding"]["state"]) == (0.4, "done")
    untrained = change(ann, session, "choices", **{**choices, "weights": "none", "way": "chips"}).json()
    assert untrained["embedding"]["job"] != first["embedding"]["job"]
    assert until_done(ann, session)["embedding"]["done"] == 100
    notes = ann.post(f"{session}/classification", headers=PATIENT).json()["notes"]
    assert any("untrained" in note for note in notes)


@pytest.fixture
def until_done() -> Callable[[TestClient, str], dict]:
    def wait(client: TestClient, session: str) -> dict:
        job = client.get(session).json()["embedding"]["job"]
        client.get(f"/api/v1/jobs/{job}/events")  # until it is over
        return client.get(session).json()

    return wait


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"encoder": "resnet99"}, "There are vgg19"),
        ({"weights": "/etc/passwd.safetensors"}, "no such weights of efficientnet-lite0. Use none"),
        ({"way": "guess"}, "way"),
        ({"max_risk": 1.5}, "max_risk"),
    ],
)
def test_choices_that_there_are_not_are_refused(ann, session, choice, words):
    answer = change(ann, session, "choices", **{**ann.get(session).json()["choices"], **choice})
    assert (answer.status_code, words in answer.json()["detail"]) == (422, True), answer.text


def test_an_encoder_whose_weights_are_not_here_says_so(ann, session, until_done):
    choices = {**ann.get(session).json()["choices"], "encoder": "efficientnet-lite2", "weights": "sim"}
    change(ann, session, "choices", **choices)
    embedding = until_done(ann, session)["embedding"]
    assert (embedding["state"], "no sim weights in" in embedding["detail"]) == ("failed", True)
    answer = ann.post(f"{session}/classification", headers=PATIENT)
    assert (answer.status_code, "no sim weights in" in answer.json()["detail"]) == (422, True)


def test_counts_are_those_of_table_map_and_chart_and_right(ann, classified):
    found = ann.get(f"{classified}/classification").json()
    counts = {one["name"]: one["count"]["mean"] for one in found["classes"]}
    assert sum(counts.values()) == len(found["probabilities"]) == 100
    assert found["sentence"].startswith("100 chips: ")
    rows = list(csv.DictReader(io.StringIO(exported(ann, classified, "chips.csv").decode())))
    assert Counter(row["prediction"] for row in rows) == Counter({k: v for k, v in counts.items() if v})
    mask = tifffile.imread(io.BytesIO(exported(ann, classified, "map.tiff")))
    values = [*range(len(counts) - 1), 255]
    assert [np.count_nonzero(mask[:, :] == value) / EDGE**2 for value in values] == list(counts.values())
    chart = exported(ann, classified, "chart.svg").decode()
    assert all(f"<!-- {count:.0f} -->" in chart for count in counts.values())
    right = ["stripes" if int(row["column"]) < 5 else "noise" for row in rows]
    assert np.mean([row["nearest"] == one for row, one in zip(rows, right, strict=True)]) >= 0.95


@pytest.mark.parametrize(
    ("name", "kind", "begins"),
    [
        ("map.png", "image/png", b"\x89PNG"),
        ("map.svg", "image/svg+xml", b"<?xml"),
        ("map.tiff", "image/tiff", b"II*"),
        ("chart.png", "image/png", b"\x89PNG"),
        ("chart.svg", "image/svg+xml", b"<?xml"),
        ("chips.csv", "text/csv; charset=utf-8", b"chip,row,column"),
        ("session.json", "application/json", b'{"version":1'),
    ],
)
def test_files_are_written_once_and_known_by_their_etag(ann, classified, name, kind, begins):
    answer = ann.get(f"{classified}/exports/{name}", headers=PATIENT)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.content.startswith(begins)
    assert f't_0-{name}"' in answer.headers["content-disposition"]
    again = ann.get(f"{classified}/exports/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    change(ann, classified, "sets", sets=two_sets(33))
    answer = ann.get(f"{classified}/exports/{name}")
    assert (answer.status_code, "Classify it first" in answer.json()["detail"]) == (404, True)


def test_a_recalled_session_gives_the_same_table_byte_for_byte(ann, bob, classified):
    content, table = exported(ann, classified, "session.json"), exported(ann, classified, "chips.csv")
    image = bob.post(f"{FEW}/images?name=other.png", content=png(mosaic())).json()
    where = {"dataset": image["dataset"], "stem": image["stem"]}
    answer = bob.post(f"{FEW}/sessions", json={"session": json.loads(content), "name": "Ann's", **where})
    assert answer.status_code == 201, answer.text
    recalled = answer.headers["location"]
    assert (answer.json()["is_classified"], answer.json()["name"]) == (True, "Ann's")
    assert exported(bob, recalled, "chips.csv") == table
    assert exported(bob, recalled, "session.json") == content
    # Made anew from the same image and supports it is the same, too.
    change(bob, recalled, "sets", sets=two_sets(33))
    assert bob.post(f"{recalled}/classification", headers=PATIENT).status_code == 200
    change(bob, recalled, "sets", sets=two_sets())
    assert bob.post(f"{recalled}/classification", headers=PATIENT).status_code == 200
    assert exported(bob, recalled, "chips.csv") == table


def tampered(content: bytes, **entries: object) -> dict[str, object]:
    session = json.loads(content)
    return {**session, "result": {**session["result"], **entries}}


def test_a_session_file_that_does_not_hold_together_is_refused(ann, classified):
    content = exported(ann, classified, "session.json")
    whole = json.loads(content)
    nearest = whole["result"]["nearest"]
    outside = {**whole, "embedding": {"encoder": {"encoder": "resnet18", "weights": "/etc/x.safetensors"}}}
    for where, session, words in (
        ("t_1", whole, "its pixels differ"),
        ("t_0", {"version": 1}, "image"),
        ("t_0", {**whole, "grid": {**whole["grid"], "height": 10**12}}, "it has 240x240 px"),
        ("t_0", tampered(content, grid={**whole["grid"], "width": 10**12}), "it has 240x240 px"),
        ("t_0", {**whole, "version": 9}, "Use the Icefloe that wrote it"),
        ("t_0", tampered(content, nearest=nearest[:-1]), "not that of its grid and sets"),
        ("t_0", tampered(content, nearest=[1 - one for one in nearest]), "not that of its grid and sets"),
        ("t_0", tampered(content, unsure=[10**6]), "not that of its grid and sets"),
        ("t_0", tampered(content, nearest=[10**30, *nearest[1:]]), "The session"),
        ("t_0", outside, "no such weights of resnet18"),
    ):
        answer = ann.post(f"{FEW}/sessions", json={"dataset": "F1", "stem": where, "session": session})
        assert (answer.status_code, words in answer.json()["detail"]) == (422, True), answer.text


def test_two_sessions_say_where_they_differ(ann, classified):
    other = begin(ann)
    numbers = {"first": classified.rpartition("/")[2], "second": other.rpartition("/")[2]}
    answer = ann.get(f"{FEW}/compare", params=numbers)
    assert (answer.status_code, "Classify it first" in answer.json()["detail"]) == (422, True)
    change(ann, other, "grid", edge=EDGE)
    sets = [one("noise", 0, 11, 22), one("lines", 9, 18, 27, style=1)]
    change(ann, other, "sets", sets=sets)
    ann.post(f"{other}/classification", headers=PATIENT)
    found = ann.get(f"{FEW}/compare", params=numbers).json()
    assert found["names"] == ["stripes", "noise", "lines", "unsure"]
    assert sum(one["chips"] for one in found["changed"]) == len(found["chips"]) > 80
    assert {(one["first"], one["second"]) for one in found["changed"]} == {
        ("stripes", "noise"),
        ("noise", "lines"),
    }
    change(ann, other, "grid", edge=30, release=True)
    change(ann, other, "sets", sets=two_sets())
    ann.post(f"{other}/classification", headers=PATIENT)
    answer = ann.get(f"{FEW}/compare", params=numbers)
    assert (answer.status_code, "Compare sessions of one grid" in answer.json()["detail"]) == (422, True)


def test_a_series_classifies_each_image_once_however_often_it_is_asked_for(ann, bob, session, app):
    wanted = {"session": int(session.rpartition("/")[2]), "dataset": "F1", "stems": ["t_0", "t_1"]}
    answer = ann.post(f"{FEW}/series", json=wanted, headers=PATIENT)
    assert (answer.status_code, answer.json()["job"]["state"]) == (200, "done"), answer.text
    assert [(one["name"], one["n_chips"]) for one in answer.json()["images"]] == [("t_0", 100), ("t_1", 100)]
    files = sorted((app.state.settings.state / "fewshot-sessions").rglob("images/*.json"))
    before = {file: file.stat().st_mtime_ns for file in files}
    whole = ann.post(f"{FEW}/series", json=wanted, headers=PATIENT)
    assert whole.json()["images"] == answer.json()["images"]
    assert {file: file.stat().st_mtime_ns for file in before} == before
    series = whole.headers["location"]
    assert ann.get(series).json()["images"] == answer.json()["images"]
    rows = list(csv.DictReader(io.StringIO(ann.get(f"{series}/table").text)))
    assert [(row["image"], row["time_s"]) for row in rows] == [("t_0", "0.0"), ("t_1", "0.25")]
    assert answer.json()["times_s"] == [0, 0.25]
    names = ("stripes", "noise", "unsure")
    assert all(sum(int(row[f"{name} chips"]) for name in names) == int(row["chips"]) for row in rows)
    for kind, begins in (("png", b"\x89PNG"), ("svg", b"<?xml")):
        assert ann.get(f"{series}/figure.{kind}", headers=PATIENT).content.startswith(begins)
    assert [bob.get(path).status_code for path in (series, f"{series}/table", f"{series}/figure.png")] == [
        404
    ] * 3
    answer = ann.post(f"{FEW}/series", json={**wanted, "stems": ["nothing"]})
    assert (answer.status_code, "no such image" in answer.json()["detail"]) == (404, True)


def test_a_chip_edge_is_suggested_with_the_curve_it_came_from(ann, session):
    advice = ann.get(f"{session}/advice", headers=PATIENT).json()
    assert advice["low"] == 2 < advice["edge"] < advice["high"] == SIDE
    assert len(advice["lags_px"]) == len(advice["autocorrelation"]) > 10
    assert f"Chips of {advice['edge']} px are suggested" in advice["sentence"]


def test_sessions_are_listed_the_last_changed_first_and_gone_when_deleted(ann, classified, app):
    change(ann, classified, "name", name="  Größe 1 ")
    line = ann.get(f"{FEW}/sessions").json()["sessions"][0]
    assert (line["name"], line["image"], line["is_classified"]) == ("Größe 1", "F1/t_0", True)
    assert (line["n_chips"], line["n_sets"]) == (100, 2)
    for name, words in (("  ", "without a name"), ("x" * 101, "101 characters"), ("a\nb", "line break")):
        answer = change(ann, classified, "name", name=name)
        assert (answer.status_code, words in answer.json()["detail"]) == (422, True)
    files = app.state.settings.state / "fewshot-sessions" / classified.rpartition("/")[2]
    assert files.is_dir()
    tag = ann.get(classified).headers["etag"]
    assert ann.delete(classified, headers={"If-Match": tag}).status_code == 204
    assert ann.get(classified).status_code == 404
    assert not files.exists()
    assert begin(ann) != classified  # no number is used again


def test_an_image_that_a_session_is_of_stays(ann, app):
    image = ann.post(f"{FEW}/images?name=kept.png", content=png(mosaic(9))).json()
    begin(ann, image["dataset"], image["stem"])
    settings, later = app.state.settings, 4e9
    tidy(settings, [], now=later, kept=app.state.fewshot.datasets())
    assert ann.get(f"/api/v1/images/{image['dataset']}/{image['stem']}").status_code == 200


def test_a_workers_own_process_embeds_and_classifies(served, browse):
    alone = browse(served.app)
    session = begin(alone, "D1", "a")
    change(alone, session, "grid", edge=16)
    change(alone, session, "sets", sets=[one("a", 0, 1), one("b", 8, 9, style=1)])
    answer = alone.post(f"{session}/classification", headers=PATIENT)
    assert (answer.status_code, len(answer.json()["nearest"])) == (200, 30), answer.text
    assert alone.get(session).json()["embedding"]["state"] == "done"
