"""TIFF: every path gives the values written; what a tag says of them is respected or refused."""

import runpy
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from icefloe.datasets.readers import image_shape, read_image, read_mask, read_metadata, read_stack
from icefloe.datasets.recordings.opening import open_recording
from icefloe.errors import IcefloeError

MATRIX = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "tiff_matrix.py"))


@pytest.fixture
def picture(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(1, 200, (24, 40), dtype=np.uint8)


def _recorded(path: Path) -> np.ndarray:
    return np.array(list(open_recording(path).frames()))


def test_no_path_reads_wrong_values_from_any_kind_of_tiff(tmp_path, rng):
    """A part of the matrix, all of which `python benchmarks/tiff_matrix.py` counts."""
    outcomes = {}
    for variant in islice(MATRIX["variants"](), 5, None, 17):
        MATRIX["write"](variant, tmp_path, rng)
        found = MATRIX["wrong_paths"](tmp_path / f"{variant.name}.tif")
        outcomes |= {f"{variant.name} by {path}": outcome for path, outcome in found.items()}
    # float32, which images are, does not tell 2**64 - 1 from 2**64 - 2**22: constant, and refused.
    kept = {what: outcome for what, outcome in outcomes.items() if not what.startswith("u8")}
    assert {what for what, outcome in kept.items() if outcome != "right"} == set()
    assert "wrong" not in outcomes.values()
    assert len(kept) > 300


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("pages", [1, 3])
def test_the_tag_orientation_turns_image_mask_and_frames_as_pillow_turns_them(
    tmp_path, picture, orientation, pages
):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tiff:
        for page in range(pages):
            turned = [("Orientation", 3, 1, orientation, True)]
            tiff.write(picture + page, photometric="minisblack", metadata=None, extratags=turned)
    exif = Image.Exif()
    exif[0x0112] = orientation
    reference = Image.fromarray(picture)
    reference.getexif().update(exif)
    expected = np.asarray(ImageOps.exif_transpose(reference))

    np.testing.assert_array_equal(read_stack(path)[0], expected)
    np.testing.assert_array_equal(_recorded(path), [expected + page for page in range(pages)])
    assert open_recording(path).shape == expected.shape
    if pages == 1:
        np.testing.assert_array_equal(read_mask(path), expected)
        assert image_shape(path) == expected.shape


@pytest.mark.parametrize("compression", [None, "lzw"])
def test_where_the_smallest_is_white_values_are_those_displayed_whatever_the_compression(
    tmp_path, picture, compression
):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, picture, photometric="miniswhite", compression=compression)
    for read in (read_image, read_mask, lambda path: _recorded(path)[0]):
        np.testing.assert_array_equal(read(path), 255 - picture)


def test_floating_numbers_of_which_the_smallest_is_white_are_refused(tmp_path, picture):
    tifffile.imwrite(tmp_path / "a.tif", picture.astype(np.float32), photometric="miniswhite")
    with pytest.raises(IcefloeError, match="without saying what is black"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("compression", ["group3", "group4", "tiff_ccitt", "tiff_lzw", "packbits"])
def test_one_bit_pictures_of_another_writer_are_black_and_white(tmp_path, picture, compression):
    drawn = picture > 90
    Image.fromarray(drawn).save(tmp_path / "a.tif", compression=compression)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), drawn)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif"), drawn)


def test_a_grey_palette_gives_its_levels_to_images_and_its_indices_to_masks(tmp_path):
    classes = np.arange(60, dtype=np.uint8).reshape(6, 10) % 3
    levels = np.zeros((3, 256), np.uint16)
    levels[:, :3] = np.array([10, 200, 90]) * 257
    tifffile.imwrite(tmp_path / "a.tif", classes, photometric="palette", colormap=levels)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), np.array([10, 200, 90])[classes])
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif"), classes)
    np.testing.assert_array_equal(_recorded(tmp_path / "a.tif")[0], np.array([10, 200, 90])[classes])


def test_a_palette_that_shows_background_bright_is_refused_as_a_mask(tmp_path):
    classes = np.arange(60, dtype=np.uint8).reshape(6, 10) % 2
    levels = np.stack([np.arange(256)[::-1] * 257] * 3).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", classes, photometric="palette", colormap=levels)
    with pytest.raises(IcefloeError, match="shows class 0 of this mask brighter than others"):
        read_mask(tmp_path / "a.tif")


def test_a_palette_of_colours_is_refused_as_an_image(tmp_path, picture):
    colours = np.arange(3 * 256, dtype=np.uint16).reshape(3, 256) * 80
    tifffile.imwrite(tmp_path / "a.tif", picture, photometric="palette", colormap=colours)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.tif"), picture)
    with pytest.raises(IcefloeError, match="a colour picture"):
        read_image(tmp_path / "a.tif")
    with pytest.raises(IcefloeError, match="a colour picture"):
        _recorded(tmp_path / "a.tif")


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_equal_channels_are_grey_however_they_are_stored(tmp_path, picture, planar, compression):
    channels = np.stack([picture] * 3, axis=-1 if planar == "contig" else 0)
    options = {"photometric": "rgb", "planarconfig": planar, "compression": compression}
    tifffile.imwrite(tmp_path / "a.tif", channels, **options)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), picture)
    np.testing.assert_array_equal(_recorded(tmp_path / "a.tif")[0], picture)


@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha", "unspecified"])
def test_an_extra_channel_must_say_nothing(tmp_path, picture, kind):
    options = {"photometric": "minisblack", "planarconfig": "contig", "extrasamples": [kind]}
    tifffile.imwrite(tmp_path / "a.tif", np.dstack([picture, np.full_like(picture, 255)]), **options)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), picture)
    tifffile.imwrite(tmp_path / "b.tif", np.dstack([picture, picture[::-1]]), **options)
    with pytest.raises(IcefloeError, match=r"transparent|has several channels"):
        read_image(tmp_path / "b.tif")


def test_a_jpeg_within_a_tiff_is_read_as_its_writer_reads_it(tmp_path):
    smooth = np.add.outer(np.arange(32), np.arange(48)).astype(np.uint8) * 2
    for name, mode in (("grey.tif", "L"), ("ycbcr.tif", "RGB")):
        Image.fromarray(smooth).convert(mode).save(tmp_path / name, compression="jpeg", quality=95)
        np.testing.assert_allclose(read_image(tmp_path / name), smooth, atol=3)


@pytest.mark.parametrize(
    ("photometric", "n_channels"), [("separated", 4), ("cielab", 3), ("ycbcr", 3), ("minisblack", 5)]
)
def test_colour_spaces_that_are_not_grey_are_refused(tmp_path, picture, photometric, n_channels):
    channels = np.stack([picture] * n_channels, axis=-1)
    tifffile.imwrite(
        tmp_path / "a.tif", channels, photometric=photometric, planarconfig="contig", metadata=None
    )
    for read in (read_image, read_mask, _recorded):
        with pytest.raises(
            IcefloeError, match=r"not grey or RGB|has several channels|has \d channels"
        ) as refused:
            read(tmp_path / "a.tif")
        assert "\n" not in str(refused.value)


def test_complex_values_are_refused(tmp_path, picture):
    tifffile.imwrite(tmp_path / "a.tif", picture.astype(np.complex64))
    with pytest.raises(IcefloeError, match="complex64 are no grey image"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize("compression", [None, "lzw"])
@pytest.mark.parametrize("marked", [0, 1])
@pytest.mark.parametrize("first", ["thumbnail", "image"])
def test_a_small_page_is_never_taken_for_the_image(tmp_path, picture, compression, marked, first):
    pages = [(picture[::4, ::4], marked), (picture, 0)]
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tiff:
        for page, reduced in pages if first == "thumbnail" else pages[::-1]:
            tiff.write(page, compression=compression, subfiletype=reduced, metadata=None)
    np.testing.assert_array_equal(read_image(path), picture)
    np.testing.assert_array_equal(read_mask(path), picture)
    np.testing.assert_array_equal(_recorded(path), [picture])
    assert image_shape(path) == picture.shape
    assert read_metadata(path).chosen == f"page {2 if first == 'thumbnail' else 1} of 2"


def test_an_image_in_a_subifd_is_found_behind_its_thumbnail(tmp_path, picture):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(picture[::4, ::4], subfiletype=1, subifds=1, metadata=None)
        tiff.write(picture, subfiletype=0, metadata=None)
    np.testing.assert_array_equal(read_image(path), picture)
    assert image_shape(path) == picture.shape


def test_a_pyramids_reduced_levels_are_left_out(tmp_path, picture):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(picture, subifds=2, metadata=None)
        tiff.write(picture[::2, ::2], subfiletype=1, metadata=None)
        tiff.write(picture[::4, ::4], subfiletype=1, metadata=None)
    np.testing.assert_array_equal(read_image(path), picture)
    np.testing.assert_array_equal(_recorded(path), [picture])


def test_a_reduced_image_alone_is_refused(tmp_path, picture):
    tifffile.imwrite(tmp_path / "a.tif", picture, subfiletype=1)
    with pytest.raises(IcefloeError, match="a reduced image"):
        read_image(tmp_path / "a.tif")


def test_pages_of_nearly_one_size_are_refused(tmp_path, picture):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tiff:
        for page in (picture, picture[:, 1:]):
            tiff.write(page, metadata=None)
    for read in (read_image, read_stack, read_mask, image_shape, open_recording):
        with pytest.raises(IcefloeError, match=r"its pages differ in size \(40x24 and 39x24\)"):
            read(path)


@pytest.mark.parametrize("how", ["imagej", "ome"])
def test_hyperstacks_of_several_dimensions_are_refused(tmp_path, rng, how):
    frames = rng.integers(0, 99, (3, 2, 8, 9), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", frames, metadata={"axes": "TCYX"}, **{how: True})
    for read in (read_stack, open_recording):
        with pytest.raises(IcefloeError, match=r"a hyperstack \(2 channels x 3 frames\)"):
            read(tmp_path / "a.tif")


def test_frames_behind_one_page_are_displayed_as_the_page_is(tmp_path, rng):
    frames = rng.integers(0, 99, (4, 8, 9), dtype=np.uint8)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, frames, photometric="miniswhite", metadata={"truncate": True})
    with tifffile.TiffFile(path) as tiff:
        assert len(tiff.pages) == 4 or tiff.series[0].is_truncated
    np.testing.assert_array_equal(read_stack(path), 255 - frames)
    np.testing.assert_array_equal(_recorded(path), 255 - frames)


def test_a_page_that_promises_more_pixels_than_it_has_is_refused(tmp_path, picture):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, picture, metadata=None)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages.first.tags["StripByteCounts"].overwrite(100)
    for read in (read_image, _recorded):
        with pytest.raises(IcefloeError, match=r"a\.tif: (truncated|cut off)"):
            read(path)


@pytest.mark.parametrize("compression", [1, 8, 5, 50000])
def test_an_absurd_size_is_refused_before_memory_is_asked_for_it(tmp_path, picture, compression):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, picture, metadata=None)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        for tag, value in (("ImageWidth", 10**9), ("ImageLength", 10**9), ("Compression", compression)):
            tiff.pages.first.tags[tag].overwrite(value)
    with pytest.raises(IcefloeError, match=r"1,000,000,000 x 1,000,000,000 pixels, more than a file of"):
        read_image(path)


@pytest.mark.parametrize(
    ("number", "name"), [(48124, "JETRAW"), (34676, "SGILOG"), (59999, "an unknown method")]
)
def test_a_codec_that_is_not_there_is_named(tmp_path, picture, number, name):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, picture.astype(np.uint16), compression="zlib", metadata=None)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages.first.tags["Compression"].overwrite(number)
    for read in (read_image, read_mask, _recorded):
        with pytest.raises(IcefloeError, match=rf"compressed by {name} \({number}\), which can't be undone"):
            read(path)


@pytest.mark.parametrize("tag", ["TileWidth", "TileLength", "ImageWidth", "SamplesPerPixel"])
def test_a_length_that_is_many_numbers_is_refused_in_one_line(tmp_path, picture, tag):
    """Found by fuzzing: a product of such lengths is a tuple as long as the others say."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, picture, tile=(16, 16), metadata=None)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages.first.tags[tag].overwrite((16, 2**31 - 1, 2**31 - 1), dtype="I")
    for read in (read_image, read_mask, image_shape, read_metadata, open_recording):
        with pytest.raises(IcefloeError, match=r"a\.tif: (truncated|its header says)"):
            read(path)


@pytest.mark.parametrize("n_pages", [1, 3])
def test_a_chain_of_pages_that_comes_back_to_itself_is_refused(tmp_path, picture, n_pages):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.stack([picture] * n_pages), photometric="minisblack", metadata=None)
    with tifffile.TiffFile(path) as tiff:
        first, last = tiff.pages[0].offset, tiff.pages[-1]
        assert isinstance(last, tifffile.TiffPage)
        pointer = last.offset + 2 + 12 * len(last.tags)
    content = bytearray(path.read_bytes())
    content[pointer : pointer + 4] = first.to_bytes(4, "little")
    path.write_bytes(content)
    for read in (read_image, read_stack, read_mask, read_metadata, image_shape, open_recording):
        with pytest.raises(IcefloeError, match="its chain of pages comes back to itself"):
            read(path)


def test_a_tiff_under_another_name_is_read_as_a_tiff(tmp_path, picture):
    tifffile.imwrite(tmp_path / "a.tif", picture.astype(np.int8), compression="lzw", byteorder=">")
    (tmp_path / "a.tif").rename(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), picture.astype(np.int8))
    np.testing.assert_array_equal(_recorded(tmp_path / "a.png")[0], picture.astype(np.int8))
