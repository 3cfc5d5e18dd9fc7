"""Checkpoints in a folder or on S3: the same behaviour, and the same weights in the end."""

import numpy as np
import pytest
import safetensors.numpy

from icefloe.errors import ConflictError, IcefloeError
from icefloe.training import fit
from icefloe.training.fit import fit_member
from icefloe.training.outcome import read_outcome, read_progress
from icefloe.training.store import below, open_store
from tests.s3_faults import faulty_store


@pytest.fixture(params=["folder", "s3"])
def place(request, tmp_path):
    """Where checkpoints are to be."""
    if request.param == "folder":
        return tmp_path / "checkpoints"
    return f"s3://{request.getfixturevalue('bucket').name}/checkpoints"


class Killed(BaseException):
    """Ends a training, as a signal would."""


def killed_in(epoch: int, monkeypatch) -> None:
    write = fit.write_progress

    def write_then_die(store, records):
        write(store, records)
        if len(records) == epoch:
            raise Killed

    monkeypatch.setattr(fit, "write_progress", write_then_die)


def test_a_file_is_read_as_it_was_written_last(place):
    store, reader = open_store(place), open_store(place)
    assert reader.local("a") is None
    for content in (b"one", b"another", b""):
        store.write("a", content)
        assert reader.exists("a")
        assert reader.local("a").read_bytes() == content
    assert store.address("a") == f"{place}/a"
    reader.remove("a")
    reader.remove("a")
    assert not store.exists("a")


def test_a_place_below_another_is_one_of_the_same_kind(place):
    open_store(below(place, "member")).write("a", b"1")
    assert open_store(f"{place}/member").local("a").read_bytes() == b"1"


def test_on_s3_a_file_that_another_process_wrote_meanwhile_is_not_replaced(bucket):
    first, second = (open_store(f"s3://{bucket.name}/checkpoints") for _ in range(2))
    first.write("state", b"1")
    second.local("state")
    first.write("state", b"2")
    with pytest.raises(ConflictError, match="somebody else has written"):
        second.write("state", b"3")
    assert second.local("state").read_bytes() == b"2"
    second.write("state", b"4")
    assert first.local("state").read_bytes() == b"4"


def test_a_resumed_member_ends_with_the_weights_of_an_uninterrupted_one(
    place, spec, data, config, tmp_path, monkeypatch
):
    """As on another node: what the first has copied there is not used."""
    fit_member(spec, data, config, tmp_path / "undisturbed")
    with monkeypatch.context() as patch:
        killed_in(2, patch)
        with pytest.raises(Killed):
            fit_member(spec, data, config, place)
    before = read_progress(open_store(place))[1]
    receipt = fit_member(spec, data, config, place)
    assert (receipt.epochs, len(before)) == (3, 2)
    assert read_progress(open_store(place))[1][0] == before[0]  # its seconds, too: not run again
    found, expected = (
        safetensors.numpy.load_file(read_outcome(open_store(where)).weights)
        for where in (place, tmp_path / "undisturbed")
    )
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_who_is_asked_to_end_saves_the_last_epoch_first(
    place, spec, data, config, tmp_path, monkeypatch, ending
):
    """Where checkpoints take long, not every epoch has one."""
    train, n_epochs = fit._Fit._train, []

    def ended_in_the_third(self, epoch):
        if epoch == 3:
            raise ending
        n_epochs.append(epoch)
        return train(self, epoch)

    with monkeypatch.context() as patch:
        patch.setattr(fit, "CHECKPOINT_SHARE", -1.0)
        patch.setattr(fit._Fit, "_train", ended_in_the_third)
        with pytest.raises(ending):
            fit_member(spec, data, config, place)
        assert n_epochs == [1, 2]
        assert open_store(place).exists("state.safetensors")
        with pytest.raises(ending):
            fit_member(spec, data, config, place)
    assert n_epochs == [1, 2]
    undisturbed = fit_member(spec, data, config, tmp_path / "undisturbed")
    assert fit_member(spec, data, config, place).weights_sha256 == undisturbed.weights_sha256


def test_two_processes_that_train_the_same_member_end_with_one_result(
    bucket, spec, data, config, monkeypatch
):
    """A node that was taken for dead goes on beside the one in its place."""
    place, write, others = f"s3://{bucket.name}/member", fit.write_progress, []

    def write_beside_another(store, records):
        if len(records) == 2 and not others:
            others.append(None)
            others.append(fit_member(spec, data, config, place))
        write(store, records)

    monkeypatch.setattr(fit, "write_progress", write_beside_another)
    receipt = fit_member(spec, data, config, place)
    assert receipt == others[1]
    assert len(read_progress(open_store(place))[1]) == 3


@pytest.mark.integration  # waits for a store that does not answer
@pytest.mark.parametrize("fault", ["busy", "short", "wrong", "lost", "unheard"])
def test_a_store_that_fails_for_a_moment_changes_nothing(
    fault, bucket, s3_address, spec, data, config, tmp_path, monkeypatch
):
    undisturbed = fit_member(spec, data, config, tmp_path / "undisturbed")
    with faulty_store(s3_address) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        proxy.fail(fault, 2, lambda method, path: "state.safetensors" in path and method in ("GET", "PUT"))
        with monkeypatch.context() as patch:
            killed_in(2, patch)
            with pytest.raises(Killed):
                fit_member(spec, data, config, f"s3://{bucket.name}/member")
        found = fit_member(spec, data, config, f"s3://{bucket.name}/member")
    assert found.weights_sha256 == undisturbed.weights_sha256


def test_expired_credentials_and_a_missing_bucket_are_told_in_one_line(
    bucket, s3_address, spec, data, config, monkeypatch
):
    with pytest.raises(IcefloeError, match="there is no such bucket") as missing:
        fit_member(spec, data, config, "s3://no-such-bucket/member")
    with faulty_store(s3_address) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.address)
        proxy.fail("expired", 99, lambda method, path: method == "PUT")
        with pytest.raises(IcefloeError, match="the credentials have expired") as expired:
            fit_member(spec, data, config, f"s3://{bucket.name}/member")
    assert "\n" not in f"{missing.value}{expired.value}"
    assert not list(bucket.objects.all())
