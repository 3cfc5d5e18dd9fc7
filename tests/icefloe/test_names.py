"""One rule for names: as generous as files allow, and the rest refused in one line."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icefloe.errors import IcefloeError
from icefloe.names import LONGEST, check_name, composed, name_problem, same_to_some_systems

GOOD = [
    *("stack_1", "Bild 7 (neu)", "a.b-c+d=e,f@g#h", "Eis_wächst", "T=-12°C_001", "-12C_002", "50%_x"),
    *(
        "ice & water",
        "[Ceta] 0001",
        "(1)",
        "x..y",
        "it's",
        "run#3",
        "µm_5",
        "氷_1",
        "a b",
        "12:30:05",
        "what?",
    ),
    *("CON", "a*b", '"quoted"', "<x>", "a|b", "~", "$HOME", "{a}", "x" * LONGEST, "Screenshot 3.41\u202fPM"),
]
BAD = {
    "": "empty",
    "  ": "empty",
    "..": "starts with a dot",
    ".hidden": "starts with a dot",
    "a/b": "slash",
    "a\\b": "slash",
    "a\nb": "control character",
    "a\x1b[31m": "control character",
    "a\u2028b": "control character",
    "bild_\udce4": "not in UTF-8",
    "x" * (LONGEST + 1): f"{LONGEST + 1} bytes long",
    "氷" * (LONGEST // 3 + 1): "bytes long",
}


@pytest.mark.parametrize("name", GOOD)
def test_what_files_are_called_is_a_name(name):
    assert check_name("image", name) == name


@pytest.mark.parametrize(("name", "reason"), BAD.items(), ids=map(ascii, BAD))
def test_what_is_no_name_is_refused_in_one_line(name, reason):
    with pytest.raises(IcefloeError, match=reason) as error:
        check_name("image", name)
    assert str(error.value).startswith("image ")
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 250


@pytest.mark.parametrize("name", [None, 7, b"x", ["a"]])
def test_what_is_no_text_is_no_name(name):
    with pytest.raises(IcefloeError, match="a name must be text"):
        check_name("dataset", name)


def test_one_letter_in_two_ways_is_one_name():
    assert check_name("image", unicodedata.normalize("NFD", "Öl_café")) == "Öl_café"


@pytest.mark.parametrize("names", [("A1", "a1"), ("café", "cafe\u0301"), ("ß", "SS")])
def test_names_that_other_systems_take_for_one_have_one_key(names):
    one, other = names
    assert same_to_some_systems(one) == same_to_some_systems(other) != same_to_some_systems("other")


@given(st.text(max_size=300))
def test_no_name_leads_out_of_its_folder_or_hides(name):
    if name_problem(name):
        with pytest.raises(IcefloeError) as error:
            check_name("image", name)
        assert "\n" not in str(error.value)
    else:
        path = Path("folder") / check_name("image", name)
        assert path.parent == Path("folder")
        assert not path.name.startswith(".")
        assert len(f"{composed(name)}_abstain.png".encode()) <= 255


@given(
    st.text(
        st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="/\\"),
        min_size=1,
        max_size=60,
    )
)
def test_the_file_system_takes_what_the_rule_takes(name):
    if not name_problem(name):
        path = Path("/tmp") / f"icefloe-test-{composed(name)}"
        path.touch()
        path.unlink()
