"""Versions trained on folds, evaluated beside each other on images that are new to both."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import tifffile

from icefloe.datasets.bundle import BUNDLE_FILE
from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.labels import write_mask
from icefloe.datasets.splits import Split
from icefloe.datasets.versions import DataVersion
from icefloe.ensemble.ensemble import Ensemble
from icefloe.errors import IcefloeError
from icefloe.workflow.evaluation import evaluate_version

KEYS = tuple(f"D1/s{index}" for index in range(6))
SPLIT = Split(train=KEYS[:5], validation=(), test=KEYS[5:], folds=(KEYS[:2], KEYS[2:5]), fold_guards=((), ()))


@pytest.fixture
def data(tmp_path, samples, rng):
    """A bundle of six disks."""
    folder = tmp_path / "data"
    (folder / "D1" / "images").mkdir(parents=True)
    for index in range(6):
        sample = samples[index % 4]
        noisy = sample.pixels + rng.normal(0, 5, sample.pixels.shape)
        tifffile.imwrite(folder / "D1" / "images" / f"s{index}.tif", noisy.astype(np.float32))
        write_mask(folder / "D1" / "masks" / f"s{index}.png", sample.label)
    DatasetInfo(name="D1", experiment="D1").save(folder / "D1")
    content = {"version": asdict(DataVersion("rev", "md5")), "split": SPLIT.to_dict(), "twins": []}
    (folder / BUNDLE_FILE).write_text(json.dumps(content))
    return folder


@pytest.fixture
def save(ensemble, member_weights, tmp_path):
    """Save a version whose members have these folds, and were trained on these images."""

    def make(name, *members):
        told = tuple(
            member.model_copy(update={"fold": fold, "trained_on": keys})
            for member, (fold, keys) in zip(ensemble.manifest.members, members, strict=True)
        )
        manifest = ensemble.manifest.model_copy(update={"members": told, "name": name})
        Ensemble(manifest, member_weights(2), device="cpu").save(tmp_path / name)
        return tmp_path / name

    return make


def counts(evaluation):
    return {f"{image.dataset}/{image.stem}": image.n_members for image in evaluation.images}


def test_every_labelled_image_of_a_first_version_is_judged_by_the_members_that_did_not_see_it(
    save, data, tmp_path
):
    first = save("EA-T1", (0, KEYS[2:5]), (1, KEYS[:2]))
    found = evaluate_version(first, data, tmp_path / "found")
    assert counts(found.evaluation) == dict.fromkeys(KEYS[:5], 1) | {KEYS[5]: 2}
    assert "5 of the 6 images are judged by 1 of the 2 members" in found.to_markdown()


def test_a_champion_judges_images_labelled_since_by_the_same_fold(save, data, tmp_path):
    champion = save("EA-T1", (0, KEYS[2:4]), (1, KEYS[:1]))  # without D1/s1 and D1/s4
    challenger = save("EA-T2", (0, KEYS[2:5]), (1, KEYS[:2]))
    found = evaluate_version(challenger, data, tmp_path / "found", champion)
    assert counts(found.champion) == counts(found.evaluation) == dict.fromkeys(KEYS[:5], 1) | {KEYS[5]: 2}


def test_images_that_one_of_the_two_cannot_judge_are_left_out_of_both(save, data, tmp_path):
    champion = save("EA-T1", (None, KEYS[:3]), (None, KEYS[:3]))  # without folds
    challenger = save("EA-T2", (0, KEYS[2:5]), (1, KEYS[:2]))
    found = evaluate_version(challenger, data, tmp_path / "found", champion)
    assert counts(found.evaluation) == {KEYS[3]: 1, KEYS[4]: 1, KEYS[5]: 2}
    assert counts(found.champion) == dict.fromkeys(KEYS[3:], 2)


def test_a_champion_that_does_not_say_what_it_was_trained_on_judges_test_images(save, data, tmp_path):
    champion = save("EA-T1", (None, None), (None, None))
    challenger = save("EA-T2", (0, KEYS[2:5]), (1, KEYS[:2]))
    found = evaluate_version(challenger, data, tmp_path / "found", champion)
    assert counts(found.champion) == {KEYS[5]: 2}


def test_images_whose_judges_were_pruned_are_counted(save, data, tmp_path):
    pruned = save("EA-T1", (0, KEYS[2:5]), (2, KEYS[2:5]))  # the member of fold 1 is gone
    found = evaluate_version(pruned, data, tmp_path / "found")
    assert counts(found.evaluation) == {KEYS[0]: 1, KEYS[1]: 1, KEYS[5]: 2}
    assert "Left out: 3 labelled images that every member kept was trained on." in found.to_markdown()


def test_nothing_new_to_both_is_refused(save, data, tmp_path):
    champion = save("EA-T1", (None, KEYS), (None, KEYS))
    challenger = save("EA-T2", (0, KEYS[2:5]), (1, KEYS[:2]))
    with pytest.raises(IcefloeError, match="No labelled image is new to EA-T2 and to EA-T1"):
        evaluate_version(challenger, data, tmp_path / "found", champion)
