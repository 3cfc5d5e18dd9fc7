"""Colour and pattern of each set: told apart with any colour vision, on grey, and in print."""

COLOURS = (
    "#4477aa",
    "#ee6677",
    "#228833",
    "#ccbb44",
    "#66ccee",
    "#aa3377",
    "#ee8866",
    "#44bb99",
    "#bbcc33",
    "#ffaabb",
    "#77aadd",
    "#994455",
)
"""P. Tol's bright and light schemes; after twelve sets they come again with the next pattern."""

PATTERNS = ("", "..", "xx", "--", "oo", "||", "**")
"""Matplotlib's hatches; the slanted one is that of unsure chips."""

UNSURE_COLOUR, UNSURE_PATTERN = "#dddddd", "////"


def colour(style: int) -> str:
    """The set's colour, `#rrggbb`."""
    return COLOURS[style % len(COLOURS)]


def pattern(style: int) -> str:
    """The set's hatch: with the colour it makes 84 different styles."""
    return PATTERNS[style % len(PATTERNS)]
