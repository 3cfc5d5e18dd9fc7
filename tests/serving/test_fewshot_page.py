"""Page *Few-shot*: what the service puts into it."""

import html
import json
import re

from icefloe.fewshot.styles import COLOURS, PATTERNS, UNSURE_PATTERN
from icefloe.models.spec import ENCODERS
from serving.auth.roles import Role

PAGE = {"Accept": "text/html"}


def told(page, name):
    """What the page's attribute holds."""
    return json.loads(html.unescape(re.search(f'data-{name}="([^"]*)"', page).group(1)))


def test_the_page_paints_with_the_colours_and_patterns_of_the_librarys_figures(signed_in):
    browser = signed_in(Role.LABELER)
    for address in ("/fewshot", "/fewshot?session=1"):
        page = browser.get(address, headers=PAGE).text
        assert told(page, "colours") == list(COLOURS)
        assert told(page, "patterns") == list(PATTERNS)
        assert told(page, "unsure")[1] == UNSURE_PATTERN


def test_every_encoder_is_offered_with_its_weights(signed_in):
    page = signed_in(Role.LABELER).get("/fewshot?session=1", headers=PAGE).text
    encoders = told(page, "encoders")
    assert set(encoders) == set(ENCODERS)
    assert all("none" in weights and len(set(weights)) == len(weights) for weights in encoders.values())


def test_what_is_asked_for_cannot_write_into_the_page(signed_in):
    page = signed_in(Role.LABELER).get('/fewshot?session="><b>1', headers=PAGE).text
    assert "<b>" not in page


def test_a_viewer_has_no_such_page_and_no_way_to_it(signed_in):
    browser = signed_in(Role.VIEWER)
    assert browser.get("/fewshot", headers=PAGE).status_code == 403
    assert 'href="/fewshot"' not in browser.get("/results", headers=PAGE).text


def test_without_a_worker_the_page_says_so(signed_in):
    assert "No worker runs" in signed_in(Role.LABELER).get("/fewshot", headers=PAGE).text
