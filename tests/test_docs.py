"""The pages name commands, options, settings, modules and files that exist."""

import importlib.util
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
from icefloe.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
COMPONENTS = sorted(path.parent for path in (REPOSITORY / "components").glob("*/component.py"))
ALL_PAGES = [*PAGES, *(component / "README.md" for component in COMPONENTS)]
FOLDERS = ["benchmarks", "components", "docs", "icefloe", "infra", "pipelines", "serving", "studies", "tests"]

FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`(icefloe [^`]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
PATH = re.compile(rf"(?<![\w./~-])(?:{'|'.join(FOLDERS)})/[\w./*-]*[\w/]")
MODULE = re.compile(r"(?<![\w./-])(?:icefloe|components|pipelines|studies)(?:\.\w+)+(?![\w/])")
VARIABLE = re.compile(r"\bICEFLOE_([A-Z_]+)\b")
NO_SETTINGS = ("workspace", "settings_file", "database_url_file", "pipelines_token_file", "pipeline_run")
"""Variables that say where settings are, and which run a step belongs to."""

CALL = re.compile(r"(?:^|\s)icefloe\s+(.*)")
SHELL = {"&&", "||", "|", ";", "&", "<", ">", ">>"}

COMMAND = typer.main.get_command(app)
"""Made once: it takes longer than to parse a line."""


def fenced_calls(text: str) -> Iterator[list[str]]:
    """Arguments of every `icefloe` in the fenced blocks, up to the end of that shell command."""
    for block in FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"\s(?:&&|\|\||;|\|)(?=\s|$)", line):
                # To kubectl, icefloe is a namespace.
                if not part.lstrip().startswith(("#", "kubectl")) and (call := CALL.search(part)):
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
    command, parent, name = COMMAND, None, "icefloe"
    while True:
        # A copy is parsed: click empties the list it is given.
        context = command.make_context(name, list(arguments), parent=parent)
        if not hasattr(command, "commands"):
            return
        name, command, arguments = command.resolve_command(context, [*context._protected_args, *context.args])
        parent = context


def spoken_of(arguments: list[str]) -> str | None:
    """What a passing mention, which may leave arguments out, names that does not exist."""
    command = COMMAND
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


def all_options(command=COMMAND) -> set[str]:
    """Of every command of the command line."""
    below = [all_options(each) for each in getattr(command, "commands", {}).values()]
    return known_options(command).union(*below, *(parameter.secondary_opts for parameter in command.params))


def code_spans(text: str) -> list[str]:
    return CODE.findall(FENCE.sub("", text))


def module_exists(name: str) -> bool:
    """Whether it is a module, or a name within one."""
    if name == "icefloe.toml":
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        package, _, last = name.rpartition(".")
        return hasattr(importlib.import_module(package), last)


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


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of)
def test_every_file_named_in_code_exists(page):
    text = page.read_text(encoding="utf-8")
    named = {path for code in [*code_spans(text), *FENCE.findall(text)] for path in PATH.findall(code)}
    assert not [path for path in sorted(named) if not list(REPOSITORY.glob(path))]


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of)
def test_every_module_named_exists(page):
    named = {name for code in code_spans(page.read_text(encoding="utf-8")) for name in MODULE.findall(code)}
    assert not [name for name in sorted(named) if not module_exists(name)]


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of)
def test_every_option_named_exists(page):
    spans = [span for span in code_spans(page.read_text(encoding="utf-8")) if "python" not in span]
    named = {option for span in spans for option in OPTION.findall(span)}
    assert not sorted(named - all_options())


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of)
def test_every_environment_variable_named_is_a_setting(page):
    found = VARIABLE.findall(page.read_text(encoding="utf-8"))
    named = {name.lower().partition("__")[0] for name in found}  # behind it stand the entries of a table
    assert not sorted(named - {*Settings.model_fields, *NO_SETTINGS})


def test_the_first_screen_of_the_readme_has_the_demo_and_the_tests():
    first_screen = (REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()[:25]
    assert any(line.startswith("make demo") for line in first_screen)
    assert any(line.startswith("make test") for line in first_screen)


def test_the_readme_says_what_is_in_every_folder_of_code_and_every_room():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    table = text.partition("## What is where")[2]
    rooms = [path.parent for path in (REPOSITORY / "icefloe").glob("*/__init__.py")]
    folders = [REPOSITORY / name for name in FOLDERS if (REPOSITORY / name).is_dir()]
    assert not [name_of(path) for path in rooms if f"`{path.name}`" not in table]
    assert not [path.name for path in folders if f"`{path.name}/`" not in table]


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of)
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


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        (PATH, "see icefloe/registry/intervals.py.", "icefloe/registry/intervals.py"),
        (PATH, "components/*/READ.md", "components/*/READ.md"),
        (MODULE, "icefloe.scoring.selection", "icefloe.scoring.selection"),
        (OPTION, "icefloe data import x --nme=D1", "--nme"),
        (VARIABLE, "ICEFLOE_TRACKING_URL=x", "TRACKING_URL"),
    ],
)
def test_a_name_that_does_not_exist_is_found_in_a_page(pattern, text, found):
    assert pattern.findall(text) == [found]
    assert not list(REPOSITORY.glob("icefloe/registry/intervals.py"))
    assert not module_exists("icefloe.scoring.selection")
    assert "--nme" not in all_options()
    assert "tracking_url" not in Settings.model_fields


@pytest.mark.parametrize("mention", ["icefloe data imprt", "icefloe models promote --forse"])
def test_a_mention_of_what_does_not_exist_is_noticed(mention):
    assert spoken_of(mention.split()[1:])
