import json

import numpy as np
import pytest
import tifffile

from icefloe.datasets.audit import audit
from icefloe.datasets.dataset import Dataset
from icefloe.datasets.labels import write_mask
from icefloe.datasets.splits import Split, SplitConfig, split_samples


def test_a_clean_dataset_has_baselines_and_nothing_to_mend(make_dataset):
    dataset = make_dataset()
    report = audit([dataset], split_samples([dataset], SplitConfig()))
    assert report.is_clean
    (one,) = report.datasets
    foreground = np.mean([sample.mask().mean() for sample in dataset.labelled])
    assert one.foreground == pytest.approx(foreground)
    assert one.baselines["all background"].accuracy == pytest.approx(1 - foreground)
    assert one.baselines["all background"].iou == 0
    assert one.baselines["Otsu"].dice > 0.99
    assert report.sentence() == (
        "10 images in 1 dataset, 10 labelled, 0 duplicate groups, "
        "0 groups on two sides of the split, 0 problems."
    )


def test_every_unusable_file_is_one_problem_and_the_rest_is_still_audited(make_dataset):
    dataset = make_dataset()
    tifffile.imwrite(dataset.samples[0].image_path, np.ones((48, 64), np.uint8))
    write_mask(dataset.path / "masks" / "stack_2.png", np.zeros((4, 4), np.uint8))
    write_mask(dataset.path / "masks" / "stack_99.png", np.zeros((48, 64), np.uint8))
    write_mask(dataset.path / "truth" / "stack_3.png", np.full((48, 64), 9, np.uint8))
    report = audit([Dataset.load(dataset.path)])
    assert not report.is_clean
    for problem, expected in zip(
        report.problems,
        (
            "stack_1.tif: all pixels",
            "stack_2.png: mask is 4x4",
            "stack_3.png: mask has unknown",
            "stack_99.png: no image",
        ),
        strict=True,
    ):
        assert expected in problem
    assert report.datasets[0].n_labelled == 8


def test_masks_of_0_and_255_put_in_by_hand_are_a_problem(make_dataset):
    dataset = make_dataset(labelled=range(0))
    write_mask(dataset.path / "masks" / "stack_1.png", np.eye(48, 64, dtype=np.uint8) * 255)
    report = audit([Dataset.load(dataset.path)])
    assert "the masks hold only 0 and 255" in report.problems[0]


def test_a_group_on_two_sides_of_a_foreign_split_is_a_leak(make_dataset):
    dataset = make_dataset()
    tifffile.imwrite(dataset.samples[1].image_path, tifffile.imread(dataset.samples[0].image_path))
    split = Split(train=("D1/stack_1",), validation=(), test=("D1/stack_2",))
    report = audit([dataset], split)
    assert [group.keys for group in report.leaks] == [("D1/stack_1", "D1/stack_2")]
    assert "## On two sides of the split" in report.to_markdown()
    assert json.loads(json.dumps(report.to_dict()))["leaks"][0]["kind"] == "exact"


def test_the_real_annotator_ceiling_and_baseline_are_reproduced(ice):
    report = audit(ice, split_samples(ice, SplitConfig()))
    ceiling = {pair.keys: pair.agreement for pair in report.annotators}
    first, second = ceiling["D2/stack_6", "D2/stack_9"], ceiling["D2/stack_7", "D2/stack_12"]
    assert len(ceiling) == 2
    assert (round(first.dice, 3), round(second.dice, 3)) == (0.960, 0.961)
    assert (round(first.accuracy, 4), round(second.accuracy, 4)) == (0.9907, 0.9926)
    assert report.is_clean
    assert len(report.groups) == 3
    background = [dataset.baselines["all background"].accuracy for dataset in report.datasets]
    assert background == pytest.approx([0.950, 0.871], abs=1e-3)
