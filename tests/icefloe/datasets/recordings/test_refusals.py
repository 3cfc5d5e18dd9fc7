"""What can't be read is refused in one line that says what to do."""

import sys

import numpy as np
import pytest
import tifffile
from PIL import Image

from icefloe.datasets.recordings.opening import open_recording
from icefloe.errors import IcefloeError


def _read(path):
    return list(open_recording(path).frames())


def _cut(path, n_bytes):
    path.write_bytes(path.read_bytes()[:-n_bytes])
    return path


def test_a_missing_recording(tmp_path):
    with pytest.raises(IcefloeError, match=r"none.tif: no such file or folder. Check the name"):
        open_recording(tmp_path / "none.tif")


def test_a_file_of_an_unknown_kind(tmp_path):
    (tmp_path / "a.docx").touch()
    with pytest.raises(IcefloeError, match=r"a.docx: not a recording that Icefloe reads"):
        open_recording(tmp_path / "a.docx")


def test_an_empty_folder(tmp_path):
    with pytest.raises(IcefloeError, match=r"no image or recording in this folder"):
        open_recording(tmp_path)


def test_a_folder_of_several_kinds(tmp_path, frames, write):
    write.mrc(tmp_path / "a.mrc", frames)
    write.pages(tmp_path / "preview.tif", frames)
    with pytest.raises(IcefloeError, match=r"files of several kinds \(.mrc, .tif\)"):
        open_recording(tmp_path)


def test_an_mrc_file_that_is_cut_off_says_how_far_it_goes(tmp_path, frames, write):
    path = _cut(write.mrc(tmp_path / "r.mrc", frames), 2 * 12 * 16 + 1)
    with pytest.raises(IcefloeError, match=r"r.mrc: cut off after 8 of 11 frames. Copy it again, or stack"):
        open_recording(path)


@pytest.mark.parametrize("format_", ["pages", "ser"])
def test_other_files_that_are_cut_off(tmp_path, frames, write, format_):
    path = getattr(write, format_)(tmp_path / {"pages": "r.tif", "ser": "r.ser"}[format_], frames)
    with pytest.raises(IcefloeError, match=r"cut off|truncated"):
        _read(_cut(path, 500))


def test_a_numpy_file_that_is_cut_off(tmp_path, frames):
    np.save(tmp_path / "r.npy", frames)
    with pytest.raises(IcefloeError, match=r"r.npy: truncated"):
        open_recording(_cut(tmp_path / "r.npy", 100))


def test_a_video_that_is_cut_off(tmp_path, rng, write):
    frames = rng.integers(0, 256, (40, 64, 64)).astype(np.uint8)
    path = write.video(tmp_path / "r.avi", frames, "rawvideo", "gray")
    with pytest.raises(IcefloeError, match=r"cut off after \d+ of 40 frames|truncated"):
        _read(_cut(path, 64 * 64 * 10))


def test_an_mp4_without_its_index(tmp_path, frames, write):
    path = write.video(tmp_path / "r.mp4", frames, "mpeg4", "yuv420p", given_as="gray")
    with pytest.raises(IcefloeError, match=r"r.mp4: truncated, damaged, or not what its name says"):
        open_recording(_cut(path, 600))


def test_a_text_file_called_avi(tmp_path):
    (tmp_path / "r.avi").write_text("frames to come")
    with pytest.raises(IcefloeError, match=r"r.avi: truncated, damaged, or not what its name says"):
        open_recording(tmp_path / "r.avi")


@pytest.mark.parametrize(("codec", "stored_as"), [("mpeg4", "yuv420p"), ("rawvideo", "bgr24")])
def test_a_colour_video(tmp_path, rng, write, codec, stored_as):
    frames = np.zeros((3, 32, 32, 3), np.uint8)
    frames[..., 0] = 200
    path = write.video(tmp_path / "r.avi", frames, codec, stored_as, given_as="rgb24")
    with pytest.raises(IcefloeError, match=r"colour"):
        open_recording(path)


def test_a_video_when_pyav_is_missing(tmp_path, frames, write, monkeypatch):
    path = write.video(tmp_path / "r.avi", frames, "rawvideo", "gray")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(IcefloeError, match=r"reading this format needs the Python package 'av'"):
        open_recording(path)


def test_a_tiff_compressed_in_a_way_that_is_not_known_names_it(tmp_path, frames):
    path = tmp_path / "r.tif"
    tifffile.imwrite(path, frames[0], compression="zlib")
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages.first.tags["Compression"].overwrite(34676)  # SGILOG, which nothing here decodes
    with pytest.raises(IcefloeError, match=r"r.tif: compressed by SGILOG \(34676\).*Save it uncompressed"):
        _read(path)


def test_a_scan_of_diffraction_patterns(real_data):
    path = real_data / "containers/rosettasciio/mrc/20241021_00405_movie.mrc"
    with pytest.raises(IcefloeError, match=r"a scan of diffraction patterns"):
        open_recording(path)


def test_spectra(real_data):
    path = real_data / "containers/rosettasciio/tia/old/more_ser_then_emi_metadata_1.ser"
    with pytest.raises(IcefloeError, match=r"holds spectra"):
        open_recording(path)


def test_pages_of_two_sizes(tmp_path):
    path = tmp_path / "r.tif"
    with tifffile.TiffWriter(path) as tiff:
        for width in (8, 8, 9):
            tiff.write(np.zeros((6, width), np.uint8), metadata=None)
    with pytest.raises(IcefloeError, match=r"r.tif: its pages differ in size \(9x6 and 8x6\)"):
        _read(path)


def test_files_of_two_sizes(tmp_path, frames, write):
    path = write.folder(tmp_path / "r", frames)
    Image.fromarray(frames[0, :6]).save(path / "frame 3.png")
    with pytest.raises(IcefloeError, match=r"r: frame 3 is 16x6 but the first is 16x12"):
        _read(path)


def test_a_frame_with_nan_is_named(tmp_path, rng, write):
    frames = rng.standard_normal((5, 4, 4)).astype(np.float32)
    frames[3, 1, 2] = np.nan
    with pytest.raises(IcefloeError, match=r"r.mrc: frame 3 has NaN or infinite pixels"):
        _read(write.mrc(tmp_path / "r.mrc", frames))


def test_a_numpy_array_in_another_order(tmp_path, frames):
    np.save(tmp_path / "r.npy", np.asfortranarray(frames))
    with pytest.raises(IcefloeError, match=r"in C order"):
        open_recording(tmp_path / "r.npy")


def test_a_recording_without_frames(tmp_path, write):
    path = write.mrc(tmp_path / "r.mrc", np.zeros((0, 4, 4), np.uint8))
    with pytest.raises(IcefloeError, match=r"the recording has no frames"):
        open_recording(path)
