import shutil
from collections import Counter

import pytest

from icefloe.datasets.dataset import DatasetInfo
from icefloe.errors import IcefloeError
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.workspace import write_dataset
from studies.kit.data import StudyData
from studies.transfer.design import Panel, as_far_as_images_go, default_panels, divide

from .conftest import BOTH, FEW


def panel(train, test, n_labels):
    return Panel(name="p", train=train, test=test, n_labels=n_labels, size=64)


def test_no_test_image_shows_what_a_labelled_one_shows(data):
    for seed in range(5):
        images = divide(data, BOTH, seed)
        labelled = [data.groups[sample.key] for sample in images.pool]
        assert len(set(labelled)) == len(labelled)  # a twin is no second label
        assert not set(labelled) & {data.groups[sample.key] for sample in images.test}
        assert Counter(sample.dataset for sample in images.test) == {"A": 3, "B": 3}


def test_datasets_take_turns_and_fewer_labels_are_the_first_of_more(data):
    pool = divide(data, BOTH, 3).pool
    assert [sample.dataset for sample in pool[:4]] in (["A", "B"] * 2, ["B", "A"] * 2)


def test_the_seed_decides_the_division(data):
    assert divide(data, BOTH, 1) == divide(data, BOTH, 1)
    assert divide(data, BOTH, 1) != divide(data, BOTH, 2)


def test_a_recording_is_divided_in_blocks_with_a_frame_between(data):
    images = divide(data, panel(("R",), ("R",), (2, 10)), 0)
    tested = sorted(sample.index for sample in images.test)
    assert 8 <= len(tested) <= 12
    assert min(abs(sample.index - t) for sample in images.pool for t in tested) >= 2


def test_another_experiment_tests_whole(data):
    images = divide(data, panel(("A",), ("B",), (2, 5)), 0)
    assert {sample.dataset for sample in images.pool} == {"A"}
    assert len(images.test) == 9


def test_the_panels_are_those_of_the_workspaces_datasets(folder):
    standard, unseen_a, unseen_b, arriving = default_panels(folder)
    assert (standard.train, standard.test) == (("A", "B"), ("A", "B"))
    assert (unseen_a.name, unseen_a.train, unseen_a.test) == ("unseen A", ("B",), ("A",))
    assert (unseen_b.name, unseen_b.train, unseen_b.test) == ("unseen B", ("A",), ("B",))
    assert (arriving.train, arriving.test) == (("R",), ("R",))
    assert {panel.n_labels for panel in (standard, unseen_a, unseen_b, arriving)} == {(2, 5, 10, 20)}
    assert [panel.name for panel in default_panels(folder, standard=["B"])] == ["standard", "arriving"]


def test_of_three_experiments_each_is_tested_with_labels_of_the_two_others(folder):
    panels = default_panels(folder, standard=["A", "B", "R"])
    assert [(panel.train, panel.test) for panel in panels[1:]] == [
        (("B", "R"), ("A",)),
        (("A", "R"), ("B",)),
        (("A", "B"), ("R",)),
    ]


def test_a_curve_ends_where_no_seed_has_images_for_more(data):
    wanted = BOTH.model_copy(update={"n_labels": (2, 5, 10, 20)})
    assert as_far_as_images_go(data, wanted, n_seeds=3).n_labels == (2, 5, 10)
    with pytest.raises(IcefloeError, match="11 different images can be labelled, but 12 are wanted"):
        as_far_as_images_go(data, wanted.model_copy(update={"n_labels": (12,)}), n_seeds=3)


def test_a_workspace_without_labels_is_refused(tmp_path):
    info = DatasetInfo(name="U", experiment="U")
    write_dataset(simulate_experiment(FEW, 0, [0, 1]), tmp_path / "U", info, labelled=False)
    shutil.rmtree(tmp_path / "U" / "truth")
    with pytest.raises(IcefloeError, match="no dataset has labels or a truth kept back"):
        default_panels(tmp_path)


def test_more_labels_than_there_are_images_are_refused(folder):
    data = StudyData.load(folder, ["A", "B"])
    with pytest.raises(IcefloeError, match=r"^A, B: 11 different images can be labelled, but 20 are wanted"):
        divide(data, BOTH.model_copy(update={"n_labels": (20,)}), 0)
