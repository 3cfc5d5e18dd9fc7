"""The committed document of the API: `python -m serving.openapi` writes it anew."""

import json
from pathlib import Path

from icefloe.files import write_text_atomic
from serving.app import build
from serving.options import Options

DOCUMENT = Path(__file__).parent / "openapi.json"


def document_text() -> str:
    """The document as the routes in the code give it."""
    return json.dumps(build(Options()).openapi(), indent=1) + "\n"


if __name__ == "__main__":
    write_text_atomic(DOCUMENT, document_text())
