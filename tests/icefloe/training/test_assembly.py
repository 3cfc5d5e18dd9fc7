from dataclasses import replace

import numpy as np
import pytest
from safetensors.torch import save_file

from icefloe.datasets.bundle import Bundle
from icefloe.datasets.splits import Split
from icefloe.datasets.versions import DataVersion
from icefloe.models.zoo import build
from icefloe.training.assembly import assemble_kept
from icefloe.training.members import TrainedMember, save_members
from icefloe.training.records import MemberReceipt


@pytest.fixture
def bundle(make_dataset, split, tmp_path):
    dataset = make_dataset()
    return Bundle(tmp_path / "data", DataVersion("rev", "md5"), {dataset.name: dataset}, split)


@pytest.fixture
def make_members(bundle, config, tmp_path):
    """A directory of untrained members; keywords go to `members.yaml`."""

    def make(split=bundle.split, **entries):
        trained = []
        for fold, spec in enumerate(config.members):
            weights = tmp_path / f"{spec.name}.weights"
            save_file(build(spec, 2).state_dict(), weights)
            scores = dict.fromkeys(
                ("val_pca", "val_iou", "val_dice", "val_brier", "val_ece", "val_loss"), 0.5
            )
            receipt = MemberReceipt(
                **{"name": spec.name, "spec": spec.model_dump(mode="json"), "best_epoch": 1, "epochs": 1},
                **{"seconds": 1.0, "n_parameters": 1, "started_from": None, "init_sha256": "", "threads": 1},
                **{"weights_sha256": "", "device": "cpu", "precision": "fp32", **scores},
                fold=fold if split.folds else None,
                trained_on=split.of_member(fold)[0],
            )
            trained.append(TrainedMember(receipt, (), np.zeros((4, 64, 64), np.float32), weights))
        description = {
            "classes": ["background", "ice"],
            "preprocessing": config.preprocessing.model_dump(mode="json"),
            "data_sha256": "2" * 64,
            "train": list(bundle.split.train),
            "validation": list(bundle.split.validation),
        }
        return save_members(
            tmp_path / "members", trained, description | entries, [np.zeros((4, 64, 64), np.uint8)]
        )

    return make


def test_an_ensemble_looks_at_images_from_as_many_sides_as_its_members_were_judged_by(make_members, bundle):
    members = make_members(views=4)
    ensemble = assemble_kept(members, members.names, bundle)
    assert ensemble.manifest.views == 4
    image = bundle.only.samples[0].image()
    np.testing.assert_allclose(
        ensemble.predict_image(image[::-1]).mean, ensemble.predict_image(image).mean[::-1], atol=1e-4
    )


def test_members_of_before_there_were_views_are_assembled_with_one(make_members, bundle):
    members = make_members()
    assert assemble_kept(members, members.names, bundle).manifest.views == 1


@pytest.fixture
def folded(bundle):
    """The same images, all of them in two folds."""
    keys = (*bundle.split.train, *bundle.split.validation)
    split = Split(train=keys, validation=(), test=(), folds=(keys[::2], keys[1::2]), fold_guards=((), ()))
    return replace(bundle, split=split)


def test_members_of_folds_are_calibrated_on_all_images_and_say_what_they_were_trained_on(
    make_members, folded
):
    members = make_members(split=folded.split)
    manifest = assemble_kept(members, members.names, folded).manifest
    assert manifest.calibration.n_images == 12
    assert [member.fold for member in manifest.members] == [0, 1]
    assert [member.trained_on for member in manifest.members] == list(folded.split.folds[::-1])


def test_where_no_image_is_new_to_all_members_the_benchmark_is_of_the_folds_and_it_is_said(
    make_members, folded, caplog
):
    members = make_members(split=folded.split)
    manifest = assemble_kept(members, members.names, folded).manifest
    assert {row.key for row in manifest.benchmark} == set(folded.split.train) == manifest.trained_on
    assert "No image is new to all members" in caplog.text


def test_images_that_no_member_was_trained_on_are_the_benchmark(make_members, folded, caplog):
    first, *rest = folded.split.folds[0]
    split = replace(
        folded.split,
        train=tuple(key for key in folded.split.train if key != first),
        test=(first,),
        folds=(tuple(rest), folded.split.folds[1]),
    )
    tested = replace(folded, split=split)
    members = make_members(split=split)
    manifest = assemble_kept(members, members.names, tested).manifest
    assert [row.key for row in manifest.benchmark] == [first]
    assert not caplog.text
