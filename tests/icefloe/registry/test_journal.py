"""Where promotions are kept: files, also on S3; by processes at once, across kills, and from old tags."""

import json
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace

import boto3
import pytest
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from moto.server import ThreadedMotoServer

from icefloe.errors import IcefloeError
from icefloe.registry.history import HistoryEntry, time_after
from icefloe.registry.journal import Journal
from icefloe.registry.registry import Registry
from icefloe.registry.store import VersionStore


def entry(n, champion="EA-T1", **changes):
    content = {
        "action": "promote",
        "champion": champion,
        "replaced": None,
        "by": "ada",
        "at": f"2026-01-01T00:00:00.{n:06d}Z",
        "reason": "because",
        "verdict": "pass",
    }
    return HistoryEntry(**content | changes)


@pytest.fixture
def versions(settings):
    """A registered model without versions: the journal needs no more."""
    versions = VersionStore(settings)
    versions.client.create_registered_model(versions.model)
    return versions


@pytest.fixture
def journal(versions):
    return Journal(versions)


def old_tag(entry, suffix="d8d04ae1"):
    """Key and value of the tag that an earlier version kept an entry in."""
    return f"history.{entry.at}.{suffix}", json.dumps(entry.model_dump(mode="json"))


def test_entries_come_back_in_the_order_of_time(journal):
    for n in (3, 1, 2):
        journal.add(entry(n))
    assert journal.read() == (entry(1), entry(2), entry(3))


def test_a_journal_without_entries_is_empty(journal, registry):
    assert journal.read() == ()
    assert journal.run_id() is None
    assert registry.history() == ()


def test_two_entries_of_one_moment_are_both_kept(journal):
    journal.add(entry(1, by="ada"))
    journal.add(entry(1, by="lise"))
    assert {found.by for found in journal.read()} == {"ada", "lise"}


def test_the_model_has_one_short_tag_that_says_what_was_last(journal, versions):
    journal.add(entry(1))
    journal.add(entry(2, "EA-T4", replaced="EA-T1"))
    assert versions.model_tags() == {
        "history.latest": "promote EA-T4 2026-01-01T00:00:00.000002Z",
        "history.run": journal.run_id(),
    }


def test_the_run_is_closed_and_its_note_tells_the_history_newest_first(journal, versions):
    journal.add(entry(1))
    journal.add(entry(2, "EA-T4", replaced="EA-T1"))
    journal.write_note(journal.read())
    run = versions.client.get_run(journal.run_id())
    assert (run.info.run_name, run.info.status) == (f"history of {versions.model}", "FINISHED")
    assert run.data.tags["mlflow.note.content"] == (
        "- 2026-01-01 00:00 UTC ada promoted EA-T4, replacing EA-T1: because\n"
        "- 2026-01-01 00:00 UTC ada promoted EA-T1: because"
    )


def test_entries_that_processes_add_at_once_are_all_kept(settings, versions):
    start = Barrier(4)

    def add(n):
        journal = Journal(VersionStore(settings))
        start.wait()
        journal.add(entry(n))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(4)))
    assert Journal(versions).read() == tuple(map(entry, range(4)))


def test_a_file_that_a_killed_process_left_half_written_is_left_out(journal, versions):
    journal.add(entry(1))
    versions.client.log_text(journal.run_id(), '{"action": "promote", "cham', "history/20260101T0-ab.json")
    assert journal.read() == (entry(1),)


def test_an_entry_counts_although_its_process_died_before_it_was_tagged(journal, versions):
    journal.add(entry(1))
    text = entry(2).model_dump_json()
    versions.client.log_text(journal.run_id(), text, "history/20260101T000000.000002Z-ab.json")
    assert journal.read() == (entry(1), entry(2))


def test_entries_of_a_run_deleted_in_mlflow_are_still_read_and_the_next_goes_elsewhere(journal, versions):
    journal.add(entry(1))
    deleted = journal.run_id()
    versions.client.delete_run(deleted)
    assert journal.read() == (entry(1),)
    journal.add(entry(2))
    assert journal.run_id() != deleted
    assert journal.read() == (entry(1), entry(2))


def test_the_history_is_found_when_the_settings_name_another_experiment(settings, journal):
    journal.add(entry(1))
    moved = SimpleNamespace(**vars(settings) | {"experiment": "another"})
    elsewhere = Journal(VersionStore(moved))
    elsewhere.add(entry(2))
    assert elsewhere.read() == journal.read() == (entry(1), entry(2))


def test_a_history_whose_files_are_lost_is_not_taken_for_an_empty_one(journal, versions):
    journal.add(entry(1))
    run_id = journal.run_id()
    (file,) = versions.client.list_artifacts(run_id, "history")
    folder = versions.client.get_run(run_id).info.artifact_uri.removeprefix("file://")
    subprocess.run(["rm", f"{folder}/{file.path}"], check=True)
    with pytest.raises(IcefloeError) as error:
        journal.read()
    assert str(error.value) == (
        f"{versions.model}: its history lacks the change of 2026-01-01T00:00:00.000001Z. "
        f"Restore the artifacts of run {run_id} from their backup, or go on without them: "
        "remove the tag history.latest in MLflow."
    )


def test_the_tags_of_an_earlier_version_are_read(journal, versions):
    versions.tag_model(dict(old_tag(entry(n), f"{n:08x}") for n in (2, 1)) | {"other": "tag"})
    assert journal.read() == (entry(1), entry(2))


def test_tags_of_an_earlier_version_become_files_with_the_next_entry_and_nothing_is_lost(journal, versions):
    versions.tag_model(dict(old_tag(entry(n), f"{n:08x}") for n in (1, 2)) | {"other": "tag"})
    journal.add(entry(3))
    assert journal.read() == (entry(1), entry(2), entry(3))
    assert versions.model_tags().keys() == {"other", "history.latest", "history.run"}
    assert len(versions.client.list_artifacts(journal.run_id(), "history")) == 3


def test_a_kill_while_tags_become_files_loses_nothing_and_doubles_nothing(journal, versions, monkeypatch):
    versions.tag_model(dict(old_tag(entry(n), f"{n:08x}") for n in (1, 2)))
    with monkeypatch.context() as patched:
        patched.setattr(VersionStore, "untag_model", killed)
        with pytest.raises(KeyboardInterrupt):
            journal.add(entry(3))
    assert journal.read() == (entry(1), entry(2))  # the first is a file and a tag now
    journal.add(entry(3))
    assert journal.read() == (entry(1), entry(2), entry(3))


def test_two_processes_that_move_the_same_tags_lose_nothing_and_double_nothing(settings, versions):
    versions.tag_model(dict(old_tag(entry(n), f"{n:08x}") for n in range(5)))
    start = Barrier(2)

    def add(n):
        journal = Journal(VersionStore(settings))
        start.wait()
        journal.add(entry(n))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(add, (5, 6)))
    assert Journal(versions).read() == tuple(map(entry, range(7)))


def killed(*_arguments):
    raise KeyboardInterrupt


@pytest.fixture(scope="module")
def s3():
    """The address of an S3 server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_a_history_on_s3_which_cannot_append_is_complete(settings, s3, monkeypatch):
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", s3)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    boto3.resource("s3").create_bucket(Bucket="artifacts")
    remote = SimpleNamespace(
        **vars(settings) | {"artifact_uri": "s3://artifacts/study", "experiment": "on-s3"}
    )
    versions = VersionStore(remote)
    versions.client.create_registered_model(versions.model)
    versions.tag_model(dict([old_tag(entry(0))]))
    journal = Journal(versions)
    for n in (1, 2):
        journal.add(entry(n))
    assert journal.read() == (entry(0), entry(1), entry(2))
    keys = [item.key for item in boto3.resource("s3").Bucket("artifacts").objects.all()]
    assert sum("/history/" in key for key in keys) == 3


def aliases(registry):
    return {alias: version.name for version in registry.list() for alias in version.aliases}


def test_of_two_promotions_at_once_the_later_note_wins_in_history_and_aliases_alike(
    settings, registry, retrain
):
    for seed in (2, 3):
        retrain(seed)
    start = Barrier(2)

    def promote(name):
        mine = Registry(settings)
        start.wait()
        return mine.promote(name, force=True, reason="At once.")

    for _ in range(3):
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(promote, ("EA-T2", "EA-T3")))
        assert registry.history()[-1].champion == registry.champion().name
        assert aliases(registry)["previous"] != registry.champion().name
        registry.promote("EA-T1", force=True, reason="Again.")


def test_a_promotion_that_was_overtaken_while_it_took_effect_yields(settings, registry, retrain, monkeypatch):
    """Between the note of EA-T2 and its alias another process notes EA-T3, and is done first."""
    for seed in (2, 3):
        retrain(seed)
    set_alias, other = VersionStore.set_alias, Registry(settings)

    def slowly(store, alias, name):
        if (alias, name) == ("champion", "EA-T2"):
            monkeypatch.setattr(VersionStore, "set_alias", set_alias)
            other.promote("EA-T3")
        set_alias(store, alias, name)

    monkeypatch.setattr(VersionStore, "set_alias", slowly)
    registry.promote("EA-T2")
    assert [found.champion for found in registry.history()] == ["EA-T1", "EA-T2", "EA-T3"]
    assert aliases(registry) == {"champion": "EA-T3", "previous": "EA-T1"}


def test_a_promotion_killed_after_its_note_is_done_by_the_same_command(registry, retrain, monkeypatch):
    retrain(2)
    with monkeypatch.context() as patched:
        patched.setattr(VersionStore, "set_alias", killed)
        with pytest.raises(KeyboardInterrupt):
            registry.promote("EA-T2")
    assert registry.champion().name == "EA-T1"
    registry.promote("EA-T2")
    assert aliases(registry) == {"champion": "EA-T2", "previous": "EA-T1"}
    assert registry.rollback().champion == "EA-T1"


def test_a_promotion_killed_after_its_note_does_not_stand_in_the_way_of_another(
    registry, retrain, monkeypatch
):
    for seed in (2, 3):
        retrain(seed)
    with monkeypatch.context() as patched:
        patched.setattr(VersionStore, "set_alias", killed)
        with pytest.raises(KeyboardInterrupt):
            registry.promote("EA-T2")
    registry.promote("EA-T3")
    assert aliases(registry) == {"champion": "EA-T3", "previous": "EA-T1"}


def test_promotions_of_an_earlier_version_can_be_rolled_back(registry, settings, retrain):
    """A workspace whose history and aliases an earlier version wrote."""
    retrain(2)
    retrain(3, against="EA-T2")
    client, model = MlflowClient(settings.tracking_uri), settings.registered_model
    first, run_id = registry.history()[0], client.get_registered_model(model).tags["history.run"]
    for key in ("history.run", "history.latest"):
        client.delete_registered_model_tag(model, key)
    client.delete_tag(run_id, "icefloe.history")  # as if there had never been a journal
    second = {"champion": "EA-T2", "replaced": "EA-T1", "at": time_after([first])}
    for key, value in (old_tag(first), old_tag(first.model_copy(update=second), "00000002")):
        client.set_registered_model_tag(model, key, value)
    client.set_registered_model_alias(model, "previous", "1")
    client.set_registered_model_alias(model, "champion", "2")

    assert [found.champion for found in registry.history()] == ["EA-T1", "EA-T2"]
    registry.rollback(reason="It misses thin ice.")
    assert registry.champion().name == "EA-T1"
    assert not [key for key in client.get_registered_model(model).tags if key.startswith("history.2")]
    assert len(registry.history()) == 3


def test_a_change_takes_effect_although_another_machines_clock_was_ahead(registry, settings, retrain):
    retrain(2)
    ahead = entry(0, "EA-T2", replaced="EA-T1", at="2099-01-01T00:00:00.000000Z")
    Journal(VersionStore(settings)).add(ahead)
    client, model = MlflowClient(settings.tracking_uri), settings.registered_model
    client.set_registered_model_alias(model, "previous", "1")
    client.set_registered_model_alias(model, "champion", "2")
    assert registry.rollback().at == "2099-01-01T00:00:00.000001Z"
    assert registry.champion().name == "EA-T1"


def test_a_champion_whose_predecessor_was_deleted_in_mlflow_can_still_be_replaced(
    registry, settings, retrain
):
    retrain(2)
    retrain(3, against="EA-T2")
    registry.promote("EA-T2")
    MlflowClient(settings.tracking_uri).delete_model_version(settings.registered_model, "1")
    registry.promote("EA-T3")
    assert aliases(registry) == {"champion": "EA-T3", "previous": "EA-T2"}
    registry.rollback()
    assert aliases(registry) == {"champion": "EA-T2"}


PROMOTE = """
import os, sys
from types import SimpleNamespace
from icefloe.registry.registry import Registry
from icefloe.registry.store import VersionStore

VersionStore.set_alias = lambda *_: os.kill(os.getpid(), 9)
Registry(SimpleNamespace(**dict(zip(
    ("tracking_uri", "artifact_uri", "registered_model", "experiment"), sys.argv[1:], strict=True
)))).promote("EA-T2", by="the one that died")
"""


def test_what_a_killed_process_noted_is_in_the_history(settings, registry, retrain):
    retrain(2)
    where = (settings.tracking_uri, settings.artifact_uri, settings.registered_model, settings.experiment)
    died = subprocess.run([sys.executable, "-c", PROMOTE, *where], check=False, capture_output=True)
    assert died.returncode == -9, died.stderr
    assert [(found.champion, found.by) for found in registry.history()][1:] == [
        ("EA-T2", "the one that died")
    ]
    assert registry.champion().name == "EA-T1"


def test_a_tag_that_another_process_removed_is_no_error(versions):
    versions.tag_model({"history.2026": "x"})
    versions.untag_model("history.2026")
    versions.untag_model("history.2026")
    with pytest.raises(MlflowException):  # what it guards against
        versions.client.delete_registered_model_tag(versions.model + "-none", "history.2026")
