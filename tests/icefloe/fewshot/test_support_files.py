"""Support sets from a table, or from chips that another program cut out."""

import numpy as np
import pytest
from PIL import Image

from icefloe.errors import IcefloeError
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.support_files import chip_edge_of_folder, sets_from_folder, sets_from_table

GRID = Grid(height=40, width=60, edge=10)


def table(tmp_path, text):
    path = tmp_path / "supports.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_chips_are_named_by_number_or_by_place(tmp_path):
    by_number = sets_from_table(table(tmp_path, "chip,set\n3,dots\n0,other\n1,dots\n"), GRID)
    by_place = sets_from_table(table(tmp_path, "row,column,set\n0,3,dots\n0,0,other\n0,1,dots\n"), GRID)
    assert by_number == by_place
    assert [(one.name, one.chips) for one in by_number.sets] == [("dots", (1, 3)), ("other", (0,))]


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("a,b\n1,2\n", "its columns must be chip,set or row,column,set"),
        ("chip,set\n1,a\nx,b\n", "line 3: a number is missing. Fix that line."),
        ("chip,set\n1,a\n24,b\n", "line 3: chip 24: the grid has chips 0 to 23"),
        ("row,column,set\n4,0,a\n", "line 2: no chip in row 4, column 0: the grid has rows 0 to 3"),
        ("chip,set\n1,a\n1,b\n", "b: chip 1 is in a, too"),
        ("chip,set\n1,\n", "A set without a name"),
    ],
)
def test_a_table_that_is_wrong_is_refused_by_line_or_set(tmp_path, text, refusal):
    with pytest.raises(IcefloeError) as refused:
        sets_from_table(table(tmp_path, text), GRID)
    assert refusal in str(refused.value)
    assert "supports.csv" in str(refused.value)


@pytest.fixture
def cut_out(tmp_path, rng):
    """An image, and some of its chips in folders, under names that say nothing."""
    image = rng.normal(100, 30, (40, 60)).clip(0, 255).astype(np.uint8)
    chips = GRID.chips(image)
    for name, places in {"dots": [(0, 1), (3, 5)], "other": [(2, 2)]}.items():
        (tmp_path / "sets" / name).mkdir(parents=True)
        for number, (row, column) in enumerate(places):
            Image.fromarray(chips[row, column]).save(tmp_path / "sets" / name / f"x_{number}.png")
    return image.astype(np.float32), tmp_path / "sets"


def test_chips_of_another_program_are_found_again_in_the_image(cut_out):
    image, folder = cut_out
    assert chip_edge_of_folder(folder) == 10
    sets, notes = sets_from_folder(folder, image, GRID)
    assert [(one.name, one.chips) for one in sets.sets] == [("dots", (1, 23)), ("other", (14,))]
    assert notes == ()


def test_a_picture_of_one_value_is_left_out_with_a_note(cut_out):
    image, folder = cut_out
    Image.new("L", (10, 10), 255).save(folder / "other" / "white.png")
    sets, notes = sets_from_folder(folder, image, GRID)
    assert sets.one("other").chips == (14,)
    assert notes[0].startswith(
        "1 of 4 pictures look like no chip of the grid: other/white.png. They are left"
    )


def test_chips_of_another_image_or_grid_are_refused(cut_out, rng):
    image, folder = cut_out
    with pytest.raises(IcefloeError, match="3 of 3 pictures look like no chip of the grid: dots/x_0"):
        sets_from_folder(folder, rng.normal(size=(40, 60)).astype(np.float32), GRID)
    with pytest.raises(IcefloeError, match="10x10 px, but the grid's chips have 20"):
        sets_from_folder(folder, image, Grid(height=40, width=60, edge=20))


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(IcefloeError, match="no folder in it holds a picture"):
        chip_edge_of_folder(tmp_path)


def test_the_published_support_chips_are_found(real_data):
    from icefloe.fewshot.source import read_picture

    folder = real_data / "fewshot-chips" / "fig2_c"
    image = read_picture(folder / "test.tiff").image
    grid = Grid(height=512, width=512, edge=chip_edge_of_folder(folder / "support_set"))
    sets, notes = sets_from_folder(folder / "support_set", image, grid)
    assert sets.names == ("background", "edge", "flat")
    assert len(sets.one("edge").chips) == 5
    assert "flat/cropX_6_Y_2.jpg" in notes[0]  # saturated, like others there
    # Their own names hold column and row, from 0; that is checked here and nowhere trusted.
    assert sets.one("background").chips == (4 * 16 + 0, 12 * 16 + 9)
