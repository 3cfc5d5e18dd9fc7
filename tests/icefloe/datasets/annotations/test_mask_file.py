from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from icefloe.datasets.annotations.mask_file import MaskFile, White, check_values, read_mask_file
from icefloe.errors import IcefloeError

SHAPE = (9, 12)


def square(value: int = 1) -> np.ndarray:
    mask = np.zeros(SHAPE, np.uint8)
    mask[2:6, 3:9] = value
    return mask


def read(path: Path, n_classes: int = 2) -> np.ndarray:
    mask = read_mask_file(path, n_classes)
    return White.of([mask.present], n_classes).class_indices(mask, path)


def palette_of(mask: np.ndarray, *colours: tuple[int, int, int]) -> Image.Image:
    picture = Image.fromarray(mask)
    picture.putpalette([value for colour in colours for value in colour])
    return picture


def with_alpha(mode: str, alpha: int) -> Image.Image:
    picture = Image.fromarray(square(255)).convert(mode)
    picture.putalpha(alpha)
    return picture


BLACK_AND_WHITE = {
    "grey": Image.fromarray(square(255)),
    "1 bit": Image.fromarray(square(255)).convert("1"),
    "RGB": Image.fromarray(square(255)).convert("RGB"),
    "RGBA": with_alpha("RGB", 255),
    "grey and alpha": with_alpha("L", 255),
    "16 bit": Image.fromarray(square(1).astype(np.uint16) * 65535),
    "16 bit, 255": Image.fromarray(square(255).astype(np.uint16)),
    "palette, black first": palette_of(square(1), (0, 0, 0), (255, 255, 255)),
    "palette, white first": palette_of(1 - square(1), (255, 255, 255), (0, 0, 0)),
    "palette of greys": palette_of(square(255), *((grey,) * 3 for grey in range(256))),
    "adaptive palette": Image.fromarray(square(255))
    .convert("RGB")
    .convert("P", palette=Image.Palette.ADAPTIVE),
    "palette, red on black": palette_of(1 - square(1), (255, 0, 0), (0, 0, 0)),
    "class indices": Image.fromarray(square(1)),
    "class indices at 16 bit": Image.fromarray(square(1).astype(np.uint16)),
    "class indices in RGB": Image.fromarray(square(1)).convert("RGB"),
    "VOC palette": palette_of(square(1), (0, 0, 0), (128, 0, 0), (0, 128, 0)),
}


@pytest.mark.parametrize("kind", BLACK_AND_WHITE)
def test_what_a_viewer_shows_dark_is_background_in_every_kind_of_png(tmp_path, kind):
    BLACK_AND_WHITE[kind].save(tmp_path / "m.png")
    np.testing.assert_array_equal(read(tmp_path / "m.png"), square())


@pytest.mark.parametrize(
    ("suffix", "mode"),
    [(suffix, "L") for suffix in (".bmp", ".gif", ".tif", ".png", ".tga", ".pgm")]
    + [(suffix, "1") for suffix in (".bmp", ".gif", ".tif", ".png", ".pbm")],
)
def test_every_lossless_picture_is_read(tmp_path, suffix, mode):
    Image.fromarray(square(255)).convert(mode).save(tmp_path / f"m{suffix}")
    np.testing.assert_array_equal(read(tmp_path / f"m{suffix}"), square())


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.int64, np.float32])
def test_arrays_and_tiffs_of_any_type_are_read(tmp_path, dtype):
    np.save(tmp_path / "m.npy", square().astype(dtype))
    np.testing.assert_array_equal(read(tmp_path / "m.npy"), square())
    tifffile.imwrite(tmp_path / "m.tif", square().astype(dtype))
    np.testing.assert_array_equal(read(tmp_path / "m.tif"), square())


def test_a_palette_tiff_with_white_first_is_read_by_its_colours(tmp_path):
    palette_of(1 - square(1), (255, 255, 255), (0, 0, 0)).save(tmp_path / "m.tif")
    np.testing.assert_array_equal(read(tmp_path / "m.tif"), square())


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_white_at_few_bits_is_white_and_low_values_are_classes(tmp_path, depth):
    white = 2**depth - 1
    _write_grey(tmp_path / "m.png", square(white), depth)
    np.testing.assert_array_equal(read(tmp_path / "m.png"), square())
    _write_grey(tmp_path / "m.png", square(1), depth)
    np.testing.assert_array_equal(read(tmp_path / "m.png"), square())


def test_the_highest_value_of_few_bits_is_refused_where_it_may_be_a_class(tmp_path):
    _write_grey(tmp_path / "m.png", square(3), 2)
    with pytest.raises(IcefloeError, match="3 at 2 bits is white or class 3"):
        read(tmp_path / "m.png", n_classes=4)


def _write_grey(path: Path, mask: np.ndarray, depth: int) -> None:
    """A grey PNG of few bits, which Pillow writes only for palettes: the palette is taken out again."""
    import struct
    import zlib

    rows = b"".join(
        b"\0" + np.packbits(np.unpackbits(row[:, None], axis=1)[:, 8 - depth :].ravel()).tobytes()
        for row in mask
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", mask.shape[1], mask.shape[0], depth, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_the_standard_palettes_255_is_ignore_even_alone(tmp_path):
    colours = [(0, 0, 0)] * 255 + [(224, 224, 192)]
    palette_of(square(255), *colours).save(tmp_path / "m.png")
    np.testing.assert_array_equal(read(tmp_path / "m.png"), square(255))


def test_a_turned_mask_is_read_as_viewers_show_it(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(square(255)).save(tmp_path / "m.png", exif=exif)
    np.testing.assert_array_equal(read(tmp_path / "m.png"), np.rot90(square(), -1))


def _clear_corner() -> Image.Image:
    picture = with_alpha("RGB", 255)
    picture.putpixel((0, 0), (0, 0, 0, 0))
    return picture


REFUSED = {
    "red and green": (
        Image.fromarray(np.dstack([square(255), 255 - square(255), square(0)])),
        "a mask in colour",
    ),
    "colour palette": (palette_of(square(1), (255, 0, 0), (0, 255, 0)), "palette don't say what is which"),
    "one colour": (palette_of(square(0), (255, 0, 0)), "palette don't say what is which"),
    "grey palette": (palette_of(square(1), (200, 200, 200), (90, 90, 90)), "palette don't say"),
    "black palette": (palette_of(square(1), (0, 0, 0), (0, 0, 0)), "shows its 2 values in one colour"),
    "all transparent": (with_alpha("RGB", 0), "parts of the mask are transparent"),
    "half transparent": (with_alpha("L", 128), "parts of the mask are transparent"),
    "clear corner": (_clear_corner(), "parts of the mask are transparent"),
    "16 bit levels": (
        Image.fromarray(square(1).astype(np.uint16) * 900),
        "other than whole numbers from 0 to 255",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_picture_that_does_not_say_what_is_background_is_refused_with_the_remedy(tmp_path, kind):
    picture, message = REFUSED[kind]
    picture.save(tmp_path / "m.png")
    with pytest.raises(IcefloeError) as error:
        read(tmp_path / "m.png")
    assert message in str(error.value)
    assert "Export" in str(error.value) or "export" in str(error.value)


def test_colour_palettes_of_three_classes_are_read_only_where_they_are_the_standard_ones(tmp_path):
    mask = square(1)
    mask[0] = 2
    palette_of(mask, (0, 0, 0), (128, 0, 0), (0, 128, 0)).save(tmp_path / "m.png")
    np.testing.assert_array_equal(read(tmp_path / "m.png", 3), mask)
    palette_of(mask, (0, 0, 0), (0, 255, 0), (255, 0, 0)).save(tmp_path / "m.png")
    with pytest.raises(IcefloeError, match="palette don't say what is which class"):
        read(tmp_path / "m.png", 3)


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".webp"])
def test_lossy_masks_are_refused_because_borders_are_blurred(tmp_path, suffix):
    Image.fromarray(square(255)).save(tmp_path / f"m{suffix}")
    with pytest.raises(IcefloeError, match=r"blurs the borders between classes\. Export it as PNG"):
        read(tmp_path / f"m{suffix}")


def test_arrays_are_never_unpickled_and_damaged_files_are_one_line(tmp_path):
    np.save(tmp_path / "m.npy", np.array([{}]), allow_pickle=True)
    Image.fromarray(square()).save(tmp_path / "m.png")
    (tmp_path / "m.png").write_bytes((tmp_path / "m.png").read_bytes()[:60])
    for name in ("m.npy", "m.png"):
        with pytest.raises(IcefloeError) as error:
            read(tmp_path / name)
        assert "\n" not in str(error.value)


def test_several_pages_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "m.tif", np.stack([square()] * 3), photometric="minisblack")
    frames = [Image.fromarray(square(value)) for value in (255, 200)]
    frames[0].save(tmp_path / "m.gif", save_all=True, append_images=frames[1:])
    for name, n_pages in (("m.tif", 3), ("m.gif", 2)):
        with pytest.raises(IcefloeError, match=f"this has {n_pages} pages"):
            read(tmp_path / name)


def decide(n_classes: int, *masks: list[int]) -> list[list[int]]:
    files = [MaskFile(np.array([values], np.uint8)) for values in masks]
    white = White.of([file.present for file in files], n_classes)
    return [white.class_indices(file, "m.png")[0].tolist() for file in files]


def test_white_is_the_second_class_beside_masks_of_0_and_1():
    assert decide(2, [0, 255], [0, 1], [1], [0]) == [[0, 1], [0, 1], [1], [0]]


def test_white_all_over_is_the_second_class_where_others_are_black_and_white():
    assert decide(2, [0, 255], [255]) == [[0, 1], [1]]


def test_255_beside_class_1_is_ignore():
    assert decide(2, [0, 1, 255], [0, 1]) == [[0, 1, 255], [0, 1]]
    assert decide(3, [0, 2], [0, 255], [255]) == [[0, 2], [0, 255], [255]]


@pytest.mark.parametrize(
    ("n_classes", "masks", "message"),
    [
        (2, ([255],), "255 all over, which may be class 1, or ignored. Write class 1 as 1"),
        (2, ([255], [0, 1]), "255 all over"),
        (2, ([0, 255], [0, 1, 255]), "255 may be class 1 here, or ignored as in other masks"),
        (3, ([0, 255],), "nothing but 0 and 255 doesn't say which of 3 classes"),
    ],
)
def test_white_that_may_mean_two_things_is_refused(n_classes, masks, message):
    with pytest.raises(IcefloeError, match=message):
        decide(n_classes, *masks)


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        (
            [0, 1, 2],
            'values 2); known are 0 = background, 1 = ice and 255 = ignore. Name every class: --classes "b',
        ),
        ([0, 3], '--classes "background,ice,NAME2,NAME3"'),
        ([0, 128], "Those are grey levels, not classes. Paint the background black and the rest white"),
        ([0, 7, 90, 255], "Those are grey levels"),
    ],
)
def test_unknown_values_are_answered_with_what_helps(values, remedy):
    with pytest.raises(IcefloeError) as error:
        check_values(np.array([values], np.uint8), ("background", "ice"), "m.png")
    assert remedy in str(error.value)


def test_known_values_pass():
    check_values(np.array([[0, 1, 255]], np.uint8), ("background", "ice"), "m.png")


def test_a_jpeg_that_is_called_png_is_no_mask(tmp_path):
    Image.fromarray(square(255)).save(tmp_path / "m.jpg")
    (tmp_path / "m.jpg").rename(tmp_path / "m.png")
    with pytest.raises(IcefloeError, match=r"the mask can't be read \(cannot identify image file"):
        read(tmp_path / "m.png")


ODD_ARRAYS = {
    "empty": np.zeros((0, 0), np.uint8),
    "no columns": np.zeros((9, 0)),
    "a number": np.array(3),
    "a row": np.zeros(12, np.uint8),
    "four dimensions": np.zeros((1, 2, 3, 4), np.uint8),
    "pages": np.zeros((3, *SHAPE), np.uint8),
    "complex": np.zeros(SHAPE, np.complex64),
    "times": np.zeros(SHAPE, "datetime64[s]"),
    "text": np.full(SHAPE, "ice"),
    "records": np.zeros(SHAPE, [("a", "u1"), ("b", "u1")]),
    "not numbers": np.full(SHAPE, np.nan),
    "negative": np.full(SHAPE, -1),
    "large": np.full(SHAPE, 2**40),
    "halves": np.full(SHAPE, 0.5),
}


@pytest.mark.parametrize("kind", ODD_ARRAYS)
def test_arrays_that_are_no_masks_are_refused_in_one_line(tmp_path, kind):
    np.save(tmp_path / "m.npy", ODD_ARRAYS[kind])
    with pytest.raises(IcefloeError) as error:
        read(tmp_path / "m.npy")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("dimensions", [(*SHAPE, 1), (1, *SHAPE)])
def test_an_array_with_one_channel_or_page_is_read(tmp_path, dimensions):
    np.save(tmp_path / "m.npy", square().reshape(dimensions))
    np.testing.assert_array_equal(read(tmp_path / "m.npy"), square())
