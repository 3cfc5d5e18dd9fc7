"""Conditions as real files state them, and tags that no file at hand has."""

import numpy as np
import pytest
import tifffile

from icefloe.datasets.conditions import Conditions
from icefloe.datasets.readers import read_metadata
from icefloe.datasets.signal_conditions import conditions_of_signal

REAL = {
    "openNCEM/Camera Ceta Imaging Micro.emd": {
        "magnification": 26996.349,
        "exposure_s": 0.4,
        "date": "2020-07-29",
        "instrument": "Titan",
    },
    "rosettasciio/digitalmicrograph/2D/test_STEM_image.dm3": {
        "magnification": 225000,
        "date": "2016-08-08",
        "instrument": "FEI Titan",
    },
    "rosettasciio/bruker/test_TEM.bcf": {"magnification": 225000},
    "rosettasciio/tia/new/128x128-TEM_search.emi": {
        "magnification": 22500,
        "exposure_s": 0.1,
        "date": "2016-02-22",
        "instrument": "TalosF200X 200 kV D6308 XTwin",
    },
    "rosettasciio/tiff/test_dm_image_um_unit.dm3": {
        "exposure_s": 0.5,
        "date": "2015-07-20",
        "instrument": "FEI Tecnai",
    },
    "rosettasciio/pantarhei/panta_rhei_sample.prz": {"magnification": 1e7},
}


@pytest.mark.parametrize("name", REAL)
def test_a_microscopes_file_says_how_it_was_taken(real_data, name):
    found = read_metadata(real_data / "containers" / name)
    assert found.conditions.model_dump(exclude={"pixel_size_nm"}, exclude_none=True) == REAL[name]
    assert found.conditions.pixel_size_nm == found.pixel_size_nm is not None


def test_a_stem_image_has_not_the_exposure_of_the_camera_beside_it(real_data):
    found = read_metadata(real_data / "containers/openNCEM/STEM HAADF Diffraction Micro.emd")
    assert found.conditions.exposure_s is None


@pytest.mark.parametrize(
    ("tag", "value", "dose"),
    [
        ("Dose (e/A^2)", 423.0, 423),
        ("Electron Dose (e-/Å2)", "80", 80),
        ("dose_(e-/nm^2)", 42300, 423),
        ("Dose rate (e/A^2/s)", 423.0, None),
        ("Dose", 423.0, None),
    ],
)
def test_a_dose_is_taken_with_its_unit_only(tag, value, dose):
    signal = {"metadata": {}, "original_metadata": {"Tags": {tag: value}}}
    assert conditions_of_signal(signal).dose_e_per_A2 == (pytest.approx(dose) if dose else None)


def test_a_tag_that_cannot_be_converted_leaves_the_others():
    signal = {
        "metadata": {},
        "original_metadata": {"Mag": "none", "Name": "Titan"},
        "mapping": {
            "Mag": ("Acquisition_instrument.TEM.magnification", float),
            "Name": ("Acquisition_instrument.TEM.microscope", None),
        },
    }
    assert conditions_of_signal(signal) == Conditions(instrument="Titan")


def test_an_ome_tiff_says_when_and_how_it_was_taken(tmp_path, rng):
    image = rng.integers(0, 900, (40, 50)).astype(np.uint16)
    metadata = {
        "PhysicalSizeX": 0.02,
        "PhysicalSizeXUnit": "nm",
        "PhysicalSizeY": 0.02,
        "PhysicalSizeYUnit": "nm",
        "AcquisitionDate": "2022-02-02T10:00:00",
        "Plane": {"ExposureTime": [159.6], "ExposureTimeUnit": ["ms"]},
    }
    tifffile.imwrite(tmp_path / "a.ome.tif", image, ome=True, metadata={"axes": "YX", **metadata})
    found = read_metadata(tmp_path / "a.ome.tif").conditions
    assert found.exposure_s == pytest.approx(0.1596)
    assert (found.pixel_size_nm, found.date, found.dose_e_per_A2) == (0.02, "2022-02-02", None)


def test_a_plain_tiff_says_nothing(tmp_path, rng):
    tifffile.imwrite(tmp_path / "a.tif", rng.integers(0, 900, (40, 50)).astype(np.uint16))
    assert read_metadata(tmp_path / "a.tif").conditions == Conditions()
