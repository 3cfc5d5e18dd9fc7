"""Where a workspace's settings come from, and what is said of wrong ones."""

from pathlib import Path

import pytest

from icefloe.errors import IcefloeError
from icefloe.settings import SETTINGS_FILE, load_settings


@pytest.fixture(autouse=True)
def no_settings_in_the_environment(monkeypatch):
    for name in ("WORKSPACE", "QUEUE_PATH", "TRACKING_URI", "WEIGHTS_DIR"):
        monkeypatch.delenv(f"ICEFLOE_{name}", raising=False)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / SETTINGS_FILE).touch()
    return tmp_path.resolve()


def test_everything_of_a_local_workspace_lies_inside_it(workspace):
    settings = load_settings(workspace)

    assert settings.data == workspace / "data"
    assert settings.queue_path == workspace / ".icefloe" / "queue.db"
    assert settings.checkpoints == workspace / ".icefloe" / "checkpoints"
    assert settings.tracking_uri == f"sqlite:///{workspace}/.icefloe/mlflow.db"
    assert settings.artifact_uri == f"file://{workspace}/.icefloe/mlartifacts"


def test_the_workspace_is_found_from_a_folder_below_it(workspace, monkeypatch):
    (workspace / "data" / "D1").mkdir(parents=True)
    monkeypatch.chdir(workspace / "data" / "D1")

    assert load_settings().workspace == workspace


def test_a_step_in_another_folder_finds_the_workspace_by_its_environment(workspace, monkeypatch, tmp_path):
    elsewhere = tmp_path.parent
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("ICEFLOE_WORKSPACE", str(workspace))

    assert load_settings().workspace == workspace


def test_the_environment_overrides_the_file(workspace, monkeypatch):
    (workspace / SETTINGS_FILE).write_text('registered_model = "from-file"\nqueue_path = "q.db"\n')
    monkeypatch.setenv("ICEFLOE_REGISTERED_MODEL", "from-environment")

    settings = load_settings(workspace)

    assert settings.registered_model == "from-environment"
    assert settings.queue_path == workspace / "q.db"


def test_a_relative_weights_folder_is_the_workspaces_and_an_absolute_one_stays(workspace, monkeypatch):
    monkeypatch.setenv("ICEFLOE_WEIGHTS_DIR", "weights")
    assert load_settings(workspace).weights_dir == workspace / "weights"

    monkeypatch.setenv("ICEFLOE_WEIGHTS_DIR", "/mirror")
    assert load_settings(workspace).weights_dir == Path("/mirror")


def test_a_bucket_with_weights_is_no_folder(workspace, monkeypatch):
    monkeypatch.setenv("ICEFLOE_WEIGHTS_DIR", "s3://bucket/zoo")
    assert load_settings(workspace).weights_dir == "s3://bucket/zoo"


def test_outside_a_workspace_the_error_says_how_to_make_one(tmp_path):
    with pytest.raises(IcefloeError) as error:
        load_settings(tmp_path)

    assert str(error.value) == (
        f"{tmp_path.resolve()}: no icefloe.toml here or above. "
        "Make a workspace with `icefloe init DIR` and work inside it."
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("experiment = ice\n", "Fix the file."),
        ("experiment = 7\n", "experiment: Input should be a valid string, not 7. Fix that line"),
        ("worker_niceness = -3\n", "worker_niceness: Input should be greater than or equal to 0, not -3"),
        ('colour = "blue"\n', "colour: no such setting. Remove that line; there are: tracking_uri, "),
    ],
)
def test_a_broken_settings_file_is_named_with_the_entry(workspace, text, words):
    (workspace / SETTINGS_FILE).write_text(text)

    with pytest.raises(IcefloeError) as error:
        load_settings(workspace)

    message = str(error.value)
    assert message.startswith(f"{workspace / SETTINGS_FILE}: ")
    assert words in message
    assert "\n" not in message
