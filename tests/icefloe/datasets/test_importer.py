import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from icefloe.datasets.importer import import_folder
from icefloe.datasets.label_history import read_history
from icefloe.datasets.labels import write_coco, write_labelme
from icefloe.errors import IcefloeError


@pytest.fixture
def source(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Three images `stack_1.png` to `stack_3.png`."""
    folder = tmp_path / "mine"
    folder.mkdir()
    for index in (1, 2, 3):
        Image.fromarray(rng.integers(0, 255, (20, 30), dtype=np.uint8)).save(folder / f"stack_{index}.png")
    return folder


def disc(value: int = 1) -> np.ndarray:
    rows, columns = np.mgrid[:20, :30]
    return (np.hypot(rows - 10, columns - 15) < 6).astype(np.uint8) * value


def test_masks_beside_the_images_become_class_indices_and_images_are_copied_as_they_are(source, tmp_path):
    Image.fromarray(disc(255)).save(source / "stack_2_label.png")
    dataset = import_folder(source, "D1", tmp_path / "data", author="Ada").dataset
    assert [sample.stem for sample in dataset.labelled] == ["stack_2"]
    np.testing.assert_array_equal(dataset.labelled[0].mask(), disc())
    assert dataset.samples[0].image_path.read_bytes() == (source / "stack_1.png").read_bytes()
    assert [(record.stem, record.author) for record in read_history(dataset.path)] == [("stack_2", "Ada")]


def test_images_and_masks_folders_with_their_own_words_are_matched(tmp_path, rng):
    for folder, word in (("images", "image"), ("masks", "label")):
        (tmp_path / "np" / folder).mkdir(parents=True)
        for index in (0, 1, 10):
            grey = disc(255) if word == "label" else rng.integers(0, 99, (20, 30), dtype=np.uint8)
            Image.fromarray(grey).convert("RGBA").save(tmp_path / "np" / folder / f"{word}_{index}.png")
    dataset = import_folder(
        tmp_path / "np", "NP", tmp_path / "data", classes=["background", "particle"]
    ).dataset
    assert [sample.stem for sample in dataset.labelled] == ["image_0", "image_1", "image_10"]
    np.testing.assert_array_equal(dataset.samples[2].mask(), disc())


def test_masks_with_class_indices_keep_255_as_ignore(source, tmp_path):
    mask = disc()
    mask[0] = 255
    Image.fromarray(mask).save(source / "stack_1_label.png")
    dataset = import_folder(source, "D1", tmp_path / "data").dataset
    np.testing.assert_array_equal(dataset.samples[0].mask(), mask)


def test_polygons_go_by_the_json_files_own_name_where_its_file_name_is_wrong(source, tmp_path):
    write_coco(source / "stack_2.json", {"stack_3.png": disc()}, ["background", "ice"])
    dataset = import_folder(source, "D1", tmp_path / "data").dataset
    assert [sample.stem for sample in dataset.labelled] == ["stack_2"]
    np.testing.assert_array_equal(dataset.labelled[0].mask(), disc())


def test_one_coco_file_labels_a_folder(source, tmp_path):
    masks = {"frames\\stack_1.png": disc(), "stack_3.png": disc(), "stack_2.png": np.zeros_like(disc())}
    write_coco(source / "all.json", masks, ["background", "ice"])
    dataset = import_folder(source, "D1", tmp_path / "data").dataset
    assert [sample.stem for sample in dataset.labelled] == ["stack_1", "stack_3"]


def test_labelme_files_label_their_images(source, tmp_path):
    write_labelme(source / "stack_1.json", "stack_1.png", disc(), ["background", "ice"])
    (source / "stack_2.json").write_text(json.dumps({"voltage": 300}))
    dataset = import_folder(source, "D1", tmp_path / "data").dataset
    assert [sample.stem for sample in dataset.labelled] == ["stack_1"]


def test_held_labels_are_truth_and_nothing_is_labelled(source, tmp_path):
    Image.fromarray(disc(255)).save(source / "stack_1_label.png")
    dataset = import_folder(source, "D3", tmp_path / "data", hold_labels=True, author="Ada").dataset
    assert not dataset.labelled
    np.testing.assert_array_equal(dataset.samples[0].truth(), disc())
    assert not (dataset.path / "labels.csv").exists()


def test_containers_become_tiff_of_the_same_values_and_dataset_yaml_says_so(real_data, tmp_path):
    containers = real_data / "containers" / "rosettasciio"
    (tmp_path / "em").mkdir()
    shutil.copy(containers / "digitalmicrograph" / "2D" / "test_STEM_image.dm3", tmp_path / "em")
    dataset = import_folder(tmp_path / "em", "EM", tmp_path / "data").dataset
    stored = tifffile.imread(dataset.samples[0].image_path)
    assert (stored.dtype, stored.shape) == (np.uint32, (68, 68))
    assert dataset.info.converted == {"test_STEM_image": "test_STEM_image.dm3 uint32 to TIFF uint32"}
    assert dataset.info.pixel_size_nm == pytest.approx(0.2485, rel=1e-3)


def _shrink_mask(folder: Path) -> None:
    Image.fromarray(disc(255)[:10]).save(folder / "stack_1_label.png")


def _unknown_class(folder: Path) -> None:
    Image.fromarray(disc(3)).save(folder / "stack_1_label.png")


def _cut_image(folder: Path) -> None:
    tifffile.imwrite(folder / "stack_4.tif", disc())
    (folder / "stack_4.tif").write_bytes((folder / "stack_4.tif").read_bytes()[:300])


def _nan_image(folder: Path) -> None:
    tifffile.imwrite(folder / "stack_4.tif", np.where(disc(), np.nan, 1).astype(np.float32))


def _constant_image(folder: Path) -> None:
    tifffile.imwrite(folder / "stack_4.tif", np.ones((5, 5), np.uint8))


def _one_pixel(folder: Path) -> None:
    tifffile.imwrite(folder / "stack_4.tif", np.ones((1, 1), np.uint8))


def _colour(folder: Path) -> None:
    Image.fromarray(np.dstack([disc(9), disc(8), disc(7)])).save(folder / "stack_4.png")


def _no_images(folder: Path) -> None:
    for path in folder.glob("*.png"):
        path.unlink()


def _label_of_nothing(folder: Path) -> None:
    Image.fromarray(disc(255)).save(folder / "stack_9_label.png")


def _two_of_one_stem(folder: Path) -> None:
    tifffile.imwrite(folder / "stack_1.tif", disc())


def _disagreement(folder: Path) -> None:
    Image.fromarray(disc(255)).save(folder / "stack_1_label.png")
    write_labelme(folder / "stack_1.json", "stack_1.png", 1 - disc(), ["background", "ice"])


def _polygons_of_another_size(folder: Path) -> None:
    write_labelme(folder / "stack_1.json", "stack_1.png", disc()[:10], ["background", "ice"])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_shrink_mask, "stack_1_label.png: mask is 30x10 but the image is 30x20. Export"),
        (_unknown_class, "stack_1_label.png: mask has unknown classes (values 3)"),
        (_no_images, "mine: no image that Icefloe reads, the dataset would be empty"),
        (_label_of_nothing, "stack_9_label.png: no image to go with this label"),
        (_two_of_one_stem, "stack_1.tif: stack_1.png has the same stem"),
        (_disagreement, "stack_1_label.png: the mask and the polygons in stack_1.json are of two images"),
        (_polygons_of_another_size, "stack_1.json: mask is 30x10 but the image is 30x20"),
    ],
)
def test_bad_input_is_one_line_naming_the_file_and_nothing_is_written(source, tmp_path, spoil, message):
    spoil(source)
    (tmp_path / "data").mkdir()
    with pytest.raises(IcefloeError) as error:
        import_folder(source, "D1", tmp_path / "data")
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert not list((tmp_path / "data").iterdir())


@pytest.mark.parametrize(
    ("spoil", "name", "reason"),
    [
        (_cut_image, "stack_4.tif", "truncated"),
        (_nan_image, "stack_4.tif", "109 pixels are NaN"),
        (_constant_image, "stack_4.tif", "all pixels have the value 1"),
        (_one_pixel, "stack_4.tif", "the image is only 1x1 pixels"),
        (_colour, "stack_4.png", "a colour picture"),
    ],
)
def test_an_image_that_cannot_be_read_is_named_with_its_reason_and_the_rest_goes_on(
    source, tmp_path, spoil, name, reason
):
    spoil(source)
    present = {path.stem for path in source.glob("stack_?.*")} - {"stack_4"}
    with pytest.raises(IcefloeError, match=f"{name}: {reason}"):
        import_folder(source, "D1", tmp_path / "data", strict=True)
    assert not (tmp_path / "data" / "D1").exists()
    result = import_folder(source, "D1", tmp_path / "data")
    assert {sample.stem for sample in result.dataset.samples} == present
    ((said, names),) = result.unreadable.items()
    assert (names, said.startswith(reason)) == ([name], True)
    assert f"Not taken: {name}: {said}" in result.sentences()
    assert str(tmp_path) not in said


def test_a_folder_of_which_no_image_can_be_read_is_refused_by_the_first(tmp_path):
    (tmp_path / "mine").mkdir()
    tifffile.imwrite(tmp_path / "mine" / "only.tif", np.ones((9, 9), np.float32))
    with pytest.raises(IcefloeError, match=r"only\.tif: all pixels have the value 1"):
        import_folder(tmp_path / "mine", "D1", tmp_path / "data")
    assert not (tmp_path / "data" / "D1").exists()


def test_an_existing_dataset_is_never_overwritten(source, tmp_path):
    import_folder(source, "D1", tmp_path / "data")
    with pytest.raises(IcefloeError, match=r"D1: there is a dataset of this name\. Choose another"):
        import_folder(source, "D1", tmp_path / "data")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (".hidden", "the name starts with a dot, which hides files, not '.hidden'"),
        ("../D1", "the name holds a slash, which would lead to another folder, not '../D1'"),
        ("a\\b", "the name holds a slash, which would lead to another folder, not 'a\\\\b'"),
        ("", "a name can't be empty, not ''"),
        ("D1\n", "the name holds a control character or a line break, not 'D1\\n'"),
        ("x" * 201, "the name is 201 bytes long, more than 200, not 'xxx"),
    ],
)
def test_a_name_that_cannot_be_a_folder_is_refused_in_words(source, tmp_path, name, problem):
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(IcefloeError) as error:
        import_folder(source, name, tmp_path / "data")
    assert str(error.value).startswith(f"dataset.name: {problem}")
    assert str(error.value).endswith(". Choose another.")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["background", "ice", ""], r"dataset\.classes: a class without a name"),
        (["background", "ice", "ice"], r"dataset\.classes: two classes of one name"),
    ],
)
def test_classes_that_labels_cannot_tell_apart_are_refused(source, tmp_path, classes, message):
    with pytest.raises(IcefloeError, match=message):
        import_folder(source, "D1", tmp_path / "data", classes=classes)


def test_a_file_in_place_of_a_folder_is_told_from_a_missing_folder(source, tmp_path):
    image = next(path for path in source.rglob("*") if path.is_file())
    with pytest.raises(IcefloeError, match=r": this is a file\. Name the folder that holds the images\."):
        import_folder(image, "D1", tmp_path / "data")
    with pytest.raises(IcefloeError, match=r"gone: no such folder\. Name the folder"):
        import_folder(tmp_path / "gone", "D1", tmp_path / "data")


def test_the_public_ice_images_load_as_20_with_19_labels(ice):
    """The specification counts 20 + 3 with other files of upstream; D2/stack_8 is the one without a label."""
    assert [len(dataset.samples) for dataset in ice] == [10, 10]
    assert [sample.key for dataset in ice for sample in dataset.unlabelled] == ["D2/stack_8"]
