"""Files segmented alone; the registry is tested in its own room, so a version stands ready here."""

from types import SimpleNamespace

import numpy as np
import pytest
import tifffile

from icefloe.datasets.readers import read_mask
from icefloe.errors import IcefloeError
from icefloe.imaging.preprocess import Preprocessing
from icefloe.registry.version import Version
from icefloe.workflow import prediction

VERSION = Version(
    name="EA-T1",
    number=1,
    aliases=("champion",),
    created="2026-11-29T00:00:00+00:00",
    parent=None,
    data_rev="",
    data_md5="",
    git_sha="",
    verdict="pass",
    compared_with=None,
    metrics={},
    run_id="",
)


def test_a_file_alone_states_the_pixel_size_that_tiles_are_brought_to(
    make_ensemble, rng, tmp_path, monkeypatch
):
    ensemble = make_ensemble(preprocessing=Preprocessing(view="tiles", size=64, pixel_size_nm=2.0))
    monkeypatch.setattr(prediction, "load_version", lambda *_: ensemble)
    monkeypatch.setattr(prediction, "Registry", lambda _: SimpleNamespace(get=lambda _: VERSION))
    pixels = rng.random((90, 70)).astype(np.float32)
    calibrated = tmp_path / "calibrated.tif"
    tifffile.imwrite(calibrated, pixels, imagej=True, resolution=(1 / 1.5, 1 / 1.5), metadata={"unit": "nm"})
    prediction.predict_files(None, [calibrated], tmp_path / "masks")
    written = read_mask(tmp_path / "masks" / "calibrated_mask.png")
    np.testing.assert_array_equal(written, ensemble.predict_image(pixels, pixel_size_nm=1.5).mask)

    bare = tmp_path / "bare.tif"
    tifffile.imwrite(bare, pixels)
    with pytest.raises(IcefloeError, match=r"pixel size is not known.*a file alone has to state it itself"):
        prediction.predict_files(None, [bare], tmp_path / "others")
