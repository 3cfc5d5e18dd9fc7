import shutil
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from huggingface_hub import constants
from safetensors.torch import save_file

from icefloe.datasets.dataset import DatasetInfo
from icefloe.errors import IcefloeError
from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import write_dataset
from icefloe.training.config import TrainingConfig
from studies.material import Material
from studies.transfer.design import Panel, default_panels, draw
from studies.transfer.result import Outcome, TransferStudy
from studies.transfer.run import run_transfer

FEW = ExperimentSpec(size_px=64, pixel_size_nm=7.5, n_composites=9)
BOTH = Panel("real", ("A", "B"), ("A", "B"), (2, 5), 64)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    for seed, (name, n) in enumerate({"A": 9, "B": 9, "R": 30}.items()):
        info = DatasetInfo(name=name, experiment=name, pixel_size_nm=7.5)
        experiment = simulate_experiment(FEW.changed(n_composites=n), seed)
        write_dataset(experiment, folder / name, info, labelled=name != "R")
    twin = folder / "A" / "images" / "composite_008.tif"
    twin.write_bytes((folder / "A" / "images" / "composite_000.tif").read_bytes())
    return folder


def test_no_test_image_shows_what_a_labelled_one_shows(data):
    material = Material.load(data, ["A", "B"])
    for seed in range(5):
        drawn = draw(material, BOTH, seed)
        labelled = [material.groups[sample.key] for sample in drawn.order]
        assert len(set(labelled)) == len(labelled)  # a twin is no second label
        assert not set(labelled) & {material.groups[sample.key] for sample in drawn.test}
        assert Counter(sample.dataset for sample in drawn.test) == {"A": 3, "B": 3}


def test_datasets_take_turns_and_fewer_labels_are_the_first_of_more(data):
    order = draw(Material.load(data, ["A", "B"]), BOTH, 3).order
    assert [sample.dataset for sample in order[:4]] in (["A", "B"] * 2, ["B", "A"] * 2)


def test_the_seed_decides_the_draw(data):
    material = Material.load(data, ["A", "B"])
    assert draw(material, BOTH, 1) == draw(material, BOTH, 1)
    assert draw(material, BOTH, 1) != draw(material, BOTH, 2)


def test_a_recording_is_divided_in_blocks_with_a_frame_between(data):
    drawn = draw(Material.load(data, ["R"]), Panel("simulated", ("R",), ("R",), (2, 10), 64), 0)
    tested = sorted(sample.index for sample in drawn.test)
    assert 8 <= len(tested) <= 12
    assert min(abs(sample.index - t) for sample in drawn.order for t in tested) >= 2


def test_another_experiment_tests_whole(data):
    drawn = draw(Material.load(data, ["A", "B"]), Panel("new", ("A",), ("B",), (2, 5), 64), 0)
    assert {sample.dataset for sample in drawn.order} == {"A"}
    assert len(drawn.test) == 9


def test_the_panels_are_those_of_the_workspaces_datasets(data):
    standard, new, arriving = default_panels(data)
    assert (standard.train, standard.test) == (("A", "B"), ("A", "B"))
    assert (new.train, new.test) == (("A",), ("B",))
    assert (arriving.train, arriving.n_labels) == (("R",), (2, 5, 10, 20))
    assert [panel.name for panel in default_panels(data, standard=["B"])] == ["standard", "arriving"]


def test_a_workspace_without_labels_is_refused(tmp_path):
    info = DatasetInfo(name="U", experiment="U")
    write_dataset(simulate_experiment(FEW, 0, [0, 1]), tmp_path / "U", info, labelled=False)
    shutil.rmtree(tmp_path / "U" / "truth")
    with pytest.raises(IcefloeError, match="no dataset has labels or a truth kept back"):
        default_panels(tmp_path)


def test_more_labels_than_there_are_images_are_refused(data):
    with pytest.raises(IcefloeError, match=r"^A, B: 11 different images can be labelled, but 20 are wanted"):
        draw(Material.load(data, ["A", "B"]), replace(BOTH, n_labels=(20,)), 0)


def outcome(arm, n, seed, iou):
    return Outcome("real", "resnet18", arm, n, seed, iou, 2 * iou / (1 + iou), 0.9, 1.0, 6, 11)


def study(gains, **changes):
    """Scratch scores 0.5 and 0.6; `sim` more by so much, seed by seed."""
    outcomes = []
    for seed, gain in enumerate(gains):
        for n, base in ((2, 0.5), (5, 0.6)):
            outcomes += [outcome("scratch", n, seed, base + 0.1 * seed)]
            outcomes += [outcome("sim", n, seed, base + 0.1 * seed + gain)]
    values = {
        "panels": (BOTH,),
        "encoders": ("resnet18",),
        "outcomes": tuple(outcomes),
        "baselines": {"real": {"all background": (0.9, 0.0)}},
        "absent": {"imagenet of resnet18": "Not here."},
        "epochs": 3,
    }
    return TransferStudy(**{**values, **changes})


def test_a_gain_is_paired_by_seed():
    gain = study([0.09, 0.1, 0.11]).gain("real", "sim", 5)
    assert gain.mean == pytest.approx(0.1)
    half = 4.3027 * 0.01 / 3**0.5  # the t distribution's .975 quantile with 2 degrees of freedom
    assert (gain.low, gain.high) == pytest.approx((0.1 - half, 0.1 + half), abs=1e-5)


@pytest.mark.parametrize(
    ("gains", "word"),
    [
        ([0.09, 0.1, 0.11], "better"),
        ([-0.09, -0.1, -0.11], "worse"),
        ([-0.2, 0.0, 0.2], "no difference shown"),
        ([0.1], "one repetition shows nothing"),
    ],
)
def test_the_verdict_follows_the_interval(gains, word):
    (line,) = (line for line in study(gains).to_markdown().splitlines() if line.startswith("- **sim**"))
    assert line.count(f": {word}") == 2


def test_labels_saved_are_said_only_where_there_are_any():
    saved = "With 2 labels it reaches the mean IoU that scratch has with 5 (0.700)."
    assert saved in study([0.12, 0.13, 0.14]).to_markdown()
    assert "it reaches" not in study([0.0, 0.01, 0.02]).to_markdown()


def test_what_is_absent_is_named_and_the_papers_claim_stands_beside_ours():
    text = study([0.1, 0.1]).to_markdown()
    assert "Absent: imagenet of resnet18. Not here." in text
    assert "6 test images and 11 to label a seed" in text
    assert "So the curve ends at 5 labels: 20 can't be had here." in text
    assert "| scratch | 0.843 | 0.900 [0.900, 0.900] |" in text
    assert "| imagenet | 0.996 | absent |" in text
    assert "Whether ImageNet weights give .996 can't be told here" in text
    assert "all background" in text


def test_every_number_and_the_figure_are_there():
    made = study([0.1, 0.2])
    assert len(made.to_dict()["outcomes"]) == 8
    (axis,) = made.figures()["learning-curves"].axes
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["scratch", "sim"]
    np.testing.assert_allclose(axis.containers[1].lines[0].get_ydata(), [0.7, 0.8])


@pytest.mark.integration
def test_a_study_is_run_and_found_again(data, tmp_path, monkeypatch):
    """On Ray, with pre-trained weights in a mirror; run again, nothing is trained anew."""
    spec = MemberSpec(encoder="mobilenet_v2", decoder_channels=(8, 8, 8))
    save_file(build(spec, 2).state_dict(), tmp_path / "mobilenet_v2.sim.safetensors")
    config = TrainingConfig(members=(spec,), epochs=1, batch_size=2)
    panel = replace(BOTH, n_labels=(2,))

    def run():
        return run_transfer(
            *(data, config, [panel], ["mobilenet_v2"]),
            seeds=range(2),
            checkpoints=tmp_path / "checkpoints",
            weights_dir=tmp_path,
        )

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    first = run()
    assert first.arms == ("scratch", "sim", "sim frozen")
    assert len(first.outcomes) == 6
    assert set(first.absent) == {"imagenet of mobilenet_v2"}
    assert 0 < first.baselines["real"]["all background"][0] < 1
    assert first.to_markdown().count("| 2 | ") == 3
    monkeypatch.setattr("icefloe.training.jobs._submit", lambda *_: pytest.fail("trained again"))
    assert run().outcomes == first.outcomes
