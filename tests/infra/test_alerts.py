"""The alert rules, by Prometheus' own tool."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).parents[2]
RULES = REPOSITORY / "infra" / "prometheus" / "alerts.yaml"


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool: not on this machine. Install: apt-get install prometheus")
    return found


def test_what_is_not_well_is_told_and_what_is_well_is_not(promtool, tmp_path):
    cases = Path(__file__).with_name("alerts.test.yaml").read_text(encoding="utf-8")
    (tmp_path / "test.yaml").write_text(cases.replace("RULES", str(RULES)), encoding="utf-8")

    done = subprocess.run(
        [promtool, "test", "rules", "test.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_ask_for_numbers_that_the_service_has():
    asked = set(re.findall(r"icefloe_\w+", RULES.read_text(encoding="utf-8")))
    told = {
        name
        for path in (REPOSITORY / "serving").rglob("*.py")
        for name in re.findall(r"icefloe_\w+", path.read_text(encoding="utf-8"))
    }

    assert len(asked) == 3
    assert asked <= told
