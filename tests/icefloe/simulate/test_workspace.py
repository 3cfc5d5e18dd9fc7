import numpy as np
import pytest
import yaml

from icefloe.datasets.dataset import DatasetInfo, load_datasets
from icefloe.errors import IcefloeError
from icefloe.progress import Silent
from icefloe.simulate import workspace
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.workspace import simulate_workspace, write_dataset

TINY = ExperimentSpec(size_px=64, pixel_size_nm=7.5, n_composites=3)
INFO = DatasetInfo(name="T1", experiment="T1", pixel_size_nm=7.5)


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def small_standard(monkeypatch):
    """The standard datasets at 64 px and three composites: the same code on less data."""
    whole = workspace.standard_datasets

    def shrunk(seed):
        return tuple(
            type(d)(
                d.name,
                d.spec.changed(size_px=64, pixel_size_nm=8.0, n_composites=3),
                d.labelled,
                d.shifts,
                d.notes,
            )
            for d in whole(seed)
        )

    monkeypatch.setattr(workspace, "standard_datasets", shrunk)


def test_written_datasets_are_read_back_pixel_by_pixel(tmp_path):
    experiment = simulate_experiment(TINY, 1)
    write_dataset(experiment, tmp_path / "T1", INFO, labelled=True)
    dataset = load_datasets(tmp_path)["T1"]
    assert dataset.info == INFO
    assert [sample.stem for sample in dataset.samples] == [f"composite_{i:03d}" for i in range(3)]
    for sample, image, mask in zip(dataset.samples, experiment.images, experiment.masks, strict=True):
        np.testing.assert_array_equal(sample.image(), image)
        np.testing.assert_array_equal(sample.mask(), mask)


def test_unlabelled_datasets_keep_their_masks_back_as_truth(tmp_path):
    experiment = simulate_experiment(TINY, 1)
    write_dataset(experiment, tmp_path / "T1", INFO, labelled=False)
    dataset = load_datasets(tmp_path)["T1"]
    assert not dataset.labelled
    np.testing.assert_array_equal(dataset.samples[2].truth(), experiment.masks[2])


def test_writing_the_same_dataset_twice_changes_nothing(tmp_path):
    experiment = simulate_experiment(TINY, 1)
    write_dataset(experiment, tmp_path / "T1", INFO, labelled=True)
    times = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    write_dataset(simulate_experiment(TINY, 1), tmp_path / "T1", INFO, labelled=True)
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == times


def test_another_dataset_of_the_same_name_is_refused_and_left_alone(tmp_path):
    write_dataset(simulate_experiment(TINY, 1), tmp_path / "T1", INFO, labelled=True)
    before = contents(tmp_path)
    with pytest.raises(IcefloeError) as caught:
        write_dataset(simulate_experiment(TINY, 2), tmp_path / "T1", INFO, labelled=True)
    assert str(caught.value) == (
        f"{tmp_path / 'T1'}: exists already with another images/composite_000.tif. "
        "Move the folder away, or simulate into another workspace."
    )
    assert contents(tmp_path) == before


def test_labels_added_since_are_kept(tmp_path):
    experiment = simulate_experiment(TINY, 1)
    write_dataset(experiment, tmp_path / "T1", INFO, labelled=False)
    label = tmp_path / "T1" / "masks" / "composite_001.png"
    label.parent.mkdir()
    label.write_bytes((tmp_path / "T1" / "truth" / "composite_001.png").read_bytes())
    write_dataset(experiment, tmp_path / "T1", INFO, labelled=False)
    assert label.is_file()


def test_workspace_holds_six_datasets_whose_shifts_are_stated(tmp_path, small_standard):
    seen = []

    class Seen(Silent):
        def advance(self, what, done, total=None, detail=""):
            seen.append((what, done, total))

    folders = simulate_workspace(tmp_path, 0, Seen())
    assert [folder.name for folder in folders] == ["D1", "D2", "D3", "D4", "D5", "noisy"]
    assert seen == [("Simulating datasets", done, 6) for done in range(7)]
    infos = {name: dataset.info for name, dataset in load_datasets(tmp_path).items()}
    assert set(infos) == {"D1", "D2", "D3", "D4", "D5", "noisy"}
    assert not infos["D1"].shifts
    assert set(infos["D3"].shifts) == {"shape", "contrast", "bend contours"}
    assert infos["D5"].temperature_programme.startswith("grow, -1.50 to ")
    assert all(info.preprocessing == ["stacked"] for info in infos.values())


def test_workspace_is_idempotent_and_seeds_differ(tmp_path, small_standard):
    simulate_workspace(tmp_path / "one", 0)
    simulate_workspace(tmp_path / "two", 0)
    simulate_workspace(tmp_path / "two", 0)
    simulate_workspace(tmp_path / "three", 1)
    one, two, three = (contents(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two
    assert one.keys() == three.keys()
    assert one != three


def test_a_conflict_in_one_dataset_writes_none(tmp_path, small_standard):
    (tmp_path / "D4").mkdir()
    (tmp_path / "D4" / "mine.txt").write_text("precious")
    with pytest.raises(IcefloeError, match=r"D4: exists already with another dataset.yaml\."):
        simulate_workspace(tmp_path, 0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["D4"]
    assert (tmp_path / "D4" / "mine.txt").read_text() == "precious"


def test_pixel_size_is_in_the_tiff_and_the_yaml(tmp_path):
    import tifffile

    write_dataset(simulate_experiment(TINY, 1, [0]), tmp_path / "T1", INFO, labelled=True)
    with tifffile.TiffFile(tmp_path / "T1" / "images" / "composite_000.tif") as tiff:
        tags = tiff.pages[0].tags
        numerator, denominator = tags["XResolution"].value
        assert numerator / denominator == pytest.approx(1e7 / 7.5, rel=1e-6)
        assert tags["Compression"].value == 1
    assert yaml.safe_load((tmp_path / "T1" / "dataset.yaml").read_text())["pixel_size_nm"] == 7.5


def test_a_dataset_simulated_alone_is_the_same_as_among_all(tmp_path, small_standard):
    simulate_workspace(tmp_path / "all", 0)
    (folder,) = simulate_workspace(tmp_path / "one", 0, names=["D4"])
    assert folder == tmp_path / "one" / "D4"
    assert contents(folder) == contents(tmp_path / "all" / "D4")


def test_an_unknown_simulated_dataset_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(IcefloeError, match=r"^D9: no such simulated dataset\. There are D1, D2"):
        simulate_workspace(tmp_path, 0, names=["D9"])
