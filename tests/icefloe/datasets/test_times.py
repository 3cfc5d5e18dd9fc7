"""Times of a dataset's images."""

import numpy as np
import pytest
import tifffile

from icefloe.datasets.dataset import DatasetInfo, load_datasets
from icefloe.datasets.times import known_times


@pytest.fixture
def times_of(tmp_path):
    images = tmp_path / "D1/images"
    images.mkdir(parents=True)
    for stem in ("a", "b", "c"):
        tifffile.imwrite(images / f"{stem}.tif", np.zeros((8, 8), np.uint8))

    def of(**info):
        DatasetInfo(name="D1", experiment="D1", **info).save(tmp_path / "D1")
        return known_times(load_datasets(tmp_path)["D1"])

    return of


def test_frames_follow_at_the_frame_rate(times_of):
    assert times_of(frame_rate_hz=4.0) == (0.0, 0.25, 0.5)


def test_without_a_frame_rate_no_time_is_known(times_of):
    assert times_of() == ()


def test_the_frame_rate_of_a_recording_is_not_that_of_its_composites(times_of):
    assert times_of(frame_rate_hz=4.0, preprocessing=["stacked"]) == ()


def test_composites_begin_when_their_table_says(times_of, tmp_path):
    (tmp_path / "D1/composites.csv").write_text("image,start_s\na.tif,0.5\nb.tif,1.5\nc.tif,4\n")
    assert times_of(frame_rate_hz=4.0, preprocessing=["stacked"]) == (0.5, 1.5, 4.0)
