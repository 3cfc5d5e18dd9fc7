"""Where a workspace's settings come from, and what is said of wrong ones."""

import os
from pathlib import Path

import pytest

from icefloe.database.url import database_url, display_name
from icefloe.errors import IcefloeError
from icefloe.settings import SETTINGS_FILE, MemberShare, load_settings


@pytest.fixture(autouse=True)
def no_settings_in_the_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("ICEFLOE_", "MLFLOW_")):
            monkeypatch.delenv(name)


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
        ('colour = "blue"\n', "colour: no such setting. Remove that line; there are: profile, data_repo, "),
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


def test_a_mounted_file_goes_before_the_workspaces_and_the_environment_before_both(
    workspace, monkeypatch, tmp_path
):
    (workspace / SETTINGS_FILE).write_text('experiment = "w"\nregistered_model = "w"\nimage = "w"\n')
    mounted = tmp_path / "mounted.toml"
    mounted.write_text('experiment = "m"\nregistered_model = "m"\n')
    monkeypatch.setenv("ICEFLOE_SETTINGS_FILE", str(mounted))
    monkeypatch.setenv("ICEFLOE_EXPERIMENT", "e")

    settings = load_settings(workspace)

    assert (settings.experiment, settings.registered_model, settings.image) == ("e", "m", "w")


def test_a_mounted_file_that_is_not_there_is_named(workspace, monkeypatch):
    monkeypatch.setenv("ICEFLOE_SETTINGS_FILE", "/nowhere/settings.toml")
    with pytest.raises(IcefloeError, match=r"^ICEFLOE_SETTINGS_FILE: /nowhere/settings\.toml: no such file"):
        load_settings(workspace)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("experiment = ice\n", "Fix the file."),
        ("worker_niceness = -3\n", "worker_niceness: Input should be greater than or equal to 0, not -3"),
        ('colour = "blue"\n', "colour: no such setting. Remove that line"),
    ],
)
def test_what_is_wrong_in_a_mounted_file_is_said_of_that_file(workspace, monkeypatch, tmp_path, text, words):
    mounted = tmp_path / "mounted.toml"
    mounted.write_text(text)
    monkeypatch.setenv("ICEFLOE_SETTINGS_FILE", str(mounted))

    with pytest.raises(IcefloeError) as error:
        load_settings(workspace)

    assert str(error.value).startswith(f"{mounted}: ")
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("ICEFLOE_WORKER_NICENESS", "-3", "ICEFLOE_WORKER_NICENESS: worker_niceness: Input should be"),
        ("ICEFLOE_PROFILE", "moon", "ICEFLOE_PROFILE: profile: Input should be 'local' or 'cluster', not"),
        ("ICEFLOE_OIDC", "{", 'ICEFLOE_...: error parsing value for field "oidc"'),
    ],
)
def test_what_is_wrong_in_the_environment_is_said_of_the_variable(
    workspace, monkeypatch, variable, value, words
):
    monkeypatch.setenv(variable, value)

    with pytest.raises(IcefloeError) as error:
        load_settings(workspace)

    assert str(error.value).startswith(words)
    assert "\n" not in str(error.value)


PROVIDER = """
[oidc.campus]
issuer = "https://id.example.org"
client_id = "icefloe"
roles = {staff = "admin"}
"""


def test_secrets_are_read_from_the_files_that_variables_name(workspace, monkeypatch, tmp_path):
    (workspace / SETTINGS_FILE).write_text(PROVIDER)
    (tmp_path / "url").write_text("postgresql://ana:s3cret@db.lab/icefloe\n")
    (tmp_path / "client").write_text("s3cret too\n")
    monkeypatch.setenv("ICEFLOE_DATABASE_URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("ICEFLOE_OIDC__CAMPUS__CLIENT_SECRET_FILE", str(tmp_path / "client"))

    settings = load_settings(workspace)

    assert database_url(settings).password == "s3cret"
    assert settings.oidc["campus"].client_secret.get_secret_value() == "s3cret too"
    assert "s3cret" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


def test_a_secret_given_twice_or_in_a_missing_file_is_refused_without_showing_it(workspace, monkeypatch):
    monkeypatch.setenv("ICEFLOE_DATABASE_URL_FILE", "/nowhere/url")
    with pytest.raises(
        IcefloeError, match=r"^ICEFLOE_DATABASE_URL_FILE: /nowhere/url: can't be read \(No such file or dir"
    ):
        load_settings(workspace)

    monkeypatch.setenv("ICEFLOE_DATABASE_URL", "postgresql://ana:s3cret@db.lab/icefloe")
    with pytest.raises(IcefloeError, match=r"^ICEFLOE_DATABASE_URL: also set as ICEFLOE_DATABASE_URL_FILE"):
        load_settings(workspace)


@pytest.fixture
def pod(tmp_path, monkeypatch):
    """A step's process: no workspace, the profile `cluster`, and all that it needs in the environment."""
    empty = tmp_path / "pod"
    empty.mkdir()
    monkeypatch.chdir(empty)
    for name, value in {
        "PROFILE": "cluster",
        "DATA_REPO": "https://git.lab/study.git",
        "TRACKING_URI": "https://mlflow.lab",
        "CHECKPOINTS": "s3://study/checkpoints",
        "DATABASE_URL": "postgresql://ana:s3cret@db.lab/icefloe",
    }.items():
        monkeypatch.setenv(f"ICEFLOE_{name}", value)


def test_a_step_in_a_pod_needs_no_workspace(pod):
    settings = load_settings()

    assert settings.folder is None
    assert settings.artifact_uri is None
    assert settings.checkpoints == "s3://study/checkpoints"
    assert display_name(database_url(settings)) == "postgresql://ana@db.lab/icefloe"
    with pytest.raises(IcefloeError, match=r"^There is no workspace here, as the profile cluster needs none"):
        _ = settings.data


def test_a_workspace_of_the_profile_cluster_says_it_in_its_file(pod, workspace, monkeypatch):
    monkeypatch.delenv("ICEFLOE_PROFILE")
    (workspace / SETTINGS_FILE).write_text('profile = "cluster"\n')

    settings = load_settings(workspace)

    assert (settings.profile, settings.data) == ("cluster", workspace / "data")


def test_a_workspace_that_is_named_must_be_there_in_any_profile(pod, tmp_path, monkeypatch):
    monkeypatch.setenv("ICEFLOE_WORKSPACE", str(tmp_path / "pod"))
    with pytest.raises(IcefloeError, match=r"no icefloe\.toml here or above"):
        load_settings()


@pytest.mark.parametrize("name", ["DATA_REPO", "TRACKING_URI", "CHECKPOINTS"])
def test_what_would_be_a_local_folder_in_a_cluster_is_named(pod, monkeypatch, name):
    monkeypatch.delenv(f"ICEFLOE_{name}")
    with pytest.raises(
        IcefloeError, match=rf"^{name.lower()}: not set, and the profile cluster .*ICEFLOE_{name},"
    ):
        load_settings()


def test_all_that_is_missing_in_a_cluster_is_named_at_once(pod, monkeypatch):
    for name in ("DATA_REPO", "CHECKPOINTS"):
        monkeypatch.delenv(f"ICEFLOE_{name}")
    with pytest.raises(IcefloeError, match=r"^data_repo, checkpoints: not set.*ICEFLOE_CHECKPOINTS") as error:
        load_settings()
    assert "\n" not in str(error.value)


def test_a_cluster_without_a_database_refuses_the_local_file(pod, monkeypatch):
    monkeypatch.delenv("ICEFLOE_DATABASE_URL")
    with pytest.raises(IcefloeError, match=r"^database_url: not set, .* Set ICEFLOE_DATABASE_URL, or"):
        database_url(load_settings())


@pytest.mark.parametrize(("name", "value"), [("CHECKPOINTS", "checkpoints"), ("WEIGHTS_DIR", "weights")])
def test_a_folder_that_starts_from_a_workspace_is_refused_in_a_cluster(pod, monkeypatch, name, value):
    monkeypatch.setenv(f"ICEFLOE_{name}", value)
    with pytest.raises(IcefloeError, match=rf"^{name.lower()}: {value}: the profile cluster has no"):
        load_settings()


def test_a_database_file_that_starts_from_a_workspace_is_refused_in_a_cluster(pod, monkeypatch):
    monkeypatch.setenv("ICEFLOE_DATABASE_URL", "sqlite:///queue.db")
    with pytest.raises(IcefloeError, match=r"^database_url: its path is from a workspace, and there is none"):
        database_url(load_settings())
    monkeypatch.setenv("ICEFLOE_DATABASE_URL", "sqlite:////shared/queue.db")
    assert display_name(database_url(load_settings())) == "/shared/queue.db"


def test_in_a_cluster_mlflows_own_variable_names_the_server(pod, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://kubeflows.lab")
    assert load_settings().tracking_uri == "https://mlflow.lab"

    monkeypatch.delenv("ICEFLOE_TRACKING_URI")
    assert load_settings().tracking_uri == "https://kubeflows.lab"


def test_without_a_server_a_cluster_must_be_told_where_artifacts_go(pod, monkeypatch):
    monkeypatch.setenv("ICEFLOE_TRACKING_URI", "postgresql://db.lab/mlflow")
    with pytest.raises(IcefloeError, match=r"^artifact_uri: not set"):
        load_settings()
    monkeypatch.setenv("ICEFLOE_ARTIFACT_URI", "s3://study/artifacts")
    assert load_settings().artifact_uri == "s3://study/artifacts"


@pytest.mark.parametrize(
    ("text", "named", "remedy"),
    [
        (
            'database_url = "postgresql+psycopg://ana:s3cret@db/icefloe"',
            "database_url",
            "from a secret of the cluster, or name its file in ICEFLOE_DATABASE_URL_FILE",
        ),
        ('pipelines_token = "s3cret"', "pipelines_token", "ICEFLOE_PIPELINES_TOKEN from "),
        ('data_repo = "https://ana:s3cret@git/study.git"', "data_repo", "ICEFLOE_DATA_REPO from "),
        (
            '[oidc.lab]\nissuer = "https://lab.example.org"\nclient_id = "icefloe"\n'
            'client_secret = "s3cret"\nroles = {staff = "labeler"}',
            "oidc.lab.client_secret",
            "ICEFLOE_OIDC__LAB__CLIENT_SECRET from ",
        ),
    ],
)
def test_a_secret_in_a_file_that_a_cluster_mounts_is_refused_without_showing_it(
    pod, monkeypatch, tmp_path, text, named, remedy
):
    path = tmp_path / "mounted.toml"
    path.write_text(text + "\n")
    monkeypatch.setenv("ICEFLOE_SETTINGS_FILE", str(path))
    with pytest.raises(IcefloeError) as refused:
        load_settings()
    assert str(refused.value).startswith(f"{path}: {named}: a secret does not belong into this file")
    assert remedy in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_url_without_a_password_may_stand_in_that_file(pod, monkeypatch, tmp_path):
    path = tmp_path / "mounted.toml"
    path.write_text('database_url = "postgresql+psycopg://ana@db/icefloe"\n')
    monkeypatch.setenv("ICEFLOE_SETTINGS_FILE", str(path))
    assert load_settings().profile == "cluster"


def test_what_a_member_is_given_on_a_cluster_comes_from_a_table_or_variables(pod, monkeypatch):
    assert load_settings().ray_member == MemberShare(cpus=4, gpu=False)
    monkeypatch.setenv("ICEFLOE_RAY_MEMBER__GPU", "true")
    monkeypatch.setenv("ICEFLOE_RAY_MEMBER__CPUS", "0")
    with pytest.raises(IcefloeError, match=r"ray_member\.cpus"):
        load_settings()
    monkeypatch.setenv("ICEFLOE_RAY_MEMBER__CPUS", "6")
    assert load_settings().ray_member == MemberShare(cpus=6, gpu=True)
