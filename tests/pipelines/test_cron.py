"""Times of a schedule: what is typed is what is due."""

from datetime import UTC, datetime, timedelta

import pytest

from icefloe.errors import IcefloeError
from pipelines.cron import Cron

MONDAY = datetime(2026, 11, 30, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "at", "due"),
    [
        ("0 5 * * *", MONDAY, True),
        ("0 5 * * *", MONDAY + timedelta(minutes=1), False),
        ("*/15 * * * *", MONDAY + timedelta(minutes=45), True),
        ("*/15 * * * *", MONDAY + timedelta(minutes=44), False),
        ("0 5 * * 1-5", MONDAY, True),
        ("0 5 * * 0,6", MONDAY, False),
        ("0 5 1 * *", MONDAY, False),
        ("0 5 1 * 1", MONDAY, True),  # the first of the month, and every Monday
        ("0 5 30 11 *", MONDAY, True),
        ("0 1-9/2 * * *", MONDAY, True),
        ("0 2/3 * * *", MONDAY, True),
    ],
)
def test_it_is_due_at_its_minutes(cron, at, due):
    assert Cron.parse(cron).is_due(at - timedelta(seconds=10), at + timedelta(seconds=10)) == due


def test_seconds_come_first_for_kubeflow():
    assert Cron.parse("0  5 * *  1").for_kubeflow == "0 0 5 * * 1"


@pytest.mark.parametrize(
    "cron",
    [
        "",
        "* * * *",
        "60 * * * *",
        "* * 0 * *",
        "* * * * 7",
        "5-1 * * * *",
        "*/0 * * * *",
        "@daily",
        "a * * * *",
        "*-5 * * * *",
    ],
)
def test_what_no_cron_is_is_refused(cron):
    with pytest.raises(IcefloeError, match=r"^--cron: "):
        Cron.parse(cron)
