"""Painted masks and their table, as editors and spreadsheets save them."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from icefloe.active.uploads import encode_png
from icefloe.errors import IcefloeError

HEADING = "dataset,stem,strategy,score,rank,reason,author,time,seconds\n"
ROW = "Q,c_2,random,0.5,1,drawn,Bea,2026-03-01 13:00,99\n"


def write(folder: Path, name: str, content: bytes | Image.Image | np.ndarray) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, np.ndarray):
        content = encode_png(content.astype(np.uint8))
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content.save(path)
    return folder


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "L", "1", "P"])
@pytest.mark.parametrize("suffix", [".png", ".PNG"])
def test_a_mask_painted_black_and_white_is_read_in_every_kind_of_png(take, tmp_path, square, mode, suffix):
    picture = io.BytesIO()
    Image.fromarray(square * np.uint8(255)).convert(mode).save(picture, "PNG")
    masks, _ = take(write(tmp_path, f"masks/Q/c_2{suffix}", picture.getvalue()), "png")
    np.testing.assert_array_equal(masks["Q/c_2"], square)


def test_a_palette_with_white_first_is_not_inverted(take, tmp_path, square):
    picture = Image.fromarray(square).convert("RGB").convert("P", palette=Image.Palette.ADAPTIVE, colors=2)
    masks, _ = take(write(tmp_path, "masks/Q/c_2.png", picture), "png")
    np.testing.assert_array_equal(masks["Q/c_2"], square)


def test_a_mask_white_all_over_is_all_ice(take, tmp_path):
    masks, _ = take(write(tmp_path, "masks/Q/c_2.png", np.full((64, 80), 255)), "png")
    assert (masks["Q/c_2"] == 1).all()


def test_a_mask_of_class_indices_beside_a_black_and_white_one_is_read(take, tmp_path, square):
    write(tmp_path, "masks/Q/c_1.png", square)
    masks, _ = take(write(tmp_path, "masks/Q/c_2.png", square * 255), "png")
    np.testing.assert_array_equal(masks["Q/c_1"], masks["Q/c_2"])


def test_white_that_could_be_ice_or_ignored_is_refused(take, tmp_path, square):
    write(tmp_path, "masks/Q/c_1.png", np.where(np.roll(square, 9), 255, square))
    with pytest.raises(IcefloeError, match=r"c_2.png: 255 may be class 1 here, or ignored as in other masks"):
        take(write(tmp_path, "masks/Q/c_2.png", square * 255), "png")


def test_greys_of_a_soft_brush_are_refused_with_their_number(take, tmp_path, square):
    soft = square * np.uint8(255)
    soft[8, 10:41] = 128
    with pytest.raises(
        IcefloeError, match=r"c_2.png: 31 pixels are of no class \(grey levels 128\), as a soft"
    ):
        take(write(tmp_path, "masks/Q/c_2.png", soft), "png")


def test_files_of_other_kinds_are_told_and_refused_where_that_is_asked(take, tmp_path, square):
    write(write(tmp_path, "masks/Q/c_2.png", square), "masks/Q/c_1.xcf", b"gimp")
    write(write(tmp_path, "images/Q/c_2.jpg", b"not told: it is no mask"), "masks/Q/c_1.jpg", b"jpeg")
    assert take(tmp_path, "png")[1] == (
        "1 label imported.",
        "2 not taken (not a PNG): masks/Q/c_1.jpg, masks/Q/c_1.xcf",
    )
    with pytest.raises(
        IcefloeError, match=r"2 not taken \(not a PNG\): .* Nothing was imported; .* --strict"
    ):
        take(tmp_path, "png", strict=True)


def test_what_lies_beside_the_masks_is_told(take, tmp_path, square):
    write(write(tmp_path, "masks/Q/c_2.png", square), "items.xlsx", b"PK")
    write(tmp_path, "copy of c_1.png", square)
    assert take(tmp_path, "png")[1] == (
        "1 label imported.",
        "1 not taken (not in the folder `masks`): copy of c_1.png",
        "1 not taken (not a PNG): items.xlsx",
    )


def test_two_tables_are_refused(take, tmp_path, square):
    write(write(tmp_path, "masks/Q/c_2.png", square), "items.csv", (HEADING + ROW).encode())
    with pytest.raises(IcefloeError, match=r"2 tables items.csv in it. Leave one."):
        take(write(tmp_path, "old/items.csv", HEADING.encode()), "png")


def test_only_other_files_are_no_labels(take, tmp_path):
    with pytest.raises(
        IcefloeError, match=r"no labels in it; 1 not taken \(not a PNG\): masks/Q/c_2.bmp. Label"
    ):
        take(write(tmp_path, "masks/Q/c_2.bmp", b"BM"), "png")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("first", ["", "sep="])
def test_a_table_is_read_as_spreadsheets_save_it(
    make_queue, take, tmp_path, square, separator, encoding, first
):
    text = (f"sep={separator}\n" if first else "") + (HEADING + ROW).replace(",", separator)
    write(
        write(tmp_path, "masks/Q/c_2.png", square), "items.csv", text.replace("\n", "\r\n").encode(encoding)
    )
    queue = make_queue()
    take(tmp_path, "png", queue)
    (label,) = queue.labels()
    assert (label.labeler, label.time, label.seconds) == ("Bea", 1772370000.0, 99.0)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (ROW, "no columns `dataset` and `stem`, but q, c_2, random"),
        ("", "no columns `dataset` and `stem`, but none."),
        (HEADING + ROW + ROW, "two rows of Q/c_2. Leave one."),
        (HEADING + ROW.replace("c_2", "c_3"), "Q/c_3 is not in the queue."),
        (
            HEADING + ROW.replace("2026-03-01 13:00", "01.03.2026 13:00"),
            "time '01.03.2026 13:00' is not ISO 8601.",
        ),
        (HEADING + ROW.replace("2026", "2226"), "time '2226-03-01 13:00' can't be when a label was made."),
        (HEADING + '"Q', "not a CSV table (unexpected end of data)."),
    ],
)
def test_a_table_that_can_not_be_meant_is_refused(take, tmp_path, square, table, message):
    write(write(tmp_path, "masks/Q/c_2.png", square), "items.csv", table.encode())
    with pytest.raises(IcefloeError, match=r"items.csv: ") as error:
        take(tmp_path, "png")
    assert message in str(error.value)


def test_empty_rows_that_spreadsheets_leave_are_passed_over(take, tmp_path, square):
    write(write(tmp_path, "masks/Q/c_2.png", square), "items.csv", (HEADING + ROW + ",,,,,,,,\n\n").encode())
    assert take(tmp_path, "png")[1] == ("1 label imported.",)


def test_a_table_in_the_encoding_of_one_country_is_refused(take, tmp_path, square):
    write(
        write(tmp_path, "masks/Q/c_2.png", square),
        "items.csv",
        (HEADING + ROW).replace("Bea", "Jörg").encode("cp1252"),
    )
    with pytest.raises(IcefloeError, match=r"items.csv: not a table in UTF-8 .* Save it as `CSV UTF-8`."):
        take(tmp_path, "png")
