import shutil
from collections import Counter
from pathlib import Path

import pytest

from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.splits import SplitConfig
from icefloe.errors import IcefloeError
from icefloe.models.spec import MemberSpec
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import write_dataset
from studies.ea_vs_er.design import Design, ImageSplit
from studies.kit.data import StudyData

TINY = ExperimentSpec(size_px=64, pixel_size_nm=7.5, n_composites=24)
SIX = [
    MemberSpec(encoder=name)
    for name in ("vgg19", "densenet121", "densenet201", "resnet18", "se_resnet50", "inception_v3")
]


def test_every_architecture_is_trained_with_every_seed(design):
    assert len(design.specs) == 6
    assert design.specs["mobilenet_v2-unet-s2"].seed == 2


def test_an_ea_has_one_network_an_architecture_and_an_er_one_architecture(design):
    assert design.size == 2
    assert design.ea[(1,)] == (("resnet18-unet-s1", "mobilenet_v2-unet-s1"),)
    assert design.er("resnet18") == {
        (0, 1): (("resnet18-unet-s0", "resnet18-unet-s1"),),
        (0, 2): (("resnet18-unet-s0", "resnet18-unet-s2"),),
        (1, 2): (("resnet18-unet-s1", "resnet18-unet-s2"),),
    }


def test_with_fewer_seeds_than_architectures_eas_are_smaller_and_use_each_architecture_alike():
    design = Design.of(SIX, n_seeds=4)
    choices = design.ea[(2,)]
    used = Counter(network for choice in choices for network in choice)
    assert design.size == 3
    assert {len(set(choice)) for choice in choices} == {3}
    assert set(used.values()) == {3}
    assert len(used) == 6


def test_every_seed_can_be_left_out_of_every_er():
    for n_seeds in (3, 4, 7, 9):
        design = Design.of(SIX, n_seeds)
        for seed in design.seeds:
            assert any(seed not in chosen for chosen in design.er("vgg19"))


def test_decoders_are_named_where_encoders_do_not_tell():
    members = [MemberSpec(encoder="resnet18"), MemberSpec(encoder="resnet18", decoder="unetplusplus")]
    assert list(Design.of(members, 3).architectures) == ["resnet18-unet", "resnet18-unetplusplus"]


def test_too_few_seeds_are_refused():
    with pytest.raises(IcefloeError, match="2 seeds: an ER needs two and its interval one more"):
        Design.of(SIX, n_seeds=2)


def test_a_preset_of_one_architecture_is_refused():
    members = [MemberSpec(encoder="resnet18", seed=seed) for seed in (0, 1)]
    with pytest.raises(IcefloeError, match="resnet18-unet-s1 are not two or more different"):
        Design.of(members, n_seeds=3)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for seed, (name, labelled) in enumerate({"A": True, "B": False}.items()):
        info = DatasetInfo(name=name, experiment=name, pixel_size_nm=7.5)
        write_dataset(simulate_experiment(TINY, seed), folder / name, info, labelled=labelled)
    return folder


@pytest.fixture
def data(simulated, tmp_path) -> Path:
    return Path(shutil.copytree(simulated, tmp_path / "data"))


def divide(data: Path) -> ImageSplit:
    return ImageSplit.of(StudyData.load(data, ["A", "B"]), ["A"], ["B"], SplitConfig())


def test_labels_are_drawn_apart_in_time_from_what_scores_are_taken_on(data):
    split = divide(data)
    pool = {sample.index for sample in split.pools["B"]}
    scored = {sample.index for sample in split.tests["B"]}
    assert len(scored) >= 10
    assert min(abs(one - other) for one in pool for other in scored) > 1


def test_a_seed_draws_the_same_images_again_and_another_seed_others(data):
    split = divide(data)
    drawn = [tuple(sample.key for sample in split.draw("B", 2, seed)) for seed in (0, 0, 1, 2, 3)]
    assert drawn[0] == drawn[1]
    assert len(set(drawn)) > 2
    assert all(len(set(keys)) == 2 for keys in drawn)


def test_a_twin_of_a_training_image_is_not_scored(data):
    before = divide(data)
    trained, scored = before.train[0], before.tests["B"][0]
    shutil.copy(trained.image_path, scored.image_path)
    assert scored.key not in {sample.key for sample in divide(data).tests["B"]}


def test_more_labels_than_there_are_images_are_refused(data):
    with pytest.raises(IcefloeError, match=r"B: 30 labels to draw, but \d+ different images"):
        divide(data).draw("B", 30, seed=0)


def test_a_dataset_too_small_to_divide_is_refused(data):
    for image in sorted((data / "B" / "images").iterdir())[2:]:
        image.unlink()
    with pytest.raises(IcefloeError, match=r"B: no test image\. Label five or more images of each dataset"):
        divide(data)
