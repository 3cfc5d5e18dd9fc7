"""A session: its changes, its file, and what comes from it."""

import csv
import io
import json
import shutil

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.path import Path

from icefloe.errors import IcefloeError
from icefloe.fewshot.chips_csv import chips_csv
from icefloe.fewshot.classifier import Classifier
from icefloe.fewshot.embedding_spec import EmbeddingSpec, EncoderSpec
from icefloe.fewshot.figures import draw_grid, draw_map
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.result import Classification
from icefloe.fewshot.rule import Rule
from icefloe.fewshot.series import Series, SeriesImage
from icefloe.fewshot.session import Session
from icefloe.fewshot.sets import SupportSets
from icefloe.fewshot.source import ImageReference, image_hash

GRID = Grid(height=61, width=62, edge=10, top=1, left=2)
RULE = Rule(n_resamples=50, max_risk=0.3)


@pytest.fixture
def image(rng):
    return rng.normal(size=(61, 62)).astype(np.float32)


@pytest.fixture
def session(image):
    reference = ImageReference(name="a.tif", sha256=image_hash(image), height=61, width=62)
    sets = SupportSets().added("dots", [0, 1, 2]).added("snow, men", [34, 35]).added("empty")
    return Session(image=reference, grid=GRID, sets=sets, rule=RULE)


@pytest.fixture
def classified(session, rng):
    embeddings = (rng.normal(size=(36, 3)) + np.repeat([[0], [2]], 18, axis=0)).astype(np.float32)
    classifier = Classifier.fit(embeddings, session.sets, GRID, session.rule)
    result = classifier.classify(embeddings, GRID, np.zeros(36, bool), is_support_image=True)
    return session.with_result(result, "ab12")


def test_a_session_recalled_elsewhere_gives_the_same_csv_byte_for_byte(classified, tmp_path):
    classified.save(tmp_path / "here" / "a.session.json")
    shutil.copytree(tmp_path / "here", tmp_path / "there")

    recalled = Session.load(tmp_path / "there" / "a.session.json")

    assert recalled == classified
    assert chips_csv(recalled.result).encode() == chips_csv(classified.result).encode()
    recalled.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "here" / "a.session.json").read_bytes()


def test_a_session_of_an_older_icefloe_gives_the_same_csv(classified, tmp_path):
    content = json.loads(classified.model_dump_json())
    del content["result"]["far_chips"]
    (tmp_path / "old.json").write_text(json.dumps(content))
    assert chips_csv(Session.load(tmp_path / "old.json").result) == chips_csv(classified.result)


def test_csv_counts_equal_the_chart_and_the_map(classified, image):
    result = classified.result
    rows = list(csv.DictReader(io.StringIO(chips_csv(result))))
    counts = {one.name: int(one.count.mean) for one in result.classes}
    assert list(counts) == ["dots", "snow, men", "unsure"]
    assert sum(counts.values()) == len(rows) == 36

    for name, count in counts.items():
        assert sum(row["prediction"] == name for row in rows) == count

    figure = Figure()
    chart, chip_map = figure.subplots(1, 2)
    result.plot(chart)
    assert [bar.get_height() for bar in chart.patches] == list(counts.values())
    draw_map(chip_map, result, image)
    drawn = [np.count_nonzero(patch.get_path().codes == Path.MOVETO) for patch in chip_map.patches]
    assert drawn == list(counts.values())

    per_chip = GRID.chips(result.mask()).reshape(36, -1)
    assert (per_chip == per_chip[:, :1]).all()
    assert [np.count_nonzero(per_chip[:, 0] == value) for value in (0, 1, 255)] == list(counts.values())
    assert (result.mask()[0] == 255).all()  # the margin is of no class


def test_the_csv_says_where_a_chip_is_and_how_sure(classified):
    rows = list(csv.DictReader(io.StringIO(chips_csv(classified.result))))
    last = rows[-1]
    assert [last[key] for key in ("chip", "row", "column", "top_px", "left_px")] == [
        "35",
        "5",
        "5",
        "51",
        "52",
    ]
    for row in rows:
        likely = [float(row["p(dots)"]), float(row["p(snow, men)"])]
        assert row["nearest"] == ("dots", "snow, men")[int(np.argmax(likely))]
        assert (row["prediction"] == "unsure") == (1 - max(likely) > 0.3)


def test_calibration_and_intervals_are_in_the_result(classified):
    result = classified.result
    assert result.check.right.total == 5
    assert 0 <= result.check.ece <= 1
    assert np.sum(result.check.confusion) == 5
    assert np.trace(result.check.confusion) == result.check.right.hits
    assert not (result.probability_array().max(axis=1) > 0.999).all()
    for one in result.classes:
        assert one.count.low <= one.count.mean <= one.count.high
        assert one.fraction.low == pytest.approx(one.count.low / 36)
    assert result.classes[0].count.high > result.classes[0].count.low


def test_the_result_speaks_in_two_lines_at_most_and_tabulates(classified):
    result = classified.result
    first, second = result.sentence().split("\n")
    assert first.startswith("36 chips: ")
    assert f"{result.check.right.hits} of 5 supports fall to their own set" in first
    assert second.endswith(".")
    assert [row[0] for row in result.table().rows] == ["dots", "snow, men", "unsure"]


def test_any_change_drops_the_result(classified):
    for changed in (
        classified.with_sets(classified.sets.added("more")),
        classified.with_rule(Rule()),
        classified.with_embedding(EmbeddingSpec(encoder=EncoderSpec(weights="none"))),
        classified.with_grid(Grid(height=61, width=62, edge=20)),
    ):
        assert changed.result is None
        assert changed.encoder_sha256 == ""


def test_a_new_grid_keeps_the_sets_and_releases_their_chips(session):
    changed = session.with_grid(Grid(height=61, width=62, edge=20))
    assert changed.sets.names == session.sets.names
    assert changed.sets.used == ()


def test_chips_outside_the_grid_are_refused(session):
    with pytest.raises(IcefloeError, match="x: chip 99: the grid has chips 0 to 35"):
        session.with_sets(SupportSets().added("x", [99]))


def test_a_grid_of_another_image_is_refused(session):
    with pytest.raises(IcefloeError, match="of an image of another size"):
        session.with_grid(Grid(height=64, width=64, edge=8))


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"version": 1, "password": 2}', b"\xff\xfe"])
def test_what_is_no_session_is_refused_by_name(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(IcefloeError, match=r"a\.json: "):
        Session.load(tmp_path / "a.json")


def test_a_missing_session_is_refused(tmp_path):
    with pytest.raises(IcefloeError, match="no such file"):
        Session.load(tmp_path / "a.json")


def test_a_session_of_another_version_is_refused(session, tmp_path):
    text = session.model_dump_json().replace('"version":1', '"version":2')
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(IcefloeError, match="Use the Icefloe that wrote it"):
        Session.load(tmp_path / "a.json")


def test_a_result_goes_through_json(classified):
    result = classified.result
    assert Classification.model_validate_json(result.model_dump_json()) == result


def test_a_series_draws_and_tabulates_each_class_over_its_images(classified):
    series = Series(
        images=tuple(SeriesImage.of(f"{number}.tif", classified.result) for number in range(3)),
        notes=("2.tif: look",),
    )
    assert series.sentence().startswith("108 chips of 3 images, from first to last: dots ")
    assert series.sentence().endswith("\n2.tif: look")
    assert len(series.table().rows) == len(series.rows()) == 3
    axes = series.figure().axes[0]
    assert [line.get_label() for line in axes.lines] == ["dots", "snow, men", "unsure"]
    assert (axes.get_xlabel(), list(axes.lines[0].get_xdata())) == ("image", [1, 2, 3])
    assert {row["time_s"] for row in series.rows()} == {""}


def test_a_series_whose_times_are_known_is_drawn_against_them(classified):
    images = tuple(SeriesImage.of(f"{number}.tif", classified.result) for number in range(3))
    series = Series(images=images, times_s=(0.0, 0.5, 2.0))
    axes = series.figure().axes[0]
    assert (axes.get_xlabel(), list(axes.lines[0].get_xdata())) == ("time, s", [0.0, 0.5, 2.0])
    assert [row["time_s"] for row in series.rows()] == [0.0, 0.5, 2.0]


def test_a_grid_is_drawn_with_its_numbers(image):
    axes = Figure().subplots()
    draw_grid(axes, GRID, image)
    assert [text.get_text() for text in axes.texts] == [str(chip) for chip in range(36)]
