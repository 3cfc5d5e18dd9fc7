"""Tables as Markdown and HTML."""

from html.parser import HTMLParser

from icefloe.tables import Table

ROWS = [{"dataset": "D1", "Dice": 0.91234, "note": "a|b"}, {"dataset": "D2", "Dice": None, "note": "<i>"}]


def test_markdown_has_formatted_numbers_on_the_right_a_dash_for_what_is_missing_and_pipes_escaped():
    assert Table.of(ROWS, {"Dice": ".3f"}).markdown() == (
        "| dataset   |   Dice | note   |\n"
        "|:----------|-------:|:-------|\n"
        "| D1        |  0.912 | a\\|b   |\n"
        "| D2        |      – | <i>    |\n"
    )


def test_html_escapes_every_cell():
    cells: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            cells.append(data.strip())

    page = Table.of(ROWS, {"Dice": ".3f"}).html()
    Reader().feed(page)
    assert [cell for cell in cells if cell] == [
        "dataset",
        "Dice",
        "note",
        "D1",
        "0.912",
        "a|b",
        "D2",
        "–",
        "<i>",
    ]
    assert "<i>" not in page


def test_a_table_without_rows_has_its_headings():
    assert "| a   | b   |" in Table.of([], columns=["a", "b"]).markdown()


def test_numbers_without_a_format_and_truth_values_are_written_as_they_are():
    table = Table.of([{"n": 3, "kept": True}])
    assert table.rows == (("3", "True"),)
    assert table.numeric == (True, False)
