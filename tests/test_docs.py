"""The pages name commands, options and files that exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer
import yaml

from icefloe.cli.main import app
from icefloe.params import load_params

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
COMPONENTS = sorted(path.parent for path in (REPOSITORY / "components").glob("*/component.py"))

FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`(icefloe [^`]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CALL = re.compile(r"(?:^|\s)icefloe\s+(.*)")
SHELL = {"&&", "||", "|", ";", "&", "<", ">", ">>"}


def fenced_calls(text: str) -> Iterator[list[str]]:
    """Arguments of every `icefloe` in the fenced blocks, up to the end of that shell command."""
    for block in FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"\s(?:&&|\|\||;|\|)(?=\s|$)", line):
                if not part.lstrip().startswith("#") and (call := CALL.search(part)):
                    yield arguments_of(call[1])


def arguments_of(command: str) -> list[str]:
    words = []
    for word in shlex.split(command, comments=True):
        if word in SHELL or re.fullmatch(r"\d?>{1,2}(&\d)?", word):
            break
        words.append(word)
    return words


def parse(arguments: list[str]) -> None:
    """Parse as the command line would, without running anything; an error says what is wrong."""
    command, parent, name = typer.main.get_command(app), None, "icefloe"
    while True:
        # A copy is parsed: click empties the list it is given.
        context = command.make_context(name, list(arguments), parent=parent)
        if not hasattr(command, "commands"):
            return
        name, command, arguments = command.resolve_command(context, [*context._protected_args, *context.args])
        parent = context


def spoken_of(arguments: list[str]) -> str | None:
    """What a passing mention, which may leave arguments out, names that does not exist."""
    command = typer.main.get_command(app)
    options = known_options(command)
    for argument in arguments:
        if argument.startswith("-"):
            if argument.split("=")[0] not in options:
                return argument
        elif hasattr(command, "commands"):
            if argument == "DIR":  # of `icefloe -C DIR`
                continue
            if argument not in command.commands:
                return argument
            command = command.commands[argument]
            options = known_options(command)
    return None


def known_options(command) -> set[str]:
    return {"--help", "-h", *(name for parameter in command.params for name in parameter.opts)}


def relative_links(text: str) -> Iterator[str]:
    for target in LINK.findall(FENCE.sub("", text)):
        if not re.match(r"[a-z]+:", target):
            yield unquote(target)


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ +(.+?) *$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_in_a_block_is_one_that_the_command_line_takes(page):
    wrong = []
    for arguments in fenced_calls(page.read_text(encoding="utf-8")):
        try:
            parse(arguments)
        except Exception as error:  # typer keeps its usage errors' class private
            wrong.append(f"icefloe {' '.join(arguments)}: {getattr(error, 'message', repr(error))}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_in_a_sentence_names_what_exists(page):
    spans = SPAN.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    wrong = [span for span in spans if spoken_of(shlex.split(span)[1:])]
    assert not wrong


@pytest.mark.parametrize(
    "page", [*PAGES, *sorted((REPOSITORY / "components").glob("*/README.md"))], ids=name_of
)
def test_every_relative_link_leads_somewhere(page):
    broken = []
    for link in relative_links(page.read_text(encoding="utf-8")):
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("component", COMPONENTS, ids=name_of)
def test_every_component_has_a_readme_that_says_what_goes_in_and_out(component):
    text = (component / "README.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {component.name}\n")
    for part in ("**In**", "**Out**", "**On the KFP page**", "**Fails**"):
        assert part in text


@pytest.mark.parametrize("page", ["ml-engineer.md", "researcher.md"])
def test_every_preset_shown_is_accepted(page, tmp_path):
    text = (REPOSITORY / "docs" / page).read_text(encoding="utf-8")
    blocks = [block for block in FENCE.findall(text) if block.startswith("presets:")]
    assert blocks
    for block in blocks:
        (tmp_path / "params.yaml").write_text(block, encoding="utf-8")
        for preset in yaml.safe_load(block)["presets"]:
            load_params(tmp_path / "params.yaml", preset)


def test_the_pages_have_commands_to_check():
    calls = {page.name: len(list(fenced_calls(page.read_text(encoding="utf-8")))) for page in PAGES}
    for page in ("README.md", "microscopist.md", "ml-engineer.md", "facility.md", "researcher.md"):
        assert calls[page] >= 5


@pytest.mark.parametrize(
    "line",
    [
        "icefloe data imprt x --name D1",
        "icefloe data import x --nme D1",
        "icefloe data import x",
        "icefloe pipeline run trian",
        "cd study && icefloe models shw EA-T1",
        "30 5 * * *  icefloe -C study pipeline run drift_check --data D7 >> log 2>&1",
    ],
)
def test_a_command_that_does_not_exist_is_noticed(line):
    (arguments,) = fenced_calls(f"```\n{line}\n```\n")
    with pytest.raises(Exception, match=r"No such|Missing|is not one of|isn't one of"):
        parse(arguments)


@pytest.mark.parametrize("mention", ["icefloe data imprt", "icefloe models promote --forse"])
def test_a_mention_of_what_does_not_exist_is_noticed(mention):
    assert spoken_of(mention.split()[1:])
