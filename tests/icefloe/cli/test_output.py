"""What a command prints is what people typed, in whatever encoding they read, on whatever disk they have."""

import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from rich.text import Text

from icefloe.cli import context
from icefloe.cli.context import TerminalProgress, bold, say, table

ODD = ["s[a]", "z[/q]", "[bold]", "a[/b]", "b :snowflake: c", "[link=x]y[/link]", "back\\[slash]", "[/]"]


@pytest.mark.parametrize("name", ODD)
def test_a_new_workspace_is_called_what_was_typed(cli, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    outcome = cli("init", name)
    assert outcome.code == 0
    assert outcome.out.splitlines()[0] == f"Workspace ready: {name}"
    assert (tmp_path / name / "icefloe.toml").is_file()


@pytest.mark.parametrize("name", ODD)
def test_every_way_to_print_takes_names_as_they_are(capsys, name):
    lines = table(name, name)
    lines.add_row(name)
    context.console.print(lines)
    say(name, " and ", bold(name))
    context.warn(name)
    context.refuse(name)
    context.PlainProgress().tell(name)
    printed = capsys.readouterr()
    assert printed.out.count(name) == 6
    assert printed.err == f"warning: {name}\nerror: {name}\n"


def test_bars_take_names_as_they_are():
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    console = Console(markup=False, emoji=False, width=200, force_terminal=True, record=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.fields[detail]}", markup=False),
    )
    with Progress(*columns, console=console) as bars:
        TerminalProgress(bars).advance("Stacking a[/b]", 1, 2, "[red] loss")
    assert "Stacking a[/b]" in console.export_text()


def test_the_command_line_never_asks_rich_for_markup():
    """`say` takes text and `bold` parts; a bracket in it is a bracket."""
    for module in Path(context.__file__).parent.glob("*.py"):
        source = module.read_text(encoding="utf-8")
        assert not re.search(r"rich\.markup|from_markup|markup=True|\[/?bold\]|\[/\]", source), module.name


@pytest.mark.parametrize("name", ["a[/b]", "[Ceta] run"])
def test_a_folder_of_composites_may_have_brackets(cli, tmp_path, name):
    tifffile.imwrite(tmp_path / "r.tif", np.zeros((4, 32, 32), np.uint16), photometric="minisblack")
    outcome = cli("stack", tmp_path / "r.tif", "--frames", 2, "--output", tmp_path / name)
    assert outcome.code == 0, outcome
    assert name in outcome.out


def test_control_characters_of_a_name_do_not_reach_the_terminal(capsys):
    context.refuse("bad\x1b[31mname\x07")
    say("bad\x1b]0;title\x07")
    printed = capsys.readouterr()
    assert "\x1b" not in printed.err + printed.out
    assert r"bad\x1b[31mname\x07" in printed.err


def test_a_sentence_keeps_its_lines(capsys):
    say("first\nsecond")
    assert capsys.readouterr().out == "first\nsecond\n"
    assert bold("x") == Text("x", "bold")


RUN_EACH = """
import json, sys
from icefloe.cli import main

codes = []
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["icefloe", *arguments]
    try:
        codes.append(main() or 0)
    except SystemExit as end:
        codes.append(end.code or 0)
raise SystemExit(any(code not in (0, 2) for code in codes[:-1]) or codes[-1])
"""
"""One interpreter for several commands; all but the last may be refused."""


def icefloe(*commands, environment=None, preexec=None):
    told = json.dumps([[str(argument) for argument in command] for command in commands])
    return subprocess.run(
        [sys.executable, "-c", RUN_EACH, told],
        capture_output=True,
        check=False,
        env=os.environ | (environment or {}),
        preexec_fn=preexec,
    )


@pytest.fixture
def images(tmp_path, rng) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for stem in ("T=-12°C_001", "氷_2"):
        tifffile.imwrite(folder / f"{stem}.tif", rng.integers(0, 999, (48, 64)).astype(np.uint16))
    return folder


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii:strict"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C"},
    ],
    ids=str,
)
def test_no_encoding_of_the_output_stops_a_command(workspace, images, environment):
    commands = ("data", "import", images, "--name", "D°"), ("data", "audit"), ("--help",)
    ended = icefloe(*(("-C", workspace, *command) for command in commands), environment=environment)
    assert b"Traceback" not in ended.stderr, ended.stderr.decode(errors="replace")
    assert ended.returncode == 0
    assert b"fewshot" in ended.stdout  # the last of them has printed all of its help


def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(workspace, tmp_path, rng):
    """A limit on the size of files fails as a full disk does, at any write."""
    folder = tmp_path / "large"
    folder.mkdir()
    tifffile.imwrite(folder / "a.tif", rng.integers(0, 999, (512, 512)).astype(np.uint16))

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    ended = icefloe(("-C", workspace, "data", "import", folder, "--name", "D1"), preexec=limit)
    assert ended.returncode == 2
    line = ended.stderr.decode()
    assert line.count("\n") == 1
    assert "File too large. Use a disk, or a limit, that allows larger files." in line
    assert list((workspace / "data").iterdir()) == []
    assert not list((workspace / ".icefloe" / "scratch").glob("*/*"))


@pytest.mark.parametrize("taken", ["dataset", "file", "empty folder", "broken link"])
def test_a_name_in_use_is_told(cli, workspace, images, taken):
    place = workspace / "data" / "D1"
    match taken:
        case "dataset":
            assert cli("-C", workspace, "data", "import", images, "--name", "D1").code == 0
        case "file":
            place.touch()
        case "empty folder":
            place.mkdir()
        case "broken link":
            place.symlink_to(workspace / "gone")
    refusal = cli("-C", workspace, "data", "import", images, "--name", "D1").refusal
    assert refusal == f"{place}: there is a dataset of this name. Choose another name with --name."


def test_of_two_imports_of_one_name_one_wins_and_the_other_has_one_line(workspace, images):
    command = [sys.executable, "-c", "from icefloe.cli import main; main()", "-C", str(workspace)]
    running = [
        subprocess.Popen(
            [*command, "data", "import", str(images), "--name", "D1"], stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    told = [process.communicate()[1] for process in running]
    assert sorted(process.returncode for process in running) == [0, 2]
    (refused,) = filter(None, told)
    assert refused.endswith("there is a dataset of this name. Choose another name with --name.\n")
    assert refused.count("\n") == 1
    assert len(list((workspace / "data" / "D1" / "images").iterdir())) == 2
