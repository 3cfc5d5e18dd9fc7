"""The API's document: as the code is, and complete."""

import json

from serving.openapi import DOCUMENT, document_text


def test_the_committed_document_is_that_of_the_code():
    assert DOCUMENT.read_text(encoding="utf-8") == document_text(), "Run python -m serving.openapi"


def test_every_operation_says_what_it_does():
    document = json.loads(document_text())
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["description"].endswith("."), (method, path)
            assert operation["tags"], (method, path)
