import json
import math
import shutil
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import ClassVar

import pytest
from matplotlib.figure import Figure

from icefloe.errors import IcefloeError
from icefloe.progress import SILENT
from icefloe.settings import Settings
from icefloe.statistics.interval import Interval
from studies.kit import study
from studies.kit.figures import PALETTE
from studies.kit.study import StudyResult, compact_json, measured_by, run_study, write_study
from studies.kit.tables import align_tables, in_words, listed, table_of, tables_in


class Lengths(StudyResult):
    name: ClassVar[str] = "lengths"
    title: ClassVar[str] = "Lengths"
    folder: ClassVar[str] = "lengths"

    longest_nm: float
    shortest_nm: float = math.nan

    def sentence(self):
        return "One is longest."

    def findings(self):
        return [self.sentence()]

    def plot(self, ax):
        ax.plot([0, self.longest_nm])

    def figures(self):
        figure = Figure()
        self.plot(figure.subplots())
        return {"line": figure}


@pytest.fixture
def templates(tmp_path, monkeypatch):
    folder = tmp_path / "studies"
    (folder / "lengths").mkdir(parents=True)
    shutil.copytree(study.STUDIES / "kit", folder / "kit")
    (folder / "lengths" / "page.md.jinja").write_text(
        '{% extends "kit/page.md.jinja" %}\n{% block body %}\n'
        "| longest, nm |\n|--:|\n| {{ result.longest_nm }} |\n\n"
        "![a line](lengths-line.png)\n{% endblock %}\n"
    )
    monkeypatch.setattr(study, "STUDIES", folder)


def test_a_study_is_a_page_with_the_figures_it_names_and_its_numbers(templates, tmp_path):
    measured = measured_by("icefloe study lengths", 180.0, "abc")
    page = write_study(Lengths(measured=measured, longest_nm=2.0), tmp_path / "new")
    text = page.read_text()
    assert text.startswith("# Lengths\n\nMeasured ")
    assert f"{datetime.now(UTC):%Y-%m-%d} by `icefloe study lengths` in 3 min" in text
    assert "data version abc" in text
    assert "|   longest, nm |\n|--------------:|\n|           2.0 |" in text
    assert (page.parent / "lengths-line.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((page.parent / "lengths.json").read_text())["longest_nm"] == 2.0


def test_what_is_no_number_is_null(templates, tmp_path):
    write_study(Lengths(longest_nm=2.0), tmp_path)
    assert json.loads((tmp_path / "lengths.json").read_text())["shortest_nm"] is None


def test_all_figures_have_the_palette(templates, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(study, "png", lambda figure: drawn.append(figure) or b"")
    write_study(Lengths(longest_nm=2.0), tmp_path)
    assert drawn[0].axes[0].lines[0].get_color() == PALETTE[0]


def test_a_workspace_without_a_data_version_is_refused_before_anything_is_measured(tmp_path):
    settings = Settings(workspace=tmp_path)
    with pytest.raises(IcefloeError, match="no data version yet"):
        run_study(lambda *_: pytest.fail("measured"), settings, tmp_path, "icefloe", SILENT)


def test_json_has_a_record_a_line():
    rows = [{"name": f"row {i}", "values": [i] * 40} for i in range(3)]
    text = compact_json({"rows": rows, "empty": [], "long": "x" * 300})
    assert json.loads(text) == {"rows": rows, "empty": [], "long": "x" * 300}
    assert len(text.splitlines()) == 2 + 2 + 3 + 2


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (Interval(mean=0.1, low=0.05, high=0.15, n=3), "better"),
        (Interval(mean=-0.1, low=-0.15, high=-0.05, n=3), "costs labels"),
        (Interval(mean=0.1, low=-0.05, high=0.25, n=3), "no difference shown"),
        (Interval(mean=0.1, n=1), "one seed cannot tell"),
    ],
)
def test_a_difference_is_in_words_what_its_interval_says(interval, words):
    assert in_words(interval, worse="costs labels") == words


def test_a_pages_tables_are_laid_out_and_read_back_as_they_are():
    text = align_tables("Text\n\n| a | b |\n| 1.5 | x \\| y |\n| | z |\n\nMore | text\n")
    assert (
        text
        == "Text\n\n| a   | b      |\n|:----|:-------|\n| 1.5 | x \\| y |\n|     | z      |\n\nMore | text\n"
    )
    assert align_tables(text) == text
    (table,) = tables_in(text)
    assert (table.columns, table.rows) == (("a", "b"), (("1.5", "x | y"), ("", "z")))


def test_a_table_of_records_formats_numbers_and_intervals_and_names_a_group_once():
    half = Interval(mean=0.5, low=0.4, high=0.6, n=3)
    rows = [SimpleNamespace(group="g", n=n, score=score) for n, score in ((1, half), (2, None))]
    columns = {"group": "group", "n": "n:.1f", "score": "score:±2", "gain": "score:+1", "both": "score"}
    assert table_of(rows, columns, grouped_by=["group"]).rows == (
        ("g", "1.0", "0.50 ± 0.10", "+0.5 [+0.4, +0.6]", "0.500 [0.400, 0.600]"),
        ("", "2.0", "–", "–", "–"),
    )


def test_names_are_listed_as_in_a_sentence():
    assert [listed("A"), listed("AB"), listed("ABC")] == ["A", "A and B", "A, B and C"]
