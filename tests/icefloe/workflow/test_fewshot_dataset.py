"""Classified chips as a dataset of weak labels: masks, provenance, and what is refused."""

import tempfile

import numpy as np
import pytest
import tifffile

from icefloe.datasets.dataset import load_datasets
from icefloe.datasets.label_history import label_batches, read_history
from icefloe.datasets.readers import read_mask
from icefloe.errors import IcefloeError
from icefloe.fewshot.session import Session
from icefloe.fewshot.source import read_picture
from icefloe.files import sha256_file
from icefloe.settings import load_settings
from icefloe.typing import IGNORE
from icefloe.workflow.fewshot_begin import begin_session, fitted
from icefloe.workflow.fewshot_dataset import label_weakly


@pytest.fixture
def images(tmp_path, save_texture):
    """The session's, and two more of a series."""
    paths = [tmp_path / f"series/t{number}.tif" for number in range(3)]
    for number, path in enumerate(paths):
        save_texture(path, 48 + 16 * number, seed=number)
    return paths


@pytest.fixture
def session(images, session_of, tmp_path):
    return session_of(images[0], tmp_path / "series/t0.session.json")


def test_chip_classes_are_weak_masks_and_say_whose_they_are(workspace_settings, images, session):
    before = [path.read_bytes() for path in images]
    made = label_weakly(workspace_settings, [session], "D7", images[1:], author="ada", licence="CC0-1.0")

    dataset = load_datasets(workspace_settings.data)["D7"]
    assert dataset.info.classes == ["blobs", "stripes"]
    assert dataset.info.licence == "CC0-1.0"
    assert dataset.info.source == (
        "weak labels by few-shot classification of chips: t0.session.json "
        f"(SHA-256 {sha256_file(session)}), supports of t0.tif, chips of 16 px"
    )
    assert dataset.info.notes.startswith("Labels are weak: nobody drew them.")
    assert [sample.image_path.read_bytes() for sample in dataset.samples] == before
    model = fitted(workspace_settings, begin_session(session, ()))
    ignored = []
    for path, sample in zip(images, dataset.samples, strict=True):
        result = model.classify(read_picture(path))
        mask = sample.mask()
        np.testing.assert_array_equal(mask, result.mask())
        assert (mask[96:] == IGNORE).all()
        assert (mask[:, 96:] == IGNORE).all()
        assert (mask == IGNORE).sum() == 100 * 100 - 96 * 96 + len(result.unsure) * 16 * 16
        assert {0, 1} <= set(np.unique(mask))
        ignored.append(np.mean(mask == IGNORE))
    assert made.ignored == pytest.approx(np.mean(ignored))
    assert made.sentence().startswith("D7: 3 images with weak labels (blobs, stripes); ")

    history = read_history(dataset.path)
    assert [(record.stem, record.author, record.source) for record in history] == [
        (f"t{number}", "ada", "few-shot") for number in range(3)
    ]
    origin = history[1].making.origin
    assert origin.presegmentation == sha256_file(dataset.samples[1].mask_path)
    assert origin.predicted_by == f"few-shot t0.session.json {sha256_file(session)[:12]}"
    assert len(label_batches(dataset)) == 1  # they came together, which a split goes by


def test_another_set_becomes_class_0_and_its_pixels_follow(workspace_settings, images, session):
    label_weakly(workspace_settings, [session], "A")
    label_weakly(workspace_settings, [session], "B", background="stripes")
    first, second = (load_datasets(workspace_settings.data)[name] for name in "AB")
    assert second.info.classes == ["stripes", "blobs"]
    one, other = (read_mask(dataset.samples[0].mask_path) for dataset in (first, second))
    np.testing.assert_array_equal(other, np.where(one == IGNORE, IGNORE, 1 - one))


def test_several_sessions_label_their_own_images_in_one_order_of_classes(
    workspace_settings, images, session, session_of, tmp_path, save_texture
):
    stack = tmp_path / "series/stack.tif"
    tifffile.imwrite(stack, np.stack([tifffile.imread(images[2]), tifffile.imread(images[1])]))
    of_frame = tmp_path / "series/stack.session.json"
    swapped = Session.load(session_of(images[1], of_frame, ("stripes", "blobs")))
    reference = read_picture(stack, 1).reference
    swapped.model_copy(update={"image": reference, "sets": swapped.sets}).save(of_frame)

    made = label_weakly(workspace_settings, [session, of_frame], "D8")
    assert made.dataset.info.classes == ["blobs", "stripes"]
    assert made.dataset.info.converted == {"stack": "stack.tif, frame 1, to TIFF float32"}
    by_stem = {sample.stem: sample for sample in made.dataset.samples}
    assert set(by_stem) == {"stack", "t0"}
    np.testing.assert_array_equal(by_stem["stack"].image(), tifffile.imread(images[1]).astype(np.float32))
    # Its sets are swapped, names and supports, so right of the boundary there is what t0 calls stripes.
    mask = by_stem["stack"].mask()
    assert np.mean(mask[:96, 80:96][mask[:96, 80:96] != IGNORE]) > 0.9


def test_what_cannot_become_a_dataset_leaves_nothing_behind(
    workspace_settings, images, session, session_of, tmp_path
):
    def refusal(*arguments, **options):
        with pytest.raises(IcefloeError) as error:
            label_weakly(workspace_settings, *arguments, **options)
        return str(error.value)

    other = session_of(images[1], tmp_path / "series/t1.session.json", ("blobs", "lines"))
    assert refusal([session, other], "D7") == (
        "t1.tif: its sets are blobs, lines, those of t0.tif blobs, stripes. "
        "Name the sets of all sessions alike."
    )
    third = session_of(images[1], tmp_path / "series/t1.session.json")
    assert "an image of no session, and 2 sessions could classify it" in refusal(
        [session, third], "D7", [images[2]]
    )
    assert "its results would overwrite those of" in refusal([session, session], "D7")
    assert "ice: no such set. There are blobs, stripes." in refusal([session], "D7", background="ice")
    assert "../D7" in refusal([session], "../D7")
    assert "no such file" in refusal([session], "D7", [tmp_path / "absent.tif"])
    assert "No session (.json) is named" in refusal([], "D7", images)
    assert list(workspace_settings.data.iterdir()) == []
    label_weakly(workspace_settings, [session], "D7")
    assert "there is a dataset of this name" in refusal([session], "d7")


def test_an_image_whose_chips_are_all_unsure_gets_no_label(workspace_settings, session):
    strict = Session.load(session)
    strict.with_rule(strict.rule.model_copy(update={"max_risk": 0.0})).save(session)
    made = label_weakly(workspace_settings, [session], "D7")
    assert [sample.is_labelled for sample in made.dataset.samples] == [False]
    assert made.ignored == 1
    assert "t0: every chip is unsure, so it has no label." in made.notes
    assert read_history(made.dataset.path) == ()


def test_a_session_is_fitted_in_a_pod_that_has_no_workspace(
    session, workspace_settings, tmp_path, monkeypatch
):
    begun = begin_session(session, ())
    here = fitted(workspace_settings, begun)
    pod = tmp_path / "pod"
    pod.mkdir()
    monkeypatch.chdir(pod)
    monkeypatch.setattr(tempfile, "tempdir", str(pod))
    values = {
        "DATA_REPO": "git://host/study.git",
        "TRACKING_URI": "http://host",
        "CHECKPOINTS": "s3://bucket/x",
    }
    for name, value in {"PROFILE": "cluster", **values}.items():
        monkeypatch.setenv(f"ICEFLOE_{name}", value)

    there = fitted(load_settings(), begun)

    picture = begun.picture
    assert there.classify(picture) == here.classify(picture)
    assert (pod / "fewshot").is_dir()
