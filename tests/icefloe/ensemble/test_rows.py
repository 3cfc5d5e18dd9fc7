"""Rows of numbers: flat files, JSON and columns."""

import csv
import io
import json
import math

import numpy as np
import pytest
import yaml
from pydantic import TypeAdapter

from icefloe.ensemble.manifest import Manifest
from icefloe.ensemble.prediction import SCORES
from icefloe.ensemble.rows import ImageRow, columns, in_time_order
from icefloe.errors import IcefloeError


def row(dataset, index, **values):
    return ImageRow(dataset, f"stack_{index}", index, values)


def test_rows_of_a_csv_file_are_read_as_numbers():
    found = ImageRow.from_flat(
        {"dataset": "D1", "stem": "a", "index": "3", "uq_mean": "0.01", "note": "good"}
    )

    assert found.index == 3
    assert found.values == {"uq_mean": 0.01}
    assert found.experiment is None
    assert found.unit == "D1"


def test_a_row_without_its_position_in_time_is_refused():
    with pytest.raises(IcefloeError, match=r"a row has no `index`\. Give each row the dataset"):
        ImageRow.from_flat({"dataset": "D1", "stem": "a", "uq_mean": 0.01})


def test_writing_and_reading_gives_the_same_rows_through_json():
    rows = (row("D1", 0, uq_mean=0.1), row("D1", 1, uq_mean=0.2), row("D2", 0, uq_mean=0.3))
    table = TypeAdapter(tuple[ImageRow, ...])

    assert table.validate_json(table.dump_json(rows)) == rows
    assert (
        tuple(ImageRow.from_flat(flat) for flat in json.loads(json.dumps([r.flat() for r in rows]))) == rows
    )


def test_a_score_that_is_not_finite_is_written_as_nothing_in_json_and_left_out_when_read():
    written = TypeAdapter(ImageRow).dump_json(row("D1", 0, uq_mean=math.nan, noise=0.1))

    assert json.loads(written)["uq_mean"] is None
    assert TypeAdapter(ImageRow).validate_json(written).values == {"noise": 0.1}


BENCHMARK = """\
- dataset: D1
  stem: composite_008
  index: 8
  uq_mean: 0.006389630208220934
  foreground_fraction: 0.159271240234375
  experiment: melting
  noise: 0.05243651449989111
  boundary_elongation: .nan
- dataset: D2
  stem: composite_009
  index: 9
  uq_mean: 0.02
"""
"""As earlier versions wrote it: the second row from before experiments were named."""


def test_a_benchmark_in_yaml_is_read_and_written_to_the_same_text(ensemble):
    content = ensemble.manifest.model_dump(mode="json") | {"benchmark": yaml.safe_load(BENCHMARK)}
    manifest = Manifest.model_validate(content)

    assert manifest.benchmark[0].unit == "melting"
    assert math.isnan(manifest.benchmark[0].values["boundary_elongation"])
    assert manifest.to_yaml() == yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    assert BENCHMARK in manifest.to_yaml()


def test_a_benchmark_that_is_no_table_is_refused_by_name(ensemble, tmp_path):
    content = ensemble.manifest.model_dump(mode="json")
    for benchmark, message in (
        (["a"], r"ensemble\.yaml: benchmark\.0: Value error, not a table's row"),
        ([{"dataset": "D1", "stem": "a"}], r"ensemble\.yaml: Table of images: a row has no `index`"),
    ):
        (tmp_path / "ensemble.yaml").write_text(yaml.safe_dump(content | {"benchmark": benchmark}))
        with pytest.raises(IcefloeError, match=message):
            Manifest.load(tmp_path)


def test_more_columns_leave_the_row_as_it_is():
    before = row("D1", 0, uq_mean=0.1)
    after = before.with_values({"noise": 0.2}, experiment="monday")

    assert before.values == {"uq_mean": 0.1}
    assert after.flat() == {
        "dataset": "D1", "stem": "stack_0", "index": 0, "uq_mean": 0.1, "experiment": "monday", "noise": 0.2
    }  # fmt: skip
    assert list(after.flat()) == ["dataset", "stem", "index", "uq_mean", "experiment", "noise"]
    assert after.key == "D1/stack_0"


def test_columns_are_read_at_once_with_nan_for_what_a_row_lacks():
    found = columns([row("D1", 0, a=1.0, b=2.0), row("D1", 1, b=3.0)], ["b", "a"])

    assert np.array_equal(found, [[2.0, 1.0], [3.0, np.nan]], equal_nan=True)
    assert columns([], ["a"]).shape == (0, 1)


def test_time_order_is_that_of_index_then_stem():
    rows = [row("D2", 2), row("D1", 1), ImageRow("D1", "a", 2, {})]

    assert in_time_order(rows) == (rows[1], rows[2], rows[0])


def test_a_row_is_that_of_its_prediction(ensemble, samples):
    (sample, prediction), *_ = ensemble.predict(samples)
    found = ImageRow.of(sample, prediction)

    assert (found.key, found.index, found.experiment) == (sample.key, sample.index, sample.experiment)
    assert tuple(found.values) == SCORES


def test_the_scores_table_has_the_columns_it_always_had(ensemble, samples, tmp_path):
    from icefloe.ensemble.predictions import predict_dataset

    predicted = predict_dataset(ensemble, samples, tmp_path / "predictions")
    text = (tmp_path / "predictions" / "scores.csv").read_text()
    (_, prediction), *_ = ensemble.predict(samples)
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(["dataset", "stem", "index", *SCORES])
    writer.writerow([samples[0].dataset, samples[0].stem, 0, *map(repr, prediction.scores().values())])

    assert text.splitlines()[:2] == written.getvalue().splitlines()
    assert [r.experiment for r in predicted.rows] == [None] * len(samples)


def test_a_score_that_is_missing_is_refused_with_the_image(ensemble, samples, tmp_path):
    from icefloe.ensemble.predictions import PredictionSet, predict_dataset

    folder = tmp_path / "predictions"
    predict_dataset(ensemble, samples, folder)
    lines = (folder / "scores.csv").read_text().splitlines()
    lines[1] = ",".join([*lines[1].split(",")[:3], "", *lines[1].split(",")[4:]])
    (folder / "scores.csv").write_text("\n".join(lines))

    with pytest.raises(IcefloeError, match=f"{samples[0].key} has no number in the column uq_mean"):
        PredictionSet.load(folder)
