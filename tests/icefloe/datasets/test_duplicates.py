import numpy as np
import pytest
import tifffile
from scipy import ndimage

from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.datasets.duplicates import find_groups, identical_groups, merge_links
from icefloe.datasets.importer import import_folder


def write(folder, images):
    (folder / "images").mkdir(parents=True)
    for name, image in images.items():
        tifffile.imwrite(folder / "images" / f"{name}.tif", image.astype(np.float32))
    DatasetInfo(name=folder.name, experiment=folder.name).save(folder)
    return Dataset.load(folder)


@pytest.fixture
def crops(tmp_path, rng):
    """Ten crops of 96 px, noisy; `c7` and `c8` are one area, shifted, at another brightness."""
    field = 100 * ndimage.gaussian_filter(rng.normal(size=(96, 96 * 12)), 2)
    cut = {f"c{k}": field[:, 96 * k : 96 * (k + 1)] for k in range(9)}
    cut["c8"] = 40 + 0.5 * field[:, 96 * 7 + 30 : 96 * 8 + 30]
    return write(tmp_path / "P", {name: image + rng.normal(0, 1, image.shape) for name, image in cut.items()})


def test_links_are_merged_into_groups():
    assert merge_links([(1, 2), (5, 6), (2, 5), (8, 9)]) == [[1, 2, 5, 6], [8, 9]]


def test_identical_pixels_are_one_group_also_across_datasets(tmp_path, rng):
    images = {f"s{k}": rng.normal(size=(16, 20)) for k in range(4)}
    first = write(tmp_path / "A", {**images, "s9": images["s1"]})
    second = write(tmp_path / "B", {"t1": images["s3"], "t2": rng.normal(size=(16, 20))})
    groups = find_groups([*first.samples, *second.samples])
    assert [(group.kind, group.keys) for group in groups] == [
        ("exact", ("A/s1", "A/s9")),
        ("exact", ("A/s3", "B/t1")),
    ]
    assert identical_groups([*first.samples, *second.samples]) == groups


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("flip", [1, -1])
def test_augmented_copies_are_found(tmp_path, rng, k, flip):
    image = rng.normal(size=(16, 20))
    dataset = write(
        tmp_path / "A", {"a": image, "b": np.rot90(image[:, ::flip], k), "c": rng.normal(size=(16, 20))}
    )
    (group,) = find_groups(dataset.samples)
    assert (group.kind, group.keys) == ("turned", ("A/a", "A/b"))
    assert identical_groups(dataset.samples) == [group]


def test_one_area_at_another_place_and_brightness_is_found_and_other_areas_are_not(crops):
    (group,) = find_groups(crops.samples)
    assert (group.kind, group.keys) == ("near", ("P/c7", "P/c8"))


def test_frames_of_one_scene_are_not_near_duplicates(make_dataset):
    assert find_groups(make_dataset(n_images=12).samples) == []


def test_the_real_duplicates_are_found(ice, real_data, tmp_path):
    particles = import_folder(real_data / "nanoparticle-sintering", "NP", tmp_path).dataset
    groups = find_groups([sample for dataset in (*ice, particles) for sample in dataset.samples])
    assert [(group.kind, group.keys) for group in groups] == [
        ("exact", ("D2/stack_6", "D2/stack_9")),
        ("exact", ("D2/stack_7", "D2/stack_12")),
        ("exact", ("D2/stack_8", "D2/stack_10")),
        ("near", ("NP/image_2", "NP/image_12", "NP/image_13")),
        ("near", ("NP/image_11", "NP/image_18")),
    ]
