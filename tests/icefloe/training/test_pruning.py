import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from icefloe.errors import IcefloeError
from icefloe.scoring.baselines import BaselineScore
from icefloe.training.members import MembersDir, TrainedMember, save_members
from icefloe.training.pruning import PruningResult, mean_disagreement, prune
from icefloe.training.records import MemberReceipt
from icefloe.training.rule import PruningRule

RECEIPT = MemberReceipt(
    **{"name": "a", "spec": {}, "val_pca": 0.98, "val_iou": 0.9, "val_dice": 0.95, "val_brier": 0.01},
    **{"val_ece": 0.02, "val_loss": 0.1, "best_epoch": 3, "epochs": 4, "seconds": 12.3, "n_parameters": 10},
    **{"started_from": None, "init_sha256": "0" * 64, "weights_sha256": "1" * 64},
    **{"device": "cpu", "precision": "fp32", "threads": 1},
)

BASELINES = {
    "all background": BaselineScore(accuracy=0.905, iou=0.0),
    "Otsu, foreground bright": BaselineScore(accuracy=0.8, iou=0.54),
}
"""As on the paper's images."""


@pytest.fixture
def make_members(tmp_path, rng):
    """Candidates of given accuracies; each differs from the next on as many pixels as asked for."""

    def make(accuracies, n_differing=(0,), **scores) -> MembersDir:
        weights = tmp_path / "weights"
        weights.write_bytes(b"weights")
        masks = rng.integers(0, 2, (2, 10, 10)).astype(np.uint8)
        trained = []
        for index, accuracy in enumerate(accuracies):
            says = masks.copy()
            n_flipped = n_differing[index] if index < len(n_differing) else 0
            says.reshape(-1)[index * 20 : index * 20 + n_flipped] ^= 1
            own = {score: value[index] if type(value) is list else value for score, value in scores.items()}
            receipt = replace(RECEIPT, name=f"m{index}", val_pca=accuracy, **own)
            trained.append(TrainedMember(receipt, (), np.abs(says - np.float32(0.1)), weights))
        description = {
            **{"classes": ["background", "ice"], "preprocessing": {"size": 32}, "data_sha256": "2" * 64},
            **{"train": ["D1/a"], "validation": ["D1/b", "D1/c"]},
        }
        return save_members(tmp_path / "members", trained, description, [masks])

    return make


def test_a_member_at_96_9_percent_is_pruned_and_one_at_97_1_stays(make_members):
    result = prune(make_members([0.969, 0.971, 0.98]), PruningRule())
    assert result.kept == ("m1", "m2")
    assert result.receipts[0].reason == "accuracy 0.9690 is not above 0.97"
    assert result.receipts[1].reason == "accuracy 0.9710 is above 0.97"


def test_a_member_exactly_at_the_limit_is_pruned(make_members):
    assert prune(make_members([0.97, float(np.nextafter(0.97, 1)), 0.99]), PruningRule()).kept == ("m1", "m2")


def test_an_iou_can_be_asked_for_as_well(make_members):
    members = make_members([0.98, 0.99], val_iou=0.7)
    assert prune(members, PruningRule()).kept == ("m0", "m1")
    with pytest.raises(IcefloeError, match=r"IoU 0.7000 is not above 0.8"):
        prune(members, PruningRule(min_iou=0.8, keep_best=0))


def test_pruning_everything_is_refused_with_each_members_accuracy(make_members):
    with pytest.raises(IcefloeError) as error:
        prune(make_members([0.969, 0.5], val_iou=[0.6, 0.5]), PruningRule(keep_best=0))
    first, *table = (" ".join(line.split()) for line in str(error.value).splitlines())
    assert first.endswith(
        "members: none of 2 members passes pruning (the best, m0: accuracy 0.9690 is not above 0.97). "
        "Label more images, or keep the best two all the same (keep_best: 2)."
    )
    assert "| m0 | 0.9690 | 0.6000 | 0.9500 | 0.0100 | 0.0200 | – | – | 12 | no |" in table[2]
    assert "| m1 | 0.5000 |" in table[3]


def test_every_candidate_has_a_receipt_with_its_scores_and_seconds(make_members):
    result = prune(make_members([0.5, 0.98, 0.99], n_differing=(10, 4, 4)), PruningRule())
    assert result.model_dump()["receipts"][1] == {
        **{"name": "m1", "accuracy": 0.98, "iou": 0.9, "dice": 0.95, "brier": 0.01, "ece": 0.02},
        **{"seconds": 12.3, "kept": True, "reason": "accuracy 0.9800 is above 0.97"},
        **{"baseline_iou": None, "error_reduction": None},
    }
    assert result.to_markdown().count("\n| m") == 3
    assert PruningResult.model_validate_json(result.model_dump_json()) == result
    assert result.sentence() == "2 of 3 members are kept: m1, m2."


def test_the_figure_names_every_candidate(make_members):
    figure = prune(make_members([0.5, 0.98]), PruningRule()).figure()
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["m0", "m1"]


def test_disagreement_is_the_share_of_counted_pixels_that_differ_over_all_pairs(rng):
    masks = rng.integers(0, 2, (3, 2, 8, 8)).astype(np.uint8)
    reference = np.where(rng.random((2, 8, 8)) < 0.3, 255, 0).astype(np.uint8)
    counted = reference == 0
    pairs = [(0, 1), (0, 2), (1, 2)]
    expected = np.mean([np.count_nonzero(masks[a][counted] ^ masks[b][counted]) for a, b in pairs])
    assert mean_disagreement(list(masks), reference) == pytest.approx(expected / counted.sum())


def test_a_collapse_of_disagreement_is_warned_of(make_members):
    result = prune(make_members([0.5, 0.98, 0.99], n_differing=(20, 1, 1)), PruningRule())
    assert result.disagreement_after == pytest.approx(0.01)
    assert "disagree on 1.00% of the pixels, all candidates on 7.33%" in result.warnings[0]


def test_members_that_go_on_disagreeing_are_not_warned_of(make_members):
    assert prune(make_members([0.5, 0.98, 0.99], n_differing=(8, 8, 8)), PruningRule()).warnings == ()


def test_a_single_member_left_is_warned_of(make_members):
    result = prune(make_members([0.5, 0.98]), PruningRule(keep_best=0))
    assert result.kept == ("m1",)
    assert result.warnings[0].startswith("Only m1 is left")


def test_members_are_never_written_over_what_is_there(make_members):
    make_members([0.98])
    with pytest.raises(IcefloeError, match="the folder exists already"):
        make_members([0.98])


def test_a_members_directory_says_what_is_missing(make_members, tmp_path):
    with pytest.raises(IcefloeError, match=r"no members.yaml here. Train members first."):
        MembersDir.load(tmp_path)
    members = make_members([0.98])
    members.weights_path("m0").unlink()
    with pytest.raises(IcefloeError, match=r"m0.safetensors: the file is missing"):
        MembersDir.load(members.path)


def test_validation_probabilities_come_back_to_float16_precision(make_members):
    probability = make_members([0.98]).validation_probabilities("m0")
    assert probability.dtype == np.float32
    np.testing.assert_allclose(np.unique(probability), [0.1, 0.9], atol=5e-4)


def test_an_iou_that_a_trivial_baseline_reaches_is_never_enough(make_members):
    members = make_members([0.98, 0.99, 0.99], val_iou=[0.5, 0.54, 0.6], baselines=BASELINES)
    result = prune(members, PruningRule(keep_best=0))
    assert result.kept == ("m2",)
    assert [receipt.reason for receipt in result.receipts] == [
        "IoU 0.5000 is not above that of Otsu, foreground bright (0.5400)",
        "IoU 0.5400 is not above that of Otsu, foreground bright (0.5400)",
        "IoU 0.6000 is above that of Otsu, foreground bright (0.5400), accuracy 0.9900 is above 0.97",
    ]


def test_the_iou_compared_is_that_over_the_classes_labelled(make_members):
    members = make_members([0.98, 0.98], val_iou=0.4, val_iou_labelled=[0.5, 0.8], baselines=BASELINES)
    result = prune(members, PruningRule(keep_best=0))
    assert result.kept == ("m1",)
    assert [receipt.iou for receipt in result.receipts] == [0.5, 0.8]


def test_accuracy_alone_can_be_left_out(make_members):
    members = make_members([0.8, 0.7], val_iou=[0.7, 0.6], baselines=BASELINES)
    assert prune(members, PruningRule(min_accuracy=0)).provisional == ""


def test_two_thirds_of_all_backgrounds_errors_are_the_papers_97_percent(make_members):
    rule = PruningRule(min_accuracy=0, min_error_reduction=2 / 3, keep_best=0)
    members = make_members([0.968, 0.969, 0.98], baselines=BASELINES)
    result = prune(members, rule)
    assert result.kept == ("m1", "m2")
    assert result.receipts[0].reason == ("it removes 66% of the errors of all background, not more than 67%")
    assert result.receipts[2].error_reduction == pytest.approx(1 - 0.02 / 0.095)


def test_where_a_baseline_makes_no_error_none_can_be_removed(make_members):
    perfect = {"all background": BaselineScore(accuracy=1.0, iou=0.0)}
    result = prune(make_members([1.0, 1.0], baselines=perfect), PruningRule(min_error_reduction=0.5))
    assert "all background makes no error, so there is none to remove" in result.provisional


def test_where_too_few_pass_the_best_by_iou_then_brier_are_kept_and_the_version_is_provisional(make_members):
    members = make_members(
        [0.9652, 0.9658, 0.9739, 0.9],
        val_iou=[0.81, 0.81, 0.85, 0.6],
        val_brier=[0.02, 0.01, 0.03, 0.001],
        baselines=BASELINES,
    )
    result = prune(members, PruningRule())
    assert result.kept == ("m1", "m2")
    assert result.receipts[1].reason == "among the best, although accuracy 0.9658 is not above 0.97"
    assert result.provisional == (
        "Only 1 of 4 members passes the bar (m1: accuracy 0.9658 is not above 0.97), so the best 2 are "
        "kept all the same; more labels or pre-trained weights would settle it."
    )
    assert result.sentence() == f"2 of 4 members are kept: m1, m2. {result.provisional}"
    assert result.to_markdown().startswith(f"**Provisional.** {result.provisional}\n")
    assert PruningResult.model_validate_json(result.model_dump_json()) == result


def test_what_would_settle_it_is_what_the_members_lack(make_members):
    late = make_members([0.9, 0.91], best_epoch=4, pretrained_sha256="3" * 64)
    assert prune(late, PruningRule()).provisional == (
        "None of 2 members passes the bar (m0: accuracy 0.9000 is not above 0.97), so the best 2 are "
        "kept all the same; more labels or longer training would settle it."
    )


def test_enough_members_that_pass_need_no_others(make_members):
    result = prune(make_members([0.98, 0.99, 0.9], val_iou=[0.7, 0.7, 0.9]), PruningRule())
    assert (result.kept, result.provisional) == (("m0", "m1"), "")


def test_a_result_of_an_earlier_version_is_not_provisional(make_members):
    content = prune(make_members([0.98, 0.99]), PruningRule()).model_dump(mode="json")
    del content["provisional"]
    for receipt in content["receipts"]:
        del receipt["baseline_iou"], receipt["error_reduction"]
    assert PruningResult.model_validate(content).provisional == ""


def test_members_of_an_earlier_version_load_without_baselines(make_members):
    members = make_members([0.98], baselines=BASELINES)
    assert members.receipts[0].baselines == BASELINES
    content = members.receipts[0].to_dict()
    del content["baselines"], content["val_iou_labelled"]
    assert MemberReceipt.from_dict(content).baselines == {}


def test_pruning_needs_no_torch_and_no_mlflow():
    check = "import sys, icefloe.training.pruning; assert not {'torch', 'mlflow', 'ray'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)
