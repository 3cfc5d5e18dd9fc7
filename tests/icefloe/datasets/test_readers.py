import csv
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from icefloe.datasets.readers import image_shape, load_raw, read_image, read_mask, read_metadata, read_stack
from icefloe.errors import IcefloeError


@pytest.fixture
def picture(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 200, (40, 60), dtype=np.uint8)


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.float32, np.float64]
)
def test_tiff_of_any_depth_keeps_its_values(tmp_path, picture, dtype):
    tifffile.imwrite(tmp_path / "a.tif", picture.astype(dtype) * 3)
    image = read_image(tmp_path / "a.tif")
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, picture.astype(np.float64) * 3 if dtype != np.uint8 else picture * 3)


@pytest.mark.parametrize(("name", "dtype"), [("a.png", np.uint8), ("a.png", np.uint16), ("a.bmp", np.uint8)])
def test_pictures_keep_their_values(tmp_path, picture, name, dtype):
    Image.fromarray(picture.astype(dtype) * (150 if dtype == np.uint16 else 1)).save(tmp_path / name)
    expected = picture.astype(np.float32) * (150 if dtype == np.uint16 else 1)
    np.testing.assert_array_equal(read_image(tmp_path / name), expected)
    assert image_shape(tmp_path / name) == (40, 60)


def test_a_compressed_tiff_that_tifffile_leaves_to_others_is_read(tmp_path, picture):
    Image.fromarray(picture.astype(np.uint16) * 99).save(tmp_path / "a.tif", compression="tiff_lzw")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), picture.astype(np.float32) * 99)


def test_a_picture_is_known_by_its_content_where_the_name_lies(tmp_path, picture):
    Image.fromarray(picture).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), picture)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_equal_colour_channels_are_converted(tmp_path, picture, mode):
    Image.fromarray(picture).convert(mode).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), picture)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_real_colour_is_refused(tmp_path, rng, name):
    Image.fromarray(rng.integers(0, 255, (9, 9, 3), dtype=np.uint8)).save(tmp_path / name)
    with pytest.raises(IcefloeError, match=r"a colour picture \(its red, green and blue differ\).*Export"):
        read_image(tmp_path / name)


def test_partly_transparent_pictures_are_refused(tmp_path, picture):
    rgba = np.dstack([picture, picture, picture, picture])
    Image.fromarray(rgba).save(tmp_path / "a.png")
    with pytest.raises(IcefloeError, match="transparent"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("kept", [0.0, 0.02, 0.5, 0.97])
@pytest.mark.parametrize("n_frames", [1, 3])
def test_a_truncated_tiff_is_refused_in_one_line(tmp_path, rng, compression, kept, n_frames):
    path = tmp_path / "cut.tif"
    frames = rng.integers(0, 60000, (n_frames, 80, 80), dtype=np.uint16)
    with tifffile.TiffWriter(path) as writer:
        for frame in frames:
            writer.write(frame, compression=compression, contiguous=False)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    with pytest.raises(IcefloeError) as error:
        read_stack(path)
    assert re.fullmatch(
        r".*cut\.tif: truncated, damaged, or not what .*Export or copy it again\.", str(error.value)
    )


def test_a_truncated_png_is_refused(tmp_path, picture):
    Image.fromarray(picture).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:900])
    with pytest.raises(IcefloeError, match="truncated"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_no_numbers_are_refused_with_their_count(tmp_path, picture, value):
    image = picture.astype(np.float32)
    image[3, 4:6] = value
    tifffile.imwrite(tmp_path / "a.tif", image)
    with pytest.raises(IcefloeError, match=r"a\.tif: 2 pixels are NaN or infinite\. Replace or crop"):
        read_image(tmp_path / "a.tif")


def test_a_constant_image_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.full((8, 8), 17, np.uint16))
    with pytest.raises(IcefloeError, match="all pixels have the value 17"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9)])
def test_an_image_of_one_pixel_or_one_row_is_refused(tmp_path, height, width):
    Image.fromarray(np.arange(height * width, dtype=np.uint8).reshape(height, width)).save(tmp_path / "a.png")
    with pytest.raises(IcefloeError, match=f"only {width}x{height} pixels"):
        read_image(tmp_path / "a.png")


def test_a_stack_is_read_as_a_stack_and_refused_as_an_image(tmp_path, rng):
    frames = rng.integers(0, 99, (5, 12, 10), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", frames)
    np.testing.assert_array_equal(read_stack(tmp_path / "a.tif"), frames)
    with pytest.raises(IcefloeError, match=r"a stack of 5 frames where one image is meant\. Average"):
        read_image(tmp_path / "a.tif")


def test_nothing_is_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "exploded",)

    (tmp_path / "a.npy").write_bytes(pickle.dumps(Bomb()))
    np.save(tmp_path / "b.npy", np.array([Bomb()], dtype=object), allow_pickle=True)
    for name in ("a.npy", "b.npy"):
        with pytest.raises(IcefloeError, match="truncated, damaged, or not what"):
            read_image(tmp_path / name)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [("a.zip", "an archive. Unpack it"), ("a.docx", "not an image format"), ("missing.tif", "no such file")],
)
def test_what_is_no_image_is_refused_with_the_remedy(tmp_path, name, message):
    if name != "missing.tif":
        (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(IcefloeError, match=re.escape(message)):
        read_image(tmp_path / name)


def test_a_palette_mask_gives_its_indices(tmp_path, rng):
    mask = rng.integers(0, 3, (20, 20), dtype=np.uint8)
    picture = Image.fromarray(mask)
    picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    picture.save(tmp_path / "m.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "m.png"), mask)


def test_a_mask_whose_palette_shows_class_0_white_is_refused(tmp_path, rng):
    for suffix in ("png", "tif"):
        picture = Image.fromarray(rng.integers(0, 2, (20, 20), dtype=np.uint8))
        picture.putpalette([255, 255, 255, 0, 0, 0])
        picture.save(tmp_path / f"m.{suffix}")
        with pytest.raises(IcefloeError, match=r"shows class 0 of this mask brighter than others"):
            read_mask(tmp_path / f"m.{suffix}")


def test_booleans_that_tifffile_wrote_are_a_mask_as_they_were(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", np.eye(9, dtype=bool))
    np.testing.assert_array_equal(read_mask(tmp_path / "m.tif"), np.eye(9))


def test_a_mask_with_fractions_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", np.full((4, 4), 0.5, np.float32))
    with pytest.raises(IcefloeError, match="values other than whole numbers from 0 to 255"):
        read_mask(tmp_path / "m.tif")


def test_every_container_loads_or_is_refused_in_one_line(real_data):
    folder = real_data / "containers"
    shapes, refusals = [], []
    for path in sorted(file for file in folder.rglob("*") if file.is_file()):
        try:
            shapes.append(read_stack(path).shape)
        except IcefloeError as error:
            refusals.append((path, str(error)))
    assert len(shapes) >= 76
    for path, message in refusals:
        assert re.fullmatch(rf"{re.escape(str(path))}: [^\n]+\. [^\n]+\.", message)


def test_every_real_image_that_the_probe_loaded_loads_with_its_size(real_data):
    folder = real_data / "containers"
    with (folder / "probe.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    compared = 0
    for row in rows:
        first = re.match(
            r"\((\d+), (\d+)\) (uint16|int32|uint32) ([\d.]+)(nm|µm)/\4\5$", row["shape dtype scale"]
        )
        if first:
            height, width, dtype, scale, unit = first.groups()
            metadata = read_metadata(folder / row["path"])
            assert (metadata.shape, metadata.dtype) == ((int(height), int(width)), dtype)
            if float(scale) < 100:
                expected = float(scale) * (1000 if unit == "µm" else 1)
                assert metadata.pixel_size_nm == pytest.approx(expected, rel=1e-3)
            compared += 1
    assert compared >= 13


def test_what_the_probe_found_to_be_a_real_image_or_stack_loads_and_nothing_else_of_it(real_data):
    folder = real_data / "containers"
    with (folder / "probe.csv").open(newline="") as file:
        probed = [row for row in csv.DictReader(file) if row["rosettasciio_result"].startswith("ok")]
    real = re.compile(r"\(\d+, \d+(?:, \d+)?\) (?:u?int\d+|float\d+|bool) ")
    # A spectrum at each point, whose third axis is electron volts: the probe shows the other two.
    no_image = {"EELS_SI.dm4"}
    # Read as stacks: four axes of which one is 1 long, a scan's movie. Colours that are all equal are grey.
    images = {"simple_signal.nxs", "20241021_00405_movie.mrc", "test-8.dm3", "test-8.dm4"}
    wrong = []
    for row in probed:
        path = folder / row["path"]
        grey = any(real.match(one) and "eV" not in one for one in row["shape dtype scale"].split("; "))
        try:
            load_raw(path)
            loads = True
        except IcefloeError:
            loads = False
        if loads != (path.name in images or (grey and path.name not in no_image)):
            wrong.append((row["path"], loads, row["shape dtype scale"]))
    assert len(probed) > 100
    assert wrong == []


def test_the_detector_image_is_chosen_beside_a_thumbnail_and_a_transform(real_data):
    folder = real_data / "containers" / "rosettasciio"
    olympus = read_metadata(folder / "tiff" / "olympus_SIS.tif")
    assert (olympus.dtype, olympus.chosen) == ("uint16", "page 2 of 2")
    assert read_metadata(folder / "emd" / "FFTComplexOdd.emd").dtype == "uint16"
    assert (
        "first of 2 images" in read_metadata(folder / "tia" / "old" / "16x16_STEM_BF_DF_acquire.emi").chosen
    )


def test_different_scales_along_x_and_y_give_no_pixel_size(real_data):
    path = real_data / "containers" / "openNCEM" / "dmTest_float32_nonSquare_diffPixelSize.dm3"
    assert read_metadata(path).pixel_size_nm is None
