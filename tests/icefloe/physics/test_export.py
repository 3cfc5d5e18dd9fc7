import csv

import h5py
import numpy as np
import pytest

from icefloe.physics.experiment import ExperimentPhysics
from icefloe.physics.export import write_csv, write_hdf5
from icefloe.physics.image import measure_image


@pytest.fixture
def experiment(disc):
    radii = (40.0, 35.0, 30.0, 0.0)
    images = [
        measure_image(
            f"i{s}", 2.0 * s, disc(r) * (r > 0), [disc(r + d) * (r > 0) for d in (-1, 0, 2)], 0.5, 2.0
        )
        for s, r in enumerate(radii)
    ]
    return ExperimentPhysics.from_images(
        "melt", images, pixel_size_nm=2.0, provenance={"ensemble": "EA-T1", "data_version": "abc"}
    )


def test_table_is_a_csv_with_empty_cells_for_what_is_not_known(experiment, tmp_path):
    write_csv(experiment, tmp_path / "physics.csv")
    rows = list(csv.DictReader((tmp_path / "physics.csv").open()))
    assert [row["image"] for row in rows] == ["i0", "i1", "i2", "i3"]
    assert [float(row["time_s"]) for row in rows] == [0, 2, 4, 6]
    assert float(rows[1]["area_nm2"]) == pytest.approx(np.pi * 70**2, rel=2e-3)
    spread = np.std([np.pi * (2 * (35 + d)) ** 2 for d in (-1, 0, 2)], ddof=1)
    assert float(rows[1]["area_nm2_std"]) == pytest.approx(spread, rel=0.01)
    assert (rows[3]["area_nm2"], rows[3]["mean_front_nm"], rows[3]["flags"]) == ("0.0", "", "no ice")


def test_hdf5_holds_everything_with_its_unit_and_where_it_comes_from(experiment, tmp_path):
    write_hdf5(experiment, tmp_path / "physics.h5")
    with h5py.File(tmp_path / "physics.h5") as file:
        assert [file.attrs[key] for key in ("name", "pixel_size_nm", "confidence")] == ["melt", 2.0, 0.95]
        assert file.attrs["provenance.ensemble"] == "EA-T1"
        assert file.attrs["provenance.data_version"] == "abc"
        assert "1 of 4 images: no ice." in file.attrs["notes"]
        assert file["image"].asstr()[0] == "i0"
        area = file["quantities/area"]
        assert area.attrs["unit"] == "nm2"
        assert area["members"].shape == (3, 4)
        np.testing.assert_allclose(area["std"][:], np.std(area["members"][:], axis=0, ddof=1))
        front = file["front"]
        assert (front["value"].shape, front["members"].shape) == ((4, 72), (3, 4, 72))
        assert front.attrs["unit"] == "nm"
        np.testing.assert_allclose(front["value"][0], 80, atol=0.3)
        assert np.isnan(front["value"][3]).all()
        assert front["angle_rad"].attrs["unit"] == "rad"
        rate = file["rates/front"]
        assert rate.attrs["unit"] == "nm_per_s"
        np.testing.assert_allclose(rate["overall/value"][:], -5, atol=0.1)
        assert rate["local/value"].shape == (4, 72)
        outline = file["boundaries/0/0"]
        assert outline["points"].shape == (len(outline["curvature"]), 2)
        assert outline["curvature_std"].attrs["unit"] == "per_nm"
        assert outline["arc_length"][-1] == pytest.approx(2 * np.pi * 80, rel=0.02)
        assert len(file["boundaries/3"]) == 0
