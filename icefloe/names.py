"""Rules for names: those that become part of a path (datasets, images, rounds), and those only shown."""

import unicodedata

from icefloe.errors import IcefloeError

LONGEST = 200
"""Bytes of a name in UTF-8. File systems take 255, and what is made of an image carries its name and more."""

_UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")


def check_name(kind: str, name: object) -> str:
    """Return a name that can be part of a path, as generously as files are named: `T=-12°C_001`, `[a] 50%`.

    Accents are composed in one way (NFC), because macOS and Linux write one letter in two ways.

    Parameters
    ----------
    kind
        What the name is of, for the message: `dataset`, `image`.
    name
        The name as it came.

    Raises
    ------
    IcefloeError
        If it is no text, empty, longer than `LONGEST` bytes or not in UTF-8, or if it starts with a dot,
        which hides files, or holds a slash, a backslash or a character that can't be seen.
    """
    if not isinstance(name, str):
        raise IcefloeError(f"{kind} {repr(name)[:80]}: a name must be text. Give it a name.")
    problem = name_problem(name)
    if problem:
        shown = repr(name) if len(name) <= 80 else f"{name[:60]!r}..."
        raise IcefloeError(f"{kind} {shown}: {problem}. Choose another name.")
    return composed(name)


def composed(name: str) -> str:
    """The name with its accents composed (NFC); macOS hands out the same letters decomposed."""
    return unicodedata.normalize("NFC", name)


def checked_title(kind: str, name: str, longest: int) -> str:
    """Return a name that is only shown, its accents composed and without blanks at its ends.

    Parameters
    ----------
    kind
        What the name is of, for the message: `set`, `session`.
    name
        The name as it came.
    longest
        Most characters.

    Raises
    ------
    IcefloeError
        If it is blank or too long, or holds what can't be seen.
    """
    name = composed(name).strip()
    if not name:
        raise IcefloeError(f"A {kind} without a name. Give it one.")
    if len(name) > longest:
        raise IcefloeError(
            f"{name[:30]}...: a {kind}'s name of {len(name)} characters. Shorten it to {longest}."
        )
    if any(unicodedata.category(character) in _UNPRINTABLE for character in name):
        raise IcefloeError(
            f"{name!r}: a {kind}'s name holds a control character or a line break. Take it out."
        )
    return name


def name_problem(name: str) -> str:
    """Why it can't be a name, in words; empty if it can."""
    if not name.strip():
        return "a name can't be empty"
    categories = {unicodedata.category(character) for character in name}
    if "Cs" in categories:  # how Python shows bytes that are no text
        return "the name is not in UTF-8, which Icefloe and DVC write"
    if categories & set(_UNPRINTABLE):
        return "the name holds a control character or a line break"
    if "/" in name or "\\" in name:
        return "the name holds a slash, which would lead to another folder"
    if name.startswith("."):
        return "the name starts with a dot, which hides files"
    n_bytes = len(composed(name).encode())
    if n_bytes > LONGEST:
        return f"the name is {n_bytes} bytes long, more than {LONGEST}"
    return ""


def same_to_some_systems(name: str) -> str:
    """Key that is equal for names that macOS or Windows take for one, such as `A1` and `a1`."""
    return composed(name).casefold()


def twin_error(where: object, twin: str) -> IcefloeError:
    """The error of a file or folder whose name is `same_to_some_systems` as another's, `twin`."""
    return IcefloeError(
        f"{where}: differs from {twin} only in case or in how its accents are composed, and other systems "
        "take them for one. Rename one."
    )
