"""Write serving/web/editor/colour_maps.js, matplotlib's tables. `python tests/web/make_colour_maps.py`"""

import json
from pathlib import Path

import matplotlib
import numpy as np

NAMES = ("cividis", "viridis", "magma")
TARGET = Path(__file__).parents[2] / "serving/web/editor/colour_maps.js"


def table(name: str) -> str:
    """The 256 colours of a map as one string of rrggbb."""
    colours = np.asarray(matplotlib.colormaps[name](np.arange(256), bytes=True))[:, :3]
    return colours.tobytes().hex()


def source() -> str:
    """The module as text."""
    lines = "".join(f"  {name}:\n    {json.dumps(table(name))},\n" for name in NAMES)
    return (
        "/** Made by tests/web/make_colour_maps.py: matplotlib's tables, 256 colours each, as rrggbb. */\n\n"
        f"export const COLOUR_MAPS = {{\n{lines}}};\n"
    )


if __name__ == "__main__":
    TARGET.write_text(source(), encoding="utf-8")
