"""A challenger is judged once, and promoted only past the champion that it was judged against."""

from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
from safetensors.numpy import save_file

from icefloe.datasets.bundle import Bundle
from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.labels import write_mask
from icefloe.datasets.splits import SplitConfig
from icefloe.datasets.versions import commit, init_workspace
from icefloe.ensemble.manifest import Manifest, Member, Provenance
from icefloe.errors import IcefloeError
from icefloe.evaluation.rule import PromotionRule
from icefloe.files import sha256_file
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.registry.description import origin
from icefloe.registry.lineage import Lineage
from icefloe.registry.registry import Registry
from icefloe.registry.submission import Submission, describe_lineage, submit
from tests.stores import new_store

RULE = PromotionRule(n_resamples=1000)
STUDIES = count()
SPECS = (MemberSpec(encoder="mobilenet_v2"), MemberSpec(encoder="resnet18"))
SCORES = {"D1": (0.95, 12)}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One SQLite store for the module; each test has its own study."""
    folder = tmp_path_factory.mktemp("mlflow")
    return {"tracking_uri": new_store(folder), "artifact_uri": (folder / "files").as_uri()}


@pytest.fixture
def registry(store):
    return Registry(SimpleNamespace(**store, registered_model=f"study-{next(STUDIES)}", experiment="icefloe"))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Eight labelled images, and two data versions of them."""
    folder = tmp_path_factory.mktemp("workspace")
    init_workspace(folder, "presets: {}\n")
    add_dataset(folder, "D1")
    commit(folder, "D1")
    return folder


def add_dataset(workspace, name):
    folder = workspace / "data" / name
    (folder / "images").mkdir(parents=True)
    rng = np.random.default_rng(len(name))
    for index in range(8):
        image = rng.integers(0, 60_000, (32, 32)).astype(np.uint16)
        tifffile.imwrite(folder / "images" / f"stack_{index}.tif", image)
        write_mask(folder / "masks" / f"stack_{index}.png", (image > 30_000).astype(np.uint8))
    DatasetInfo(name=name, experiment=name).save(folder)


@pytest.fixture
def bundle(workspace, tmp_path):
    return Bundle.make(workspace, [], SplitConfig(guard_frames=0), tmp_path / "bundle")


@pytest.fixture
def save_ensemble(tmp_path):
    """A directory with a true manifest; the registry reads the weights' bytes, not networks."""

    def save(seed, specs=SPECS, parent=None, split=None):
        folder = tmp_path / f"ensemble-{seed}"
        folder.mkdir()
        rng = np.random.default_rng(seed)
        members = []
        for position, spec in enumerate(specs):
            path = folder / f"{spec.name}.safetensors"
            save_file({"w": rng.normal(size=4).astype(np.float32)}, path)
            told = {"fold": position, "trained_on": split.of_member(position)[0]} if split else {}
            members.append(Member(spec=spec, sha256=sha256_file(path), **told))
        manifest = Manifest(
            name="challenger",
            members=tuple(members),
            preprocessing=Preprocessing(size=64),
            classes=("background", "ice"),
            provenance=Provenance(git_sha="c0de", parent=parent),
        )
        (folder / "ensemble.yaml").write_text(manifest.to_yaml())
        return folder

    return save


def receipts(hashes):
    return [SimpleNamespace(name=name, init_sha256=digest) for name, digest in hashes.items()]


@pytest.fixture
def first(registry, bundle, save_ensemble, evaluation_of):
    """EA-T1, judged and promoted."""
    folder = save_ensemble(1)
    lineage = describe_lineage(registry, folder, bundle, [], {"seed": 3}, parent=None)
    return submit(registry, folder, lineage, evaluation_of(SCORES), RULE)


def test_a_first_version_better_than_the_baselines_becomes_champion(registry, first):
    assert first.promoted
    shown = first.report.comparisons[0].interval.text(signed=True)
    assert first.sentence() == f"EA-T1 is the champion: Dice on D1 is above that of Otsu ({shown})."
    assert registry.champion().name == "EA-T1"


def test_the_lineage_names_data_images_and_seeds(registry, bundle, first):
    lineage = registry.show("EA-T1").lineage

    assert (lineage.data.rev, lineage.data.md5) == (bundle.version.rev, bundle.version.md5)
    assert lineage.keys("train") == list(bundle.split.train)
    assert lineage.keys("validation") == list(bundle.split.validation)
    assert lineage.seeds == {"training": 3, "mobilenet_v2-unet-s0": 0, "resnet18-unet-s0": 0}
    assert (lineage.parent, lineage.start_sha256) == (None, {})


def test_a_version_is_judged_only_once(registry, bundle, save_ensemble, evaluation_of, first, tmp_path):
    """Also when the pipeline is run again after its successor was promoted, with other scores."""
    weights = registry.show("EA-T1").lineage.weights_sha256
    better = save_ensemble(2, parent="EA-T1")
    lineage = describe_lineage(registry, better, bundle, receipts(weights), {}, parent="EA-T1")
    second = submit(
        registry,
        better,
        lineage,
        evaluation_of({"D1": (0.97, 12)}),
        RULE,
        champion=("EA-T1", evaluation_of(SCORES)),
    )
    assert second.promoted
    gain = second.report.gains["D1"].text(signed=True)
    assert second.to_markdown() == f"{second.sentence()}\n\n{second.report.details()}"
    assert second.sentence() == (
        f"EA-T2 is the champion, replacing EA-T1: Dice on D1 is higher ({gain}), "
        "and no dataset is worse by more than its margin."
    )

    folder = tmp_path / "ensemble-1"
    lineage = describe_lineage(registry, folder, bundle, [], {"seed": 3}, parent=None)
    again = submit(registry, folder, lineage, evaluation_of({"D1": (0.1, 12)}), RULE)

    assert again.version.name == "EA-T1"
    assert again.report == first.report
    assert not again.promoted
    assert again.sentence() == (
        "EA-T1 passed against the trivial baselines, but the champion is EA-T2. "
        "Retrain from the champion to replace it."
    )
    assert registry.champion().name == "EA-T2"
    assert len(registry.history()) == 2


def test_a_challenger_that_is_worse_is_registered_and_not_promoted(
    registry, bundle, save_ensemble, evaluation_of, first
):
    weights = registry.show("EA-T1").lineage.weights_sha256
    folder = save_ensemble(2, parent="EA-T1")
    lineage = describe_lineage(registry, folder, bundle, receipts(weights), {}, parent="EA-T1")
    outcome = submit(
        registry,
        folder,
        lineage,
        evaluation_of({"D1": (0.80, 12)}),
        RULE,
        champion=("EA-T1", evaluation_of(SCORES)),
    )

    assert (outcome.version.name, outcome.report.verdict, outcome.promoted) == ("EA-T2", "fail", False)
    assert outcome.report.champion == "EA-T1"
    shown = outcome.report.comparisons[0].interval.text(signed=True)
    assert outcome.sentence() == (
        f"EA-T2 stays a challenger: Dice on D1 is worse by more than 0.02 ({shown}). "
        "Label more of D1 and retrain."
    )
    assert Submission.model_validate_json(outcome.model_dump_json()) == outcome
    assert outcome.table() == outcome.report.table()
    assert outcome.to_markdown() == outcome.report.to_markdown()
    assert registry.champion().name == "EA-T1"
    assert registry.get("challenger").name == "EA-T2"


def test_training_anew_from_scratch_does_not_unseat_a_champion_it_was_never_compared_with(
    registry, bundle, save_ensemble, evaluation_of, first
):
    folder = save_ensemble(2)
    lineage = describe_lineage(registry, folder, bundle, [], {"seed": 4}, parent=None)
    outcome = submit(registry, folder, lineage, evaluation_of(SCORES), RULE)

    assert (outcome.report.verdict, outcome.promoted) == ("pass", False)
    assert outcome.sentence() == (
        "EA-T2 passed against the trivial baselines, but the champion is EA-T1. "
        "Retrain from the champion to replace it."
    )
    assert registry.champion().name == "EA-T1"


def test_only_members_that_the_parent_has_are_said_to_start_from_it(registry, bundle, save_ensemble, first):
    folder = save_ensemble(2, specs=(SPECS[0], MemberSpec(encoder="efficientnet-b0")), parent="EA-T1")
    weights = registry.show("EA-T1").lineage.weights_sha256
    candidates = receipts({**weights, "efficientnet-b0-unet-s0": "0" * 64})
    lineage = describe_lineage(registry, folder, bundle, candidates, {}, parent="EA-T1")

    assert lineage.start_sha256 == {"mobilenet_v2-unet-s0": weights["mobilenet_v2-unet-s0"]}
    assert lineage.parent.name == "EA-T1"
    assert lineage.parent.data.md5 == bundle.version.md5


def test_a_challenger_that_did_not_start_from_its_parents_weights_is_refused(
    registry, bundle, save_ensemble, evaluation_of, first
):
    folder = save_ensemble(2, parent="EA-T1")
    other = receipts(dict.fromkeys(registry.show("EA-T1").lineage.weights_sha256, "0" * 64))
    lineage = describe_lineage(registry, folder, bundle, other, {}, parent="EA-T1")

    with pytest.raises(IcefloeError, match="are not those of EA-T1"):
        submit(
            registry, folder, lineage, evaluation_of(SCORES), RULE, champion=("EA-T1", evaluation_of(SCORES))
        )
    assert [version.name for version in registry.list()] == ["EA-T1"]


FOLDS = SplitConfig(guard_frames=0, folds=2)


@pytest.fixture
def folded(workspace, save_ensemble, registry, tmp_path):
    """A bundle with folds, and the lineage of an ensemble trained on them."""
    bundle = Bundle.make(workspace, [], FOLDS, tmp_path / "folds")
    folder = save_ensemble(9, split=bundle.split)
    return bundle, folder, describe_lineage(registry, folder, bundle, [], {}, parent=None)


def judged_by(evaluation, keys, n_members):
    """The evaluation with its images named by keys."""
    images = tuple(
        image.model_copy(
            update={"stem": key.split("/")[1], "n_members": n_members, "n_left_out": 2 - n_members}
        )
        for image, key in zip(evaluation.images, keys, strict=True)
    )
    return evaluation.model_copy(update={"images": images})


def test_the_lineage_says_which_member_was_trained_on_which_image(folded):
    bundle, _, lineage = folded
    split = bundle.split
    names = [spec.name for spec in SPECS]
    assert lineage.folds == dict(zip(names, (0, 1), strict=True))
    assert lineage.trained_on == dict(zip(names, split.folds[::-1], strict=True))
    assert {image.key: (image.role, image.place) for image in lineage.images} == {
        key: ("fold", f"fold {fold}") for key, fold in split.fold_of.items()
    }
    assert lineage.keys("fold") == lineage.keys() == [*split.folds[0], *split.folds[1]]
    assert "6 in 2 folds, each kept from some members" in origin(lineage)
    assert Lineage.model_validate_json(lineage.model_dump_json()) == lineage


def test_images_of_folds_may_be_judged_by_the_members_not_trained_on_them(registry, folded, evaluation_of):
    bundle, folder, lineage = folded
    keys = [*bundle.split.fold_of, *bundle.split.test]
    version = submit(registry, folder, lineage, judged_by(evaluation_of({"D1": (0.95, 8)}), keys, 1), RULE)
    sections = registry.show(version.version.name).sections()
    assert "fold 1" in sections["Images and labels"].markdown()
    assert "not trained on" in sections["Members"].markdown()


def test_images_of_folds_judged_by_members_trained_on_them_are_refused(registry, folded, evaluation_of):
    bundle, folder, lineage = folded
    keys = list(bundle.split.fold_of)
    for n_members in (2, None):
        evaluation = judged_by(evaluation_of({"D1": (0.95, 6)}), keys, 1)
        images = tuple(image.model_copy(update={"n_members": n_members}) for image in evaluation.images)
        with pytest.raises(IcefloeError, match=r"evaluated on an image it was trained on \(6 such images\)"):
            registry.register(folder, lineage, evaluation.model_copy(update={"images": images}))


def test_a_lineage_of_before_there_were_folds_loads_and_still_refuses_training_images(
    registry, bundle, save_ensemble, evaluation_of
):
    folder = save_ensemble(8)
    lineage = describe_lineage(registry, folder, bundle, [], {}, parent=None)
    content = lineage.model_dump()
    del content["folds"], content["trained_on"]
    for image in content["images"]:
        del image["fold"]
    old = Lineage.model_validate(content)
    assert old == lineage
    evaluation = judged_by(evaluation_of({"D1": (0.95, 1)}), bundle.split.train[:1], 1)
    with pytest.raises(IcefloeError, match="evaluated on an image it was trained on"):
        registry.register(folder, old, evaluation)
