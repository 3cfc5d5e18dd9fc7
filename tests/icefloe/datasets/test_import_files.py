"""Which files of a folder an import takes, which it tells it did not, and how labels find their image."""

import json
import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from icefloe.datasets.importer import ImportResult, import_folder
from icefloe.datasets.labels import write_coco, write_labelme
from icefloe.errors import IcefloeError

ICE = ["background", "ice"]


def disc(value: int = 1) -> np.ndarray:
    rows, columns = np.mgrid[:20, :30]
    return (np.hypot(rows - 10, columns - 15) < 6).astype(np.uint8) * value


def write_image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    grey = np.random.default_rng(len(path.name)).integers(0, 255, (20, 30), dtype=np.uint8)
    Image.fromarray(grey).save(path)


def write_white(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(disc(255)).save(path)


def run(tmp_path: Path, **options: bool) -> ImportResult:
    return import_folder(tmp_path / "mine", "D1", tmp_path / "data", **options)


def labelled(result: ImportResult) -> list[str]:
    stems = [sample.stem for sample in result.dataset.labelled]
    for sample in result.dataset.labelled:
        np.testing.assert_array_equal(sample.mask(), disc())
    return stems


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder of two images."""
    for name in ("a.png", "b.png"):
        write_image(tmp_path / "mine" / name)
    return tmp_path / "mine"


@pytest.mark.parametrize("images", ["images", "Images", "IMAGE", "img"])
@pytest.mark.parametrize("masks", ["masks", "Masks", "mask", "Labels", "LABEL", "annotations", "gt"])
def test_folders_of_images_and_labels_are_known_in_any_case(tmp_path, images, masks):
    write_image(tmp_path / "mine" / images / "a.png")
    write_white(tmp_path / "mine" / masks / "a.png")
    assert labelled(run(tmp_path)) == ["a"]


@pytest.mark.parametrize("name", ["a_mask.npy", "a_label.tif", "a-Mask.png", "a_labels.bmp", "a mask.PNG"])
def test_masks_beside_their_images_are_known_in_every_format(mine, tmp_path, name):
    if name.endswith(".npy"):
        np.save(mine / name, disc().astype(bool))
    else:
        write_white(mine / name)
    assert labelled(run(tmp_path)) == ["a"]


@pytest.mark.parametrize("name", ["a.json", "a.JSON", "labels/a.Json", "all.json"])
def test_labelme_files_are_known_by_their_name_or_the_one_inside(mine, tmp_path, name):
    (mine / "labels").mkdir()
    write_labelme(mine / name, "a.png", disc(), ICE)
    assert labelled(run(tmp_path)) == ["a"]


@pytest.mark.parametrize("inside", ["NFC", "NFD"])
@pytest.mark.parametrize("outside", ["NFC", "NFD"])
def test_composed_and_decomposed_names_are_the_same(tmp_path, inside, outside):
    composed = "Kälte_é"
    write_image(tmp_path / "mine" / f"{unicodedata.normalize(outside, composed)}.png")
    write_image(tmp_path / "mine" / f"{unicodedata.normalize(outside, composed)}2.png")
    name = unicodedata.normalize(inside, composed)
    write_coco(tmp_path / "mine" / "all.json", {f"frames\\{name}.png": disc()}, ICE)
    write_white(tmp_path / "mine" / "masks" / f"{name}2.png")
    assert len(labelled(run(tmp_path))) == 2


@pytest.mark.parametrize(
    "names",
    [
        ("Kälte.png", unicodedata.normalize("NFD", "Kälte.png")),
        (unicodedata.normalize("NFD", "Kälte.png"), "Kälte.tif"),
        ("images/a.png", "Image/a.tif"),
    ],
)
def test_two_images_of_one_name_are_refused_naming_both(tmp_path, names):
    for name in names:
        write_image(tmp_path / "mine" / name)
    refused = r"(has the same stem|differs from K.*lte\.png only in case).* Rename (or remove )?one"
    with pytest.raises(IcefloeError, match=refused):
        run(tmp_path)


def test_what_operating_systems_leave_behind_is_no_file_of_anyones(mine, tmp_path):
    for name in ("._a.png", "._a_mask.png", ".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX/._a.png"):
        (mine / name).parent.mkdir(exist_ok=True)
        (mine / name).write_bytes(b"\0\5\26\7")
    (mine / "masks").mkdir()
    (mine / "masks" / "._a.png").write_bytes(b"\0\5\26\7")
    assert run(tmp_path, strict=True).left_out == ()


def test_what_is_not_taken_is_told_by_reason_and_count(mine, tmp_path):
    (mine / "readme.txt").write_text("mine")
    (mine / "b.txt").write_text("0 0.5 0.5 0.1 0.1")
    (mine / "a.xml").write_text("<annotation/>")
    (mine / "metadata.json").write_text('{"voltage": 300}')
    write_image(mine / "train" / "c.png")
    assert run(tmp_path).sentences() == (
        "D1: 2 images, 0 with labels",
        "1 not taken (folders that are not looked into): train",
        "1 not taken (.xml, which is not read): a.xml",
        "2 not taken (.txt, which is not read): b.txt, readme.txt",
        "1 not taken (JSON of something other than labels): metadata.json",
    )


def test_images_beside_the_folder_of_images_are_told(tmp_path):
    write_image(tmp_path / "mine" / "images" / "a.png")
    write_image(tmp_path / "mine" / "overview.png")
    write_image(tmp_path / "mine" / "images" / "old" / "b.png")
    assert [left.names for left in run(tmp_path).left_out] == [("images/old",), ("overview.png",)]


def test_strict_refuses_a_folder_with_files_that_are_not_taken(mine, tmp_path):
    (mine / "readme.txt").write_text("mine")
    with pytest.raises(IcefloeError) as error:
        run(tmp_path, strict=True)
    assert str(error.value) == (
        f"{mine}: 1 not taken (.txt, which is not read): readme.txt. "
        "Move these away, or import without --strict."
    )
    assert not (tmp_path / "data" / "D1").exists()


def test_an_image_without_a_label_in_a_label_file_is_unlabelled_and_told(mine, tmp_path):
    write_coco(mine / "all.json", {"a.png": disc(), "b.png": np.zeros_like(disc())}, ICE)
    result = run(tmp_path)
    assert labelled(result) == ["a"]
    assert result.notes == ("Listed in a label file without any label, so unlabelled: b.",)


def test_a_name_of_another_image_inside_a_label_file_is_told(mine, tmp_path):
    write_labelme(mine / "a.json", "b.png", disc(), ICE)
    result = run(tmp_path)
    assert labelled(result) == ["a"]
    assert result.notes == ("Taken by the name of the label file, which names another image inside: a.",)


def _jpeg(mine: Path) -> None:
    write_white(mine / "a_mask.jpg")


def _jpeg_in_folder(mine: Path) -> None:
    write_white(mine / "masks" / "a.jpg")


def _painting(mine: Path) -> None:
    (mine / "a_mask.xcf").write_bytes(b"gimp xcf")


def _via(mine: Path) -> None:
    (mine / "via.json").write_text(json.dumps({"a.png1": {"filename": "a.png", "regions": []}}))


def _label_studio(mine: Path) -> None:
    (mine / "export.json").write_text(json.dumps([{"data": {"image": "a.png"}, "annotations": []}]))


def _one_image_twice_in_a_file(mine: Path) -> None:
    write_coco(mine / "all.json", {"x/a.png": disc(), "y/a.png": disc()}, ICE)


def _one_image_in_two_files(mine: Path) -> None:
    write_coco(mine / "all.json", {"a.png": disc(), "b.png": disc()}, ICE)
    write_labelme(mine / "b.json", "b.png", disc(), ICE)


def _outlines_of_an_absent_image(mine: Path) -> None:
    write_coco(mine / "all.json", {"a.png": disc(), "c.png": disc()}, ICE)


def _two_masks(mine: Path) -> None:
    write_white(mine / "a_mask.png")
    write_white(mine / "Masks" / "a.png")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_jpeg, "a_mask.jpg: a mask in a format that blurs the borders between classes. Export it as PNG."),
        (_jpeg_in_folder, "a.jpg: a mask in a format that blurs the borders between classes."),
        (_painting, "a_mask.xcf: a mask in a format that is not read. Export it as PNG."),
        (_via, "via.json: labels in the format of the VGG Image Annotator"),
        (_label_studio, "export.json: labels in the format of Label Studio"),
        (_one_image_twice_in_a_file, "all.json: 'x/a.png' and 'y/a.png' are both a.png. Remove one"),
        (_one_image_in_two_files, "b.json: all.json has polygons of 'b' too. Remove one of them."),
        (_outlines_of_an_absent_image, "all.json: polygons for 'c.png', which is not here"),
        (_two_masks, "a.png: a_mask.png labels the same image. Remove one of them."),
    ],
)
def test_labels_that_cannot_be_used_are_refused_and_nothing_is_written(mine, tmp_path, spoil, message):
    spoil(mine)
    with pytest.raises(IcefloeError) as error:
        run(tmp_path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert not list((tmp_path / "data").rglob("*"))


@pytest.mark.parametrize("name", ["mask_a.png", "a_seg.png", "a_gt.tif", "label_a.png", "a-segmentation.bmp"])
def test_masks_with_other_words_in_their_names_are_masks_where_there_is_the_image(mine, tmp_path, name):
    write_white(mine / name)
    assert labelled(run(tmp_path)) == ["a"]


def test_an_image_with_such_a_word_in_its_name_is_an_image_where_there_is_none_without(tmp_path):
    for name in ("gt_1.png", "a_seg.png", "mask_2.png"):
        write_image(tmp_path / "mine" / name)
    assert [sample.stem for sample in run(tmp_path).dataset.samples] == ["a_seg", "gt_1", "mask_2"]


def test_an_image_of_two_grey_levels_is_told_to_be_perhaps_a_mask(mine, tmp_path):
    write_white(mine / "a_binary.png")
    assert run(tmp_path).notes == ("Images of only two grey levels, perhaps masks: a_binary.",)


def test_links_to_what_is_not_there_are_told(mine, tmp_path):
    (mine / "c.png").symlink_to(tmp_path / "gone.png")
    assert run(tmp_path).sentences()[1:] == ("1 not taken (links to what is not there): c.png",)


def test_an_image_that_is_named_twice_in_a_file_is_refused_even_where_one_has_no_label(mine, tmp_path):
    write_coco(mine / "all.json", {"x/a.png": disc(), "y/a.png": np.zeros_like(disc())}, ICE)
    with pytest.raises(IcefloeError, match=r"'x/a\.png' and 'y/a\.png' are both a\.png"):
        run(tmp_path)


@pytest.mark.parametrize("stem", ["T=-12°C_001", "50%_x", "[Ceta] 0001", "(1)", "-12C_002", "x..y", "氷_1"])
def test_stems_of_any_letters_are_taken_with_their_labels(tmp_path, stem):
    write_image(tmp_path / "mine" / f"{stem}.png")
    write_white(tmp_path / "mine" / f"{stem}_mask.png")
    assert labelled(run(tmp_path)) == [stem]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (b"bild_\xe4.png", r"bild_\udce4.png: the name is not in UTF-8"),
        (b"x" * 245 + b".png", ".png: the name is 245 bytes long, more than 200. Rename it."),
        (b"a\nb.png", r"a\nb.png: the name holds a control character or a line break. Rename it."),
    ],
)
def test_names_that_could_not_be_kept_are_refused_at_the_door(mine, tmp_path, name, message):
    Path(os.fsdecode(os.fsencode(mine) + b"/" + name)).write_bytes((mine / "a.png").read_bytes())
    with pytest.raises(IcefloeError) as error:
        run(tmp_path)
    assert message in str(error.value)
    str(error.value).encode()


def test_images_that_differ_only_in_case_are_refused(mine, tmp_path):
    write_image(mine / "A.png")
    with pytest.raises(IcefloeError, match=r"a\.png: differs from A\.png only in case"):
        run(tmp_path)


def test_names_are_kept_with_composed_accents(tmp_path):
    write_image(tmp_path / "mine" / unicodedata.normalize("NFD", "Kälte.png"))
    (sample,) = run(tmp_path).dataset.samples
    assert sample.stem == unicodedata.normalize("NFC", "Kälte")


def test_a_label_file_without_labels_of_an_absent_image_is_told(mine, tmp_path):
    write_labelme(mine / "c.json", "c.png", np.zeros_like(disc()), ICE)
    assert run(tmp_path).sentences()[1:] == ("1 not taken (labels of no image that is here): c.json",)
