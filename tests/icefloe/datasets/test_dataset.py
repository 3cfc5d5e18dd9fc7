import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icefloe.datasets.dataset import Dataset, DatasetInfo, load_datasets, natural_key
from icefloe.datasets.labels import write_mask
from icefloe.errors import IcefloeError


def test_samples_are_in_time_order_by_the_number_in_their_name(make_dataset):
    dataset = make_dataset(n_images=12)
    assert [sample.stem for sample in dataset.samples] == [f"stack_{k}" for k in range(1, 13)]
    assert [sample.index for sample in dataset.samples] == list(range(12))


@given(st.lists(st.text(st.characters(categories=("L", "N", "P")), max_size=8)))
def test_natural_order_compares_any_two_names(names):
    assert len(sorted(names, key=natural_key)) == len(names)


def test_a_sample_gives_its_image_as_float32_and_its_mask_as_uint8(make_dataset):
    sample = make_dataset().samples[0]
    assert (sample.image().dtype, sample.image().shape) == (np.float32, (48, 64))
    assert (sample.mask().dtype, sample.mask().shape) == (np.uint8, (48, 64))
    assert sample.key == "D1/stack_1"


def test_an_image_without_a_mask_is_unlabelled_and_asking_for_its_mask_is_refused(make_dataset):
    dataset = make_dataset(labelled=range(3))
    assert (len(dataset.labelled), len(dataset.unlabelled)) == (3, 7)
    with pytest.raises(IcefloeError, match=r"stack_4\.tif: the image has no mask\. Label it"):
        dataset.unlabelled[0].mask()


def test_truth_is_kept_apart_from_masks(make_dataset):
    dataset = make_dataset(labelled=range(0))
    write_mask(dataset.path / "truth" / "stack_2.png", np.ones((48, 64), np.uint8))
    sample = Dataset.load(dataset.path).samples[1]
    assert not sample.is_labelled
    assert sample.truth().all()
    with pytest.raises(IcefloeError, match="no truth is kept"):
        dataset.samples[0].truth()


def test_a_mask_of_another_size_is_refused_with_both_sizes(make_dataset):
    dataset = make_dataset()
    write_mask(dataset.path / "masks" / "stack_1.png", np.zeros((20, 30), np.uint8))
    with pytest.raises(IcefloeError, match=r"stack_1\.png: mask is 30x20 but the image is 64x48\. Export"):
        dataset.samples[0].mask()


def test_a_mask_with_unknown_classes_is_refused_with_their_values(make_dataset):
    dataset = make_dataset()
    mask = np.zeros((48, 64), np.uint8)
    mask[0, :3] = (2, 7, 255)
    write_mask(dataset.path / "masks" / "stack_1.png", mask)
    with pytest.raises(
        IcefloeError, match=r"unknown classes \(values 2, 7\); known are 0 to 1 and 255 = ignore"
    ):
        dataset.samples[0].mask()


def test_dataset_yaml_is_read_as_it_was_written_and_its_bytes_repeat(tmp_path):
    info = DatasetInfo(
        name="D3", experiment="lens", dose_e_per_A2=12.5, shifts={"dose": "a third of standard", "µ": "≥ 2 Å"}
    )
    info.save(tmp_path)
    first = (tmp_path / "dataset.yaml").read_bytes()
    info.save(tmp_path)
    assert DatasetInfo.load(tmp_path) == info
    assert (tmp_path / "dataset.yaml").read_bytes() == first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: D1\nexperiment: a\ndoes: 3\n", "does: Extra inputs are not permitted. Fix that entry."),
        (
            "name: a/b\nexperiment: a\n",
            "name: the name holds a slash",
        ),
        ("name: [\n", "not valid YAML"),
        ("", "the whole file"),
    ],
)
def test_a_wrong_dataset_yaml_is_one_line_that_names_file_and_entry(tmp_path, text, message):
    (tmp_path / "dataset.yaml").write_text(text)
    with pytest.raises(IcefloeError) as error:
        DatasetInfo.load(tmp_path)
    assert message in str(error.value)
    assert "dataset.yaml" in str(error.value)
    assert "\n" not in str(error.value)


def test_an_empty_dataset_is_refused(tmp_path):
    DatasetInfo(name="D1", experiment="a").save(tmp_path)
    with pytest.raises(IcefloeError, match="images: the dataset is empty"):
        Dataset.load(tmp_path)


def test_two_images_of_one_stem_are_refused(make_dataset):
    dataset = make_dataset()
    (dataset.path / "images" / "stack_1.png").write_bytes(b"")
    with pytest.raises(IcefloeError, match="has the same stem"):
        Dataset.load(dataset.path)


def test_datasets_load_in_the_order_asked_for_and_an_unknown_one_is_refused(make_dataset, tmp_path):
    for name in ("D10", "D2", "D1"):
        make_dataset(name, n_images=2)
    assert list(load_datasets(tmp_path / "data")) == ["D1", "D2", "D10"]
    assert list(load_datasets(tmp_path / "data", ["D2", "D1"])) == ["D2", "D1"]
    with pytest.raises(IcefloeError, match=r"D3: no such dataset\. There are: D1, D2, D10\."):
        load_datasets(tmp_path / "data", ["D3"])


def test_a_folder_renamed_by_hand_is_refused(make_dataset, tmp_path):
    make_dataset("D1", n_images=2).path.rename(tmp_path / "data" / "E1")
    with pytest.raises(IcefloeError, match=r"the name is 'D1' but the folder is 'E1'"):
        load_datasets(tmp_path / "data")
