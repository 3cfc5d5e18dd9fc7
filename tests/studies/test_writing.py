import json
from datetime import UTC, datetime

from matplotlib.figure import Figure

from studies.writing import Circumstances, write_study


class Lengths:
    name = "lengths"
    title = "Lengths"

    def to_markdown(self):
        return "![a line](lengths-line.png)"

    def figures(self):
        figure = Figure()
        figure.subplots().plot([0, 1])
        return {"line": figure}

    def to_dict(self):
        return {"longest_nm": 2.0}


def test_a_study_is_a_page_with_the_figures_it_names_and_its_numbers(tmp_path):
    page = write_study(Lengths(), tmp_path / "new", Circumstances("icefloe study lengths", "abc", 180.0))
    text = page.read_text()
    assert text.startswith("# Lengths\n\nMeasured ")
    assert f"{datetime.now(UTC):%Y-%m-%d} by `icefloe study lengths` in 3 min" in text
    assert "data version abc" in text
    assert (page.parent / "lengths-line.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((page.parent / "lengths.json").read_text())["longest_nm"] == 2.0
