"""Units of length as ImageJ, OME and microscopes spell them."""

import numpy as np
import pytest
import tifffile

from icefloe.datasets.readers import read_metadata
from icefloe.datasets.recordings.opening import open_recording
from icefloe.datasets.units import nm_of_unit, pixel_size_nm


@pytest.mark.parametrize(
    ("unit", "nm"),
    [
        *dict.fromkeys(["\\u00B5m", "µm", "μm", "um", "UM", "microns", "Micron", "Âµm"], 1e3).items(),
        *dict.fromkeys(["micrometer", "micrometers", "Micrometre", "micrometres", "MICRONS"], 1e3).items(),
        *dict.fromkeys(
            ["nm", "NM", "nanometer", "nanometers", "nanometre", "nanometres", "nm\0"], 1.0
        ).items(),
        *dict.fromkeys(["Å", "\u212b", "\\u00C5", "A", "Angstrom", "Angstroms", "ångström"], 0.1).items(),
        *dict.fromkeys(["pm", "picometer", "PM"], 1e-3).items(),
        *dict.fromkeys(["mm", "millimeters", "millimetre"], 1e6).items(),
        *dict.fromkeys(["cm", "centimeter"], 1e7).items(),
        *dict.fromkeys(["inch", "inches"], 2.54e7).items(),
        *dict.fromkeys(["m", "meter", "metres"], 1e9).items(),
    ],
)
def test_a_length_is_known_however_it_is_spelt(unit, nm):
    assert nm_of_unit(unit) == nm


@pytest.mark.parametrize(
    "unit", ["pixel", "pixels", "px", "", None, "1/nm", "nm^-1", "Mm", "M", "Nm", "s", "as", "sec", "eV"]
)
def test_what_is_no_length_in_space_is_none(unit):
    assert nm_of_unit(unit) is None


@pytest.mark.parametrize(
    ("unit", "pixels_per_unit", "nm"),
    [
        ("\\u00B5m", 500, 2.0),
        ("micron", 500, 2.0),
        ("microns", 500, 2.0),
        ("nanometers", 0.5, 2.0),
        ("Angstroms", 0.05, 2.0),
        ("mm", 500_000, 2.0),
        ("inch", 12_700_000, 2.0),
        ("pixel", 1, None),
        ("inch", 72, None),
    ],
)
def test_imagejs_scale_is_read_by_images_and_recordings(tmp_path, rng, unit, pixels_per_unit, nm):
    path = tmp_path / "a.tif"
    scale = {"resolution": (pixels_per_unit, pixels_per_unit), "metadata": {"unit": unit}}
    tifffile.imwrite(path, rng.integers(0, 99, (8, 9), dtype=np.uint8), imagej=True, **scale)
    expected = None if nm is None else pytest.approx(nm, rel=1e-4)
    assert read_metadata(path).pixel_size_nm == expected
    assert open_recording(path).pixel_size_nm == expected


def test_imagejs_other_unit_along_y_gives_no_pixel_size(tmp_path, rng):
    path = tmp_path / "a.tif"
    scale = {"resolution": (2, 2), "metadata": {"unit": "nm", "yunit": "mm"}}
    tifffile.imwrite(path, rng.integers(0, 99, (8, 9), dtype=np.uint8), imagej=True, **scale)
    assert read_metadata(path).pixel_size_nm is None


@pytest.mark.parametrize("scale", [0, -0.2, float("nan"), float("inf"), 1e12])
def test_an_implausible_step_is_no_pixel_size(scale):
    assert pixel_size_nm([{"units": "nm", "scale": scale}] * 2) is None
