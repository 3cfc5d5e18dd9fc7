"""A published table of conditions, and files that can't be read, in an import."""

import numpy as np
import pytest
import tifffile

from icefloe.datasets.dataset import Dataset
from icefloe.datasets.import_metadata import MetadataTable
from icefloe.datasets.importer import import_folder
from icefloe.errors import IcefloeError

PUBLISHED = """\
File name,Date,Material,Nanoparticle Size (nm),Nanoparticle Shape,Support,Instrument,Dosage (e/A2),\
Pixel Scale (nm),Folder
a_330kx_01.dm3,02/02/22,Ag,5.0,Sphere,UT Carbon,Team05,423,0.02,2022_02_02 5nm Ag
a_330kx_02.dm3,02/02/22,Ag,5.0,Sphere,UT Carbon,Team05,80,0.02,2022_02_02 5nm Ag
b_01.dm3,03/02/22,Au,2.2,Sphere,UT Carbon,Team05,423,0.042,2022_03_02 Au
elsewhere.dm3,03/02/22,Au,,Sphere,UT Carbon,Team05,,0.042,2022_03_02 Au
"""
"""The columns of Sytwu, Rangel DaCosta & Scott 2023's `Dataset_metadata.csv`."""


@pytest.fixture
def folder(tmp_path, rng):
    source = tmp_path / "images"
    source.mkdir()
    for stem in ("a_330kx_01", "a_330kx_02", "b_01"):
        tifffile.imwrite(source / f"{stem}.tif", rng.integers(0, 900, (40, 50)).astype(np.uint16))
    return source


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "Dataset_metadata.csv"
    path.write_text(PUBLISHED)
    return path


def test_images_have_what_the_published_table_says_of_them(folder, table, tmp_path):
    result = import_folder(folder, "NP", tmp_path / "data", metadata=table)
    dataset = Dataset.load(tmp_path / "data" / "NP")
    assert (dataset.info.instrument, dataset.info.material, dataset.info.pixel_size_nm) == (
        "Team05",
        None,
        None,
    )
    found = {sample.stem: sample.conditions for sample in dataset.samples}
    assert [c.dose_e_per_A2 for c in found.values()] == [423, 80, 423]
    assert [c.material for c in found.values()] == ["Ag", "Ag", "Au"]
    assert [c.diameter_nm for c in found.values()] == [5, 5, 2.2]
    assert [c.session for c in found.values()] == ["2022_02_02 5nm Ag", "2022_02_02 5nm Ag", "2022_03_02 Au"]
    assert {c.instrument for c in found.values()} == {"Team05"}
    assert [sample.pixel_size_nm for sample in dataset.samples] == [0.02, 0.02, 0.042]
    assert "Columns of Dataset_metadata.csv not taken: Nanoparticle Shape, Support." in result.notes


def test_images_without_a_row_are_named(folder, table, tmp_path):
    table.write_text("image,dose_e_per_A2\nb_01,80\n")
    result = import_folder(folder, "NP", tmp_path / "data", metadata=table)
    assert "No row of Dataset_metadata.csv for 2 images: a_330kx_01, a_330kx_02." in result.notes
    assert [sample.conditions.dose_e_per_A2 for sample in result.dataset.samples] == [None, None, 80]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,material\nnone,Au\n", "no row is of an image here, such as a_330kx_01"),
        ("Dosage (e/A2)\n423\n", "no column names the images"),
        ("image,shape\na,round\n", "no column says how images were taken"),
        ("image,dose\nb_01,much\n", "image b_01: dose_e_per_A2: Input should be a valid number"),
        ("image,Pixel Scale (1/nm)\nb_01,3\n", "'Pixel Scale (1/nm)' is in no unit of length"),
        ("image,dose\nb_01,3\nb_01.dm3,4\n", "two rows say different things of 'b_01'"),
        ("", "no column names the images (the table is empty)"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_and_nothing_is_written(
    folder, table, tmp_path, text, message
):
    table.write_text(text)
    with pytest.raises(IcefloeError) as refusal:
        import_folder(folder, "NP", tmp_path / "data", metadata=table)
    assert message in str(refusal.value)
    assert not (tmp_path / "data" / "NP").exists()


def test_lengths_in_other_units_become_nm(table):
    table.write_text("File,Pixel size (pm),Diameter (A)\nx.dm3,20,50\n")
    found = MetadataTable.read(table).images["x"]
    assert (found.pixel_size_nm, found.diameter_nm) == (0.02, 5)


def test_a_file_that_cannot_be_read_is_named_with_its_reason_and_the_others_are_imported(folder, tmp_path):
    (folder / "broken.dm3").write_bytes(b"no DigitalMicrograph file")
    result = import_folder(folder, "NP", tmp_path / "data")
    assert [sample.stem for sample in result.dataset.samples] == ["a_330kx_01", "a_330kx_02", "b_01"]
    ((reason, names),) = result.unreadable.items()
    assert names == ["broken.dm3"]
    assert reason.startswith("truncated, damaged, or not what its name says")


def test_strictly_a_file_that_cannot_be_read_refuses_the_folder(folder, tmp_path):
    (folder / "broken.dm3").write_bytes(b"no DigitalMicrograph file")
    with pytest.raises(IcefloeError, match=r"broken\.dm3: "):
        import_folder(folder, "NP", tmp_path / "data", strict=True)
    assert not (tmp_path / "data" / "NP").exists()


def test_what_microscopes_files_agree_on_is_in_dataset_yaml_and_the_rest_beside_the_images(
    real_data, tmp_path
):
    source = tmp_path / "em"
    source.mkdir()
    containers = real_data / "containers"
    for path in ("openNCEM/Camera Ceta Imaging Micro.emd", "openNCEM/STEM HAADF Diffraction Micro.emd"):
        (source / path.rpartition("/")[2].replace(" ", "_")).write_bytes((containers / path).read_bytes())
    dataset = import_folder(source, "EM", tmp_path / "data").dataset
    assert (dataset.info.date, dataset.info.instrument) == ("2020-07-29", "Titan")
    assert [sample.conditions.magnification for sample in dataset.samples] == [26996.349, 7100]
    assert [sample.conditions.exposure_s for sample in dataset.samples] == [0.4, None]


def test_an_image_whose_pixels_are_not_square_has_no_pixel_size_and_the_import_says_so(real_data, tmp_path):
    name = "dmTest_float32_nonSquare_diffPixelSize.dm3"
    source = tmp_path / "em"
    source.mkdir()
    (source / name).write_bytes((real_data / "containers" / "openNCEM" / name).read_bytes())
    result = import_folder(source, "EM", tmp_path / "data")
    assert result.dataset.samples[0].pixel_size_nm is None
    expected = f"No pixel size, since pixels are not square: {name} (0.2 nm high and 1 nm wide)."
    assert expected in result.notes
    stated = import_folder(source, "EM2", tmp_path / "data", pixel_size_nm=0.5)
    assert stated.dataset.samples[0].pixel_size_nm == 0.5
    assert expected not in stated.notes
