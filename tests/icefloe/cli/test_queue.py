"""`icefloe queue` and the database that the settings name."""

from icefloe.active.queue import open_queue
from icefloe.settings import load_settings


def test_an_empty_queue_is_listed(cli, workspace):
    outcome = cli("-C", workspace, "queue", "list")
    assert outcome.code == 0
    assert "0 waiting, 0 being labelled" in outcome.out
    assert (workspace / ".icefloe" / "queue.db").is_file()


def test_the_queue_is_in_the_database_that_the_settings_name(cli, workspace):
    (workspace / "icefloe.toml").write_text('database_url = "sqlite:///state/icefloe.db"\n')

    assert cli("-C", workspace, "queue", "list").code == 0

    assert open_queue(load_settings(workspace)).name == str(workspace / "state" / "icefloe.db")
    assert (workspace / "state" / "icefloe.db").is_file()
    assert not (workspace / ".icefloe" / "queue.db").exists()


def test_a_database_out_of_reach_is_one_line_without_the_password(cli, workspace):
    url = "postgresql+psycopg://ana:s3cret@127.0.0.1:1/icefloe"
    (workspace / "icefloe.toml").write_text(f'database_url = "{url}"\n')

    outcome = cli("-C", workspace, "queue", "list")

    assert outcome.refusal.startswith("postgresql://ana@127.0.0.1:1/icefloe: connection failed: ")
    assert "s3cret" not in outcome.out + outcome.err
