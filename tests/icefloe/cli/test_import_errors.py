"""Images and masks that can't be used: one line that names the file and the remedy, and nothing written."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from icefloe.datasets.dataset import DatasetInfo

GREY = np.random.default_rng(0).integers(0, 60_000, (64, 64)).astype(np.uint16)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "camera"
    folder.mkdir()
    return folder


@pytest.fixture
def refusal_of(cli, workspace, source, files_in):
    """Import `source` with options; the error, after checking that the workspace is as it was."""

    def run(*options: str) -> str:
        before = files_in(workspace)
        message = cli("-C", workspace, "data", "import", source, "--name", "D1", *options).refusal
        assert files_in(workspace) == before
        assert list((workspace / "data").iterdir()) == []
        return message

    return run


@pytest.fixture
def refusal(refusal_of):
    """As `refusal_of`, without options."""
    return refusal_of


def write_mask(path: Path, mask: np.ndarray) -> None:
    Image.fromarray(mask.astype(np.uint8)).save(path)


def test_an_empty_folder(refusal, source):
    assert refusal() == (f"{source}: no image that Icefloe reads, the dataset would be empty. Name another.")


def test_a_mask_of_another_size(refusal, source):
    tifffile.imwrite(source / "a.tif", GREY)
    write_mask(source / "a_label.png", np.zeros((32, 48)))

    assert refusal() == (
        f"{source / 'a_label.png'}: mask is 48x32 but the image is 64x64. "
        "Export the mask at the image's size."
    )


def test_a_mask_with_unknown_classes(refusal, source):
    tifffile.imwrite(source / "a.tif", GREY)
    mask = np.zeros((64, 64))
    mask[0, :2] = 3, 7
    write_mask(source / "a_label.png", mask)

    message = refusal()
    assert message.startswith(f"{source / 'a_label.png'}: mask has unknown classes (values 3, 7)")
    assert message.endswith(
        'Name every class: --classes "background,ice,NAME2,NAME3,NAME4,NAME5,NAME6,NAME7".'
    )


def test_a_truncated_tiff(refusal, source):
    tifffile.imwrite(source / "a.tif", GREY)
    whole = (source / "a.tif").read_bytes()
    (source / "a.tif").write_bytes(whole[: len(whole) // 2])

    message = refusal()
    assert message.startswith(f"{source / 'a.tif'}: truncated")
    assert message.endswith("Export or copy it again.")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_no_numbers(refusal, source, value):
    image = GREY.astype(np.float32)
    image[3, 3] = value
    tifffile.imwrite(source / "a.tif", image)

    assert refusal() == (
        f"{source / 'a.tif'}: 1 pixels are NaN or infinite. Replace or crop them before importing."
    )


def test_a_constant_image(refusal, source):
    tifffile.imwrite(source / "a.tif", np.full((64, 64), 7, np.uint16))

    assert refusal() == (
        f"{source / 'a.tif'}: all pixels have the value 7, nothing to see. Leave the image out."
    )


def test_an_image_of_one_pixel(refusal, source):
    tifffile.imwrite(source / "a.tif", np.full((1, 1), 7, np.uint16))

    assert refusal() == f"{source / 'a.tif'}: the image is only 1x1 pixels. Export it at full size."


def test_a_colour_picture(refusal, source):
    colours = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    Image.fromarray(colours).save(source / "a.png")

    message = refusal()
    assert message.startswith(f"{source / 'a.png'}: a colour picture (its red, green and blue differ)")
    assert message.endswith("Export the detector's own grey values.")


def test_one_bad_image_among_good_ones_is_named_and_the_others_are_imported(
    cli, workspace, refusal_of, source
):
    for number in range(3):
        tifffile.imwrite(source / f"stack_{number}.tif", GREY + number)
    (source / "stack_3.tif").write_bytes(b"II*\0 not really")

    assert refusal_of("--strict").startswith(f"{source / 'stack_3.tif'}: ")
    outcome = cli("-C", workspace, "data", "import", source, "--name", "D1")
    assert outcome.code == 0
    assert "D1: 3 images" in outcome.out
    assert "Not taken: stack_3.tif: truncated, damaged" in outcome.out


def test_a_name_that_leads_out_of_the_data_folder(cli, workspace, source, files_in):
    tifffile.imwrite(source / "a.tif", GREY)
    before = files_in(workspace)

    message = cli("-C", workspace, "data", "import", source, "--name", "../D1").refusal
    assert message.startswith("dataset.name: the name holds a slash")
    assert "not '../D1'" in message
    assert files_in(workspace) == before


def test_grey_stored_as_colour_is_converted(cli, workspace, source):
    grey = (GREY >> 8).astype(np.uint8)
    Image.fromarray(np.stack([grey] * 3, axis=-1)).save(source / "a.png")

    outcome = cli("-C", workspace, "data", "import", source, "--name", "D1")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("D1: 1 image, 0 with labels\n")
    listing = cli("-C", workspace, "data", "list").out
    assert "D1" in listing


def test_a_name_in_use_is_refused_and_the_dataset_stays(cli, workspace, source, files_in):
    tifffile.imwrite(source / "a.tif", GREY)
    cli("-C", workspace, "data", "import", source, "--name", "D1")
    before = files_in(workspace)

    message = cli("-C", workspace, "data", "import", source, "--name", "D1").refusal
    assert message.endswith("there is a dataset of this name. Choose another name with --name.")
    assert files_in(workspace) == before


def test_held_back_labels_are_counted(cli, workspace, source):
    for number in range(2):
        tifffile.imwrite(source / f"stack_{number}.tif", GREY + number)
        write_mask(source / f"stack_{number}_label.png", GREY > 30_000)

    outcome = cli("-C", workspace, "data", "import", source, "--name", "D3", "--hold-labels")

    assert outcome.out.startswith("D3: 2 images, 0 with labels, 2 labels held back\n")


def test_simulating_over_another_dataset_is_one_line_and_nothing_else(cli, workspace, files_in):
    (workspace / "data" / "D1").mkdir()
    (workspace / "data" / "D1" / "dataset.yaml").write_text("mine")
    before = files_in(workspace)
    outcome = cli("-C", workspace, "data", "simulate")

    message = f"{workspace / 'data' / 'D1'}: exists already with another dataset.yaml"
    assert outcome.refusal.startswith(message)
    assert outcome.out == ""
    assert files_in(workspace) == before


def test_a_file_that_is_not_taken_with_strict(refusal_of, source):
    tifffile.imwrite(source / "a.tif", GREY)
    (source / "a.xml").write_text("<annotation/>")

    assert refusal_of("--strict") == (
        f"{source}: 1 not taken (.xml, which is not read): a.xml. "
        "Move these away, or import without --strict."
    )


def test_what_is_not_taken_and_what_was_decided_is_printed(cli, workspace, source):
    tifffile.imwrite(source / "a.tif", GREY)
    (source / "a.xml").write_text("<annotation/>")
    shape = {"label": "[b]crystal", "points": [[10, 8], [40, 8], [40, 30]]}
    (source / "a.json").write_text(json.dumps({"shapes": [shape], "imagePath": "a.tif"}))

    outcome = cli("-C", workspace, "data", "import", source, "--name", "D1")
    assert outcome.code == 0
    assert outcome.out.splitlines()[:3] == [
        "D1: 1 image, 1 with labels",
        "Outlines named '[b]crystal' are taken as 'ice'.",
        "1 not taken (.xml, which is not read): a.xml",
    ]


def test_a_table_of_conditions_is_taken_from_the_command_line(cli, workspace, source, tmp_path):
    tifffile.imwrite(source / "a.tif", GREY)
    (tmp_path / "particles.csv").write_text("image,Dosage (e/A2),Material\na.dm3,423,Au\n")
    cli("-C", workspace, "data", "import", source, "--name", "D1", "--metadata", tmp_path / "particles.csv")
    info = DatasetInfo.load(workspace / "data" / "D1")
    assert (info.dose_e_per_A2, info.material) == (423, "Au")


def test_a_table_of_other_images(refusal_of, source, tmp_path):
    tifffile.imwrite(source / "a.tif", GREY)
    table = tmp_path / "particles.csv"
    table.write_text("image,material\nb,Au\n")
    assert refusal_of("--metadata", table) == (
        f"{table}: no row is of an image here, such as a. Name the images' files in the column 'image'."
    )
