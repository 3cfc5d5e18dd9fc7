from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.spatial import KDTree
from skimage.segmentation import find_boundaries

from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.datasets.importer import import_folder
from icefloe.datasets.label_history import add_labels
from icefloe.datasets.labels import write_mask
from studies.label_cost.annotation_time import (
    LOOK_MINUTES,
    SCRATCH_MINUTES,
    TOLERANCE,
    correction_minutes,
    measured_minutes,
)


def test_a_mask_as_two_people_would_draw_it_costs_a_look():
    reference = np.zeros((894, 960), np.uint8)
    reference[200:600, 300:700] = 1
    assert correction_minutes(reference, np.roll(reference, 14, axis=1)) == LOOK_MINUTES
    assert correction_minutes(reference, np.roll(reference, 30, axis=1)) > LOOK_MINUTES


def test_the_tolerance_is_what_two_people_hardly_ever_differ_by(real_data, tmp_path):
    dataset = import_folder(real_data / "ice" / "D2", "D2", tmp_path).dataset
    masks = {sample.stem: sample.mask() for sample in dataset.labelled}
    distances = []
    for one, other in (("stack_6", "stack_9"), ("stack_7", "stack_12")):
        outlines = [np.argwhere(find_boundaries(masks[stem], mode="inner")) for stem in (one, other)]
        for points, others in (outlines, outlines[::-1]):
            distances.append(KDTree(others).query(points)[0])
    assert np.quantile(np.concatenate(distances), 0.95) == pytest.approx(960 * TOLERANCE, abs=0.1)


def test_half_an_outline_off_costs_a_look_and_half_the_time_from_scratch():
    reference = np.zeros((960, 960), np.uint8)
    reference[:, :480] = 1  # one straight outline
    drawn = reference.copy()
    drawn[480:, :400] = 0
    drawn[480:, 400:480] = 0
    drawn[480:, :560] = 1  # in its lower half 80 px too far
    assert correction_minutes(reference, drawn) == pytest.approx(LOOK_MINUTES + SCRATCH_MINUTES / 2, rel=0.1)


def test_an_empty_mask_costs_a_look_and_the_whole_image():
    reference = np.zeros((96, 96), np.uint8)
    reference[20:50, 20:50] = 1
    assert correction_minutes(reference, np.zeros_like(reference)) == LOOK_MINUTES + SCRATCH_MINUTES


def test_a_pixel_is_not_off_in_small_images_either():
    reference = np.zeros((64, 64), np.uint8)
    reference[20:50, 20:50] = 1
    assert correction_minutes(reference, np.roll(reference, 1, axis=0)) == LOOK_MINUTES


def test_what_a_person_took_is_read_from_the_history_and_what_a_simulation_books_is_not(tmp_path):
    folder = tmp_path / "D3"
    mask = np.zeros((8, 8), np.uint8)
    for stem in ("a", "b", "c"):
        write_mask(folder / "images" / f"{stem}.png", mask + 7)
    DatasetInfo(name="D3", experiment="D3").save(folder)
    when = datetime(2026, 1, 1, tzinfo=UTC)
    add_labels(folder, {"a": mask, "b": mask}, "Ana", when, "queue", {"a": 90.0})
    add_labels(folder, {"c": mask}, "truth", when, "simulation", 180.0)
    dataset = Dataset.load(folder)
    assert measured_minutes(dataset, dataset.samples) == {"D3/a": 1.5}
