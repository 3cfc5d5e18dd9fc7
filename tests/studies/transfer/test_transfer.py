import re

import numpy as np
import pytest
from huggingface_hub import constants
from safetensors.torch import save_file

from icefloe.evaluation.scores import Baseline
from icefloe.models.packaged import PACKAGES
from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build
from icefloe.settings import Settings
from icefloe.training.config import TrainingConfig
from studies.transfer.result import Outcome, TransferResult
from studies.transfer.run import available_weights, measure_transfer

from .conftest import BOTH


def outcome(weights, n_labels, seed, iou):
    return Outcome(
        panel="real",
        encoder="resnet18",
        weights=weights,
        n_labels=n_labels,
        seed=seed,
        iou=iou,
        dice=2 * iou / (1 + iou),
        pca=0.9,
        seconds=1.0,
        n_test=6,
        n_pool=11,
    )


def study(gains):
    """Scratch scores 0.5 and 0.6; `sim` more by so much, seed by seed."""
    outcomes = []
    for seed, gain in enumerate(gains):
        for n, base in ((2, 0.5), (5, 0.6)):
            outcomes += [outcome("scratch", n, seed, base + 0.1 * seed)]
            outcomes += [outcome("sim", n, seed, base + 0.1 * seed + gain)]
    return TransferResult(
        panels=(BOTH,),
        encoders=("resnet18",),
        outcomes=tuple(outcomes),
        baselines={"real": {"all background": Baseline(pca=0.9, iou=0.0, dice=0.0)}},
        absent={"imagenet of resnet18": "Not here."},
        epochs=3,
    )


def test_a_gain_is_paired_by_seed():
    gain = study([0.09, 0.1, 0.11]).gain(BOTH, "sim", 5)
    assert gain.mean == pytest.approx(0.1)
    half = 4.3027 * 0.01 / 3**0.5  # the t distribution's .975 quantile with 2 degrees of freedom
    assert (gain.low, gain.high) == pytest.approx((0.1 - half, 0.1 + half), abs=1e-5)


@pytest.mark.parametrize(
    ("gains", "word"),
    [
        ([0.09, 0.1, 0.11], "better"),
        ([-0.09, -0.1, -0.11], "worse"),
        ([-0.2, 0.0, 0.2], "no difference shown"),
        ([0.1], "one seed cannot tell"),
    ],
)
def test_the_verdict_follows_the_interval(gains, word):
    (line,) = (line for line in study(gains).page().splitlines() if line.startswith("- sim against"))
    assert line.count(f": {word}") == 2


def test_labels_saved_are_said_only_where_there_are_any():
    saved = "With 2 labels it reaches the mean IoU that scratch has with 5 (0.700)."
    assert saved in study([0.12, 0.13, 0.14]).page()
    assert "it reaches" not in study([0.0, 0.01, 0.02]).page()


def test_what_is_absent_is_named_and_the_papers_claim_stands_beside_ours():
    text = re.sub(" +", " ", study([0.1, 0.1]).page())
    assert "Absent: imagenet of resnet18. Not here." in text
    assert "6 test images and 11 to label a seed" in text
    assert "The curve ends at 5 labels: there are not enough images for more." in text
    assert "| scratch | 0.843 | 0.900 [0.900, 0.900] |" in text
    assert "| imagenet | 0.996 | absent |" in text
    assert "Whether ImageNet weights give .996 cannot be told here" in text
    assert "all background" in text


def test_the_outcome_is_one_sentence():
    assert study([0.09, 0.1, 0.11]).sentence() == (
        "Of 2 comparisons with random weights, 2 show a gain in IoU and 0 a loss."
    )


def test_every_number_and_the_figure_are_there():
    made = study([0.1, 0.2])
    assert TransferResult.model_validate_json(made.model_dump_json()) == made
    assert len(made.outcomes) == 8
    (axis,) = made.figures()["learning-curves"].axes
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["scratch", "sim"]
    np.testing.assert_allclose(axis.containers[1].lines[0].get_ydata(), [0.7, 0.8])


def test_weights_are_of_the_package_or_the_mirror_and_a_file_without_enough_stages_is_absent(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    members = [
        MemberSpec(encoder=encoder, decoder_channels=(48, 32, 24, 16))
        for encoder in ("efficientnet-lite0", "mobilenet_v2")
    ]
    found, absent = available_weights(members, tmp_path, frozen=False)
    assert [(weights.encoder, weights.name) for weights in found] == [
        ("efficientnet-lite0", "scratch"),
        ("efficientnet-lite0", "imagenet"),
        ("efficientnet-lite0", "image-sim"),
        ("mobilenet_v2", "scratch"),
    ]
    assert found[1].sha256 == PACKAGES["efficientnet-lite0", "imagenet"].safetensors_sha256
    assert "fewer encoder stages than the 4" in absent["sim of mobilenet_v2"]  # the shipped file has three
    of_mobilenet = {f"{kind} of mobilenet_v2" for kind in ("sim", "imagenet", "image-sim")}
    assert absent.keys() == of_mobilenet | {"sim of efficientnet-lite0"}
    both = available_weights(members[:1], tmp_path, frozen=True)[0]
    assert [weights.name for weights in both] == [
        "scratch",
        *("imagenet", "imagenet frozen"),
        *("image-sim", "image-sim frozen"),
    ]


@pytest.mark.integration
def test_a_study_is_run_and_found_again(workspace, tmp_path, monkeypatch):
    """On Ray, with pre-trained weights in a mirror; run again, nothing is trained anew."""
    spec = MemberSpec(encoder="mobilenet_v2", decoder_channels=(8, 8, 8))
    save_file(build(spec, 2).state_dict(), tmp_path / "mobilenet_v2.sim.safetensors")
    config = TrainingConfig(members=(spec,), epochs=1, batch_size=2)
    panel = BOTH.model_copy(update={"n_labels": (2,)})
    settings = Settings(workspace=workspace, checkpoints=tmp_path / "checkpoints", weights_dir=tmp_path)

    def run():
        return measure_transfer(settings, config, [panel], ["mobilenet_v2"], n_seeds=2, frozen=True)

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    first = run()
    assert first.kinds == ("scratch", "sim", "sim frozen")
    assert len(first.outcomes) == 6
    assert set(first.absent) == {"imagenet of mobilenet_v2", "image-sim of mobilenet_v2"}
    assert 0 < first.baselines[panel.name]["all background"].pca < 1
    assert len(re.findall(r"^\| +2 \|", first.page(), re.MULTILINE)) == 3
    monkeypatch.setattr("icefloe.training.jobs.started", lambda *_: pytest.fail("trained again"))
    assert run().outcomes == first.outcomes
