"""Commands outside and inside a workspace: help, what is said of broken settings, how errors end."""

import shutil
import subprocess
import sys

import pytest


def test_help_names_every_group_of_commands(cli):
    outcome = cli("--help")

    assert outcome.code == 0
    for command in ("init", "data", "pipeline", "models", "queue", "stack", "watch", "predict", "runs"):
        assert command in outcome.out


@pytest.mark.parametrize(
    "command",
    [
        ("data", "list"),
        ("data", "simulate"),
        ("data", "commit", "-m", "x"),
        ("pipeline", "run", "train"),
        ("models", "list"),
        ("queue", "list"),
        ("report",),
        ("runs",),
    ],
    ids=" ".join,
)
def test_outside_a_workspace(cli, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)

    assert cli(*command).refusal == (
        f"{tmp_path}: no icefloe.toml here or above. "
        "Make a workspace with `icefloe init DIR` and work inside it."
    )
    assert list(tmp_path.iterdir()) == []


def test_a_broken_settings_file(cli, workspace):
    (workspace / "icefloe.toml").write_text("experiment = ice\n")

    message = cli("-C", workspace, "data", "list").refusal
    assert message.startswith(f"{workspace / 'icefloe.toml'}: ")
    assert message.endswith("Fix the file.")


def test_a_workspace_is_made_once(cli, empty_workspace, files_in):
    before = files_in(empty_workspace)

    assert cli("init", empty_workspace).refusal == (
        f"{empty_workspace / 'icefloe.toml'}: this is a workspace already. Work in it, or name another."
    )
    assert files_in(empty_workspace) == before


def test_square_brackets_of_a_file_name_are_printed_as_they_are(cli, workspace):
    """Rich would take them for markup."""
    odd = workspace.parent / "run [red] 7"
    shutil.move(workspace, odd)

    assert "run [red] 7/data: no dataset here" in cli("-C", odd, "data", "list").refusal


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("data", "import", "."), "Missing option '--name'. See `icefloe data import --help`."),
        (
            ("pipeline", "run", "fly"),
            "'fly' is not one of 'train', 'drift_check', 'retrain', 'loop', 'fewshot'. "
            "See `icefloe pipeline run",
        ),
        (("data", "simulate", "--seed", "x"), "See `icefloe data simulate --help`."),
        (("data", "list", "--all"), "No such option: --all. See `icefloe data list --help`."),
        (("fly",), "No such command 'fly'. See `icefloe --help`."),
    ],
)
def test_a_mistyped_command_is_told_in_one_line(cli, command, words):
    assert words in cli(*command).refusal


@pytest.mark.parametrize("command", [(), ("data",)], ids=["icefloe", "icefloe data"])
def test_a_command_without_anything_shows_its_help(cli, command):
    outcome = cli(*command)

    assert "Usage: icefloe" in outcome.out
    assert outcome.err == ""


def test_a_file_in_the_place_of_a_folder_is_told_in_one_line(cli, workspace):
    (workspace / "mine.txt").write_text("mine")

    assert cli("init", workspace / "mine.txt").refusal == (
        f"{workspace / 'mine.txt'}: File exists. Fix that, or name another path."
    )
    assert (workspace / "mine.txt").read_text() == "mine"


def test_an_interrupted_command_says_how_to_go_on(cli, workspace, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("icefloe.datasets.dataset.load_datasets", interrupted)
    outcome = cli("-C", workspace, "data", "list")

    assert (outcome.code, outcome.err) == (130, "Stopped. Run the same command again to go on.\n")


def test_a_bug_is_not_dressed_up_as_the_users_error(cli, workspace, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr("icefloe.datasets.dataset.load_datasets", broken)
    with pytest.raises(ZeroDivisionError):
        cli("-C", workspace, "data", "list")


def test_the_installed_command_prints_one_line_and_exits_2(tmp_path):
    """Once as a process of its own: what a shell sees."""
    ended = subprocess.run(
        [sys.executable, "-c", "from icefloe.cli import main; main()", "data", "list"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1


def test_the_command_line_starts_without_the_engines(tmp_path):
    """`--help` and a typing error must not wait for torch, ray, MLflow or KFP."""
    code = (
        "import sys, icefloe.cli.main; "
        "print([m for m in ('torch', 'ray', 'mlflow', 'kfp', 'dvc', 'sklearn') if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout == "[]\n"
