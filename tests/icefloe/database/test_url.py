"""Which database the settings mean, and what messages call it."""

from pathlib import Path

import pytest

from icefloe.database.url import database_url, display_name, parse_url, sqlite_url
from icefloe.errors import IcefloeError
from icefloe.settings import SETTINGS_FILE, Settings, load_settings

SECRET = "pass/wor:d"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch) -> Path:
    for name in ("WORKSPACE", "QUEUE_PATH", "DATABASE_URL"):
        monkeypatch.delenv(f"ICEFLOE_{name}", raising=False)
    return tmp_path.resolve()


def settings(workspace: Path, text: str = "") -> Settings:
    (workspace / SETTINGS_FILE).write_text(text)
    return load_settings(workspace)


def test_by_default_it_is_the_workspaces_sqlite_file(workspace):
    assert database_url(settings(workspace)) == sqlite_url(workspace / ".icefloe" / "queue.db")


def test_a_queue_path_of_an_older_workspace_goes_on_working(workspace):
    assert database_url(settings(workspace, 'queue_path = "q.db"\n')) == sqlite_url(workspace / "q.db")


def test_a_database_url_comes_before_a_queue_path(workspace, monkeypatch):
    monkeypatch.setenv("ICEFLOE_DATABASE_URL", "postgresql+psycopg://ana@db.lab/icefloe")

    url = database_url(settings(workspace, 'queue_path = "q.db"\n'))

    assert (url.drivername, url.host, url.database) == ("postgresql+psycopg", "db.lab", "icefloe")


def test_a_relative_sqlite_path_starts_from_the_workspace(workspace):
    url = database_url(settings(workspace, 'database_url = "sqlite:///state/icefloe.db"\n'))
    assert display_name(url) == str(workspace / "state" / "icefloe.db")


def test_an_absolute_sqlite_path_stays(workspace):
    assert display_name(parse_url("sqlite:////srv/icefloe.db", workspace)) == "/srv/icefloe.db"


def test_a_workspace_may_have_any_name(tmp_path):
    path = tmp_path / "D3? 50% #1" / "queue.db"
    assert display_name(sqlite_url(path)) == str(path)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_the_name_of_a_database_has_no_password_and_no_options(tmp_path, scheme):
    url = parse_url(f"{scheme}://ana:s3cret@db.lab:5433/icefloe?sslmode=require&password=s3cret", tmp_path)

    assert url.password == "s3cret"
    assert display_name(url) == "postgresql://ana@db.lab:5433/icefloe"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (SECRET, "it is not a valid URL. Write `sqlite:///FILE` or `postgresql+psycopg://"),
        (f"postgresql://ana:{SECRET}@db.lab:port/icefloe", "it is not a valid URL"),
        (f"mysql://ana:{SECRET}@db.lab/icefloe", "'mysql' is not supported. Write `sqlite:///FILE`"),
        (f"postgresql+psycopg2://ana:{SECRET}@db.lab/icefloe", "'postgresql+psycopg2' is not supported"),
        (f"postgresql://ana:p@{SECRET}@db.lab/icefloe", "Write"),
        ("postgresql://ana:p@rest-of-pass/wor:d@db.lab/icefloe", "Write"),
        (
            "postgresql://ana:p@pass-wor-d@db.lab/icefloe",
            "it contains two @. Write an @ in the user name or password as",
        ),
        (f"postgresql://ana:{SECRET}@db.lab", "names no database"),
        ("sqlite://", "names no SQLite file"),
        ("sqlite:///:memory:", "names no SQLite file"),
    ],
)
def test_an_unusable_url_is_refused_in_one_line_without_repeating_it(workspace, url, words):
    with pytest.raises(IcefloeError) as error:
        database_url(settings(workspace, f'database_url = "{url}"\n'))

    message = str(error.value)
    assert message.startswith("database_url: ")
    assert words in message
    assert "\n" not in message
    assert "pass" not in message.replace("PASSWORD", "").replace("user name or password", "")
    # A traceback would show the chained error's words, too.
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None


def test_settings_never_show_the_password(workspace):
    loaded = settings(workspace, 'database_url = "postgresql://ana:s3cret@db.lab/icefloe"\n')
    assert "s3cret" not in f"{loaded!r} {loaded} {loaded.model_dump()} {loaded.model_dump_json()}"


def test_a_database_url_of_the_wrong_kind_is_not_repeated(workspace):
    with pytest.raises(IcefloeError) as error:
        settings(workspace, 'database_url = ["postgresql://ana:s3cret@db.lab/icefloe"]\n')
    assert "database_url" in str(error.value)
    assert "s3cret" not in str(error.value)
