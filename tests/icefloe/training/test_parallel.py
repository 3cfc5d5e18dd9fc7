"""Members on Ray: workers and drivers really killed, and the same members in the end."""

import os
import re
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import ray
import safetensors.numpy
from mlflow.tracking import MlflowClient

from icefloe.datasets.splits import Split
from icefloe.ensemble.manifest import Manifest, Member
from icefloe.errors import IcefloeError
from icefloe.files import sha256_file
from icefloe.models.spec import MemberSpec
from icefloe.progress import Silent
from icefloe.training.data import prepare
from icefloe.training.fit import fit_member
from icefloe.training.jobs import Tracking
from icefloe.training.members import MembersDir
from icefloe.training.outcome import is_finished, read_progress
from icefloe.training.parallel import member_folds, member_jobs, train_members
from icefloe.training.previous import PreviousVersion
from icefloe.training.ray_session import start_ray, stop_ray
from icefloe.training.store import open_store

SAME_ON_EVERY_RUN = ("name", "val_loss", "val_pca", "val_iou", "val_brier", "best_epoch", "weights_sha256")


@pytest.fixture(scope="module")
def _running_ray():
    address = start_ray(worker_niceness=1)
    assert ":" in address
    yield
    stop_ray()


def essence(members: MembersDir) -> list[list[object]]:
    return [[getattr(receipt, name) for name in SAME_ON_EVERY_RUN] for receipt in members.receipts]


def only_directory(checkpoints: Path, name: str) -> Path:
    (directory,) = checkpoints.glob(f"{name}-*")
    return directory


def save_ensemble(path: Path, members: MembersDir, config) -> Manifest:
    """An ensemble's directory of all candidates, as `icefloe.ensemble` reads it."""
    path.mkdir()
    for name in members.names:
        shutil.copy(members.weights_path(name), path)
    manifest = Manifest(
        name="EA-T1",
        members=tuple(
            Member(
                spec=MemberSpec(**receipt.spec),
                sha256=receipt.weights_sha256,
                fold=receipt.fold,
                trained_on=receipt.trained_on,
            )
            for receipt in members.receipts
        ),
        preprocessing=config.preprocessing,
        classes=members.classes,
    )
    (path / "ensemble.yaml").write_text(manifest.to_yaml())
    return manifest


@pytest.mark.integration  # Ray takes half a minute to start
@pytest.mark.usefixtures("_running_ray")
def test_workers_are_nicer_than_the_command_by_what_it_says():
    niceness = ray.remote(lambda: os.nice(0))
    assert ray.get(niceness.remote()) == min(os.nice(0) + 1, 19)


class Told(Silent):
    """A progress that calls a function."""

    def __init__(self, advance):
        self.advance = advance


@pytest.mark.integration
@pytest.mark.usefixtures("_running_ray")
def test_killed_workers_interrupted_drivers_and_retraining(
    make_dataset, split, config, tmp_path, monkeypatch
):
    """One sequence, since each step starts from the last one's members and training takes seconds."""
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    dataset = make_dataset()
    config = config.model_copy(update={"epochs": 10, "patience": 10, "views": 4})  # time to be killed in
    first_name = config.members[0].name

    def train(name, checkpoints=None, config=config, **options):
        checkpoints = checkpoints or tmp_path / f"checkpoints-{name}"
        output = tmp_path / name
        return train_members([dataset], split, config, output=output, checkpoints=checkpoints, **options)

    undisturbed = train("undisturbed")
    assert undisturbed.names == tuple(spec.name for spec in config.members)
    assert undisturbed.views == config.views == 4
    assert [len(records) for records in undisturbed.history().values()] == [10, 10]

    # A worker is killed in the middle: its task starts again elsewhere and goes on.
    killed = []

    def kill_once(name, done, total=None, detail=""):
        if not killed and name == first_name:
            directory = only_directory(tmp_path / "checkpoints-killed", name)
            pid, _ = read_progress(open_store(directory))
            assert not is_finished(open_store(directory))
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    survived = train("killed", progress=Told(kill_once))
    assert essence(survived) == essence(undisturbed)
    pid, _ = read_progress(open_store(only_directory(tmp_path / "checkpoints-killed", first_name)))
    assert pid not in (killed[0], os.getpid())

    # The driver is interrupted: nothing is written, checkpoints stay, and the next run goes on from them.
    def interrupt(name, done, total=None, detail=""):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train("interrupted", progress=Told(interrupt))
    assert not (tmp_path / "interrupted").exists()
    assert essence(train("interrupted")) == essence(undisturbed)

    # Finished members are not trained again, but whoever watches is told of them.
    told = []
    again = train(
        "again",
        tmp_path / "checkpoints-interrupted",
        progress=Told(lambda *news: told.append(news)),
        tracking=Tracking(f"sqlite:///{tmp_path / 'mlflow.db'}", "study", (tmp_path / "artifacts").as_uri()),
    )
    assert again.receipts == MembersDir.load(tmp_path / "interrupted").receipts  # their seconds, too
    assert len(told) == 2 * 22  # ten epochs of either, and their ends; each and together
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("study").experiment_id])
    (parent,) = [run for run in runs if run.info.run_name not in undisturbed.names]
    assert re.fullmatch(r"train \d{4}-\d\d-\d\d \d\d:\d\d", parent.info.run_name)
    assert {run.info.run_name for run in runs} == {parent.info.run_name, *undisturbed.names}

    # Retraining starts from the previous version's weights.
    previous = save_ensemble(tmp_path / "EA-T1", undisturbed, config)
    retrained = train("retrained", start_from=tmp_path / "EA-T1", new_keys=["D1/image_0"])
    for receipt, member in zip(retrained.receipts, previous.members, strict=True):
        assert receipt.init_sha256 == member.sha256
        assert receipt.weights_sha256 != member.sha256
        assert (receipt.started_from, receipt.epochs) == ("EA-T1", 1)

    # A candidate that it lacks, as when it was pruned, trains from scratch for as long as in a first version.
    lacking = config.members[0].model_copy(update={"seed": 2})
    more = config.model_copy(update={"members": (*config.members, lacking)})
    grown = train("grown", config=more, start_from=tmp_path / "EA-T1")
    assert grown.names == (*undisturbed.names, lacking.name)
    assert [(r.started_from, r.epochs) for r in grown.receipts] == [("EA-T1", 1), ("EA-T1", 1), (None, 10)]


@pytest.mark.integration
@pytest.mark.usefixtures("_running_ray")
def test_what_a_worker_cannot_do_is_said_in_one_line(make_dataset, split, config, tmp_path):
    missing = tmp_path / "missing.safetensors"
    spec = config.members[0].model_copy(update={"weights": str(missing)})
    with pytest.raises(IcefloeError, match=r"missing.safetensors: no such file.") as error:
        train_members(
            [make_dataset()],
            split,
            config.model_copy(update={"members": (spec,)}),
            output=tmp_path / "members",
            checkpoints=tmp_path / "checkpoints",
        )
    assert "\n" not in str(error.value)
    assert not (tmp_path / "members").exists()


@pytest.mark.integration
@pytest.mark.usefixtures("_running_ray")
def test_simulated_images_made_by_workers_are_those_that_a_member_makes(
    make_dataset, split, config, tmp_path
):
    dataset = make_dataset()
    config = config.model_copy(update={"simulated_share": 0.5})
    told = []
    members = train_members(
        [dataset],
        split,
        config,
        output=tmp_path / "members",
        checkpoints=tmp_path / "checkpoints",
        progress=Told(lambda *news: told.append(news)),
    )
    (data,) = prepare([dataset], split, config.preprocessing)
    alone = fit_member(config.members[0], data, config, tmp_path / "alone")
    assert members.receipts[0].weights_sha256 == alone.weights_sha256
    assert ("Simulating micrographs", 32, 32) in [news[:3] for news in told]


def test_simulated_images_are_refused_for_several_classes(make_dataset, split, config, tmp_path):
    with pytest.raises(IcefloeError, match=r"background, ice, frost\. Set simulated_share: 0"):
        train_members(
            [make_dataset(classes=("background", "ice", "frost"))],
            split,
            config.model_copy(update={"simulated_share": 0.5}),
            output=tmp_path / "members",
            checkpoints=tmp_path / "checkpoints",
        )


def test_an_output_that_holds_something_is_refused_before_anything_is_read(config, split, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(IcefloeError, match="the folder exists already"):
        train_members([], split, config, output=tmp_path, checkpoints=tmp_path / "checkpoints")


def test_a_previous_version_without_any_of_the_members_is_refused(make_dataset, split, config, tmp_path):
    folder = tmp_path / "EA-T1"
    folder.mkdir()
    others = [spec.model_copy(update={"encoder": "resnet18"}) for spec in config.members]
    manifest = Manifest(
        name="EA-T1",
        members=tuple(Member(spec=spec, sha256="0" * 64) for spec in others),
        preprocessing=config.preprocessing,
        classes=("background", "ice"),
    )
    (folder / "ensemble.yaml").write_text(manifest.to_yaml())
    with pytest.raises(IcefloeError, match=r"EA-T1: has none of the members mobilenet_v2-unet-s0, "):
        train_members(
            [make_dataset()],
            split,
            config,
            output=tmp_path / "members",
            checkpoints=tmp_path / "checkpoints",
            start_from=folder,
        )


def test_another_file_of_pretrained_weights_is_another_training(data, config, tmp_path):
    path = tmp_path / "start.safetensors"
    spec = config.members[0].model_copy(update={"weights": str(path)})
    how = config.model_copy(update={"members": (spec,)})
    directories = set()
    for content in (b"one", b"another", b"one"):
        path.write_bytes(content)
        (job,) = member_jobs(how, [data], [data.sha256], {spec.name: None}, tmp_path, None, None)
        directories.add(job.directory)
    assert len(directories) == 2


def manifest_of(config, folds, trained_on=None) -> Manifest:
    return Manifest(
        name="EA-T1",
        members=tuple(
            Member(spec=spec, sha256="0" * 64, fold=fold, trained_on=trained_on)
            for spec, fold in zip(config.members, folds, strict=True)
        ),
        preprocessing=config.preprocessing,
        classes=("background", "ice"),
    )


def test_a_member_keeps_the_fold_of_the_version_that_it_starts_from(config, split, tmp_path):
    folded = Split(train=split.train, validation=(), test=(), folds=((), (), ()), fold_guards=((), (), ()))
    first, second = config.members
    third = first.model_copy(update={"seed": 7})
    (tmp_path / "ensemble.yaml").write_text(manifest_of(config, (2, 1)).to_yaml())
    previous = PreviousVersion.load(tmp_path)

    assert list(member_folds((first, second, third), folded, None).values()) == [0, 1, 2]
    assert member_folds((second, third, first), folded, previous) == {
        second.name: 1,
        third.name: 1,
        first.name: 2,
    }
    assert list(member_folds((first, second), split, previous).values()) == [None, None]


@pytest.mark.integration
@pytest.mark.usefixtures("_running_ray")
def test_members_validate_on_their_own_folds_and_say_what_they_were_trained_on(
    make_dataset, split, config, tmp_path, caplog
):
    dataset = make_dataset()
    keys = (*split.train, *split.validation)
    halves = (keys[::2], keys[1::2])
    folded = Split(train=keys, validation=(), test=(), folds=halves, fold_guards=((), ()))

    def train(name, split, **options):
        output, checkpoints = tmp_path / name, tmp_path / "checkpoints"
        how = config.model_copy(update={"epochs": 1})
        return train_members([dataset], split, how, output=output, checkpoints=checkpoints, **options)

    members = train("folds", folded)
    for receipt, own, others in zip(members.receipts, halves, halves[::-1], strict=True):
        assert members.validation_keys(receipt.name) == own
        assert receipt.trained_on == others
        masks, probabilities = (
            part(receipt.name) for part in (members.validation_masks, members.validation_probabilities)
        )
        assert masks.shape == probabilities.shape == (6, 64, 64)
        found = np.mean((masks == 1) == (probabilities >= 0.5))  # float16 may round at the threshold
        assert found == pytest.approx(receipt.val_pca, abs=5e-3)
    assert [receipt.fold for receipt in members.receipts] == [0, 1]
    assert MembersDir.load(members.path) == members

    # Without folds, what a member was trained on before is not forgotten.
    save_ensemble(tmp_path / "EA-T1", members, config)
    after = train("unfolded", split, start_from=tmp_path / "EA-T1")
    for receipt, others in zip(after.receipts, halves[::-1], strict=True):
        assert receipt.fold is None
        assert set(receipt.trained_on) == {*others, *split.train}
    assert "EA-T1 trained it on 2 of its 4 validation images" in caplog.text


def test_members_that_know_every_validation_image_are_refused_before_they_are_trained(
    make_dataset, split, config, tmp_path
):
    folder = tmp_path / "EA-T1"
    folder.mkdir()
    keys = (*split.train, *split.validation)
    (folder / "ensemble.yaml").write_text(manifest_of(config, (None, None), keys).to_yaml())
    for member in config.members:
        safetensors.numpy.save_file({}, folder / f"{member.name}.safetensors")
    digest = sha256_file(folder / f"{config.members[0].name}.safetensors")
    text = (folder / "ensemble.yaml").read_text()
    (folder / "ensemble.yaml").write_text(text.replace("0" * 64, digest))
    with pytest.raises(
        IcefloeError, match=r"EA-T1: its members were trained on all images.*Set split\.folds"
    ):
        train_members(
            [make_dataset()],
            split,
            config,
            output=tmp_path / "members",
            checkpoints=tmp_path / "checkpoints",
            start_from=folder,
        )
