"""Frames of files and folders that grow while they are read."""

import threading
import time

import numpy as np
import pytest
import tifffile
from PIL import Image

from icefloe.datasets.recordings.arriving import ArrivingFrames
from icefloe.datasets.recordings.opening import open_recording
from icefloe.errors import IcefloeError

POLL_S = 0.02


@pytest.fixture
def arriving():
    def make(path, idle_s=0.3):
        return ArrivingFrames(path, idle_s, POLL_S)

    return make


def _meanwhile(write):
    thread = threading.Thread(target=write)
    thread.start()
    return thread


def test_a_growing_mrc_file_gives_each_frame_once_it_is_whole(tmp_path, frames, write, arriving):
    whole = write.mrc(tmp_path / "whole.mrc", frames, promised=11).read_bytes()
    path = tmp_path / "r.mrc"

    def record():
        with path.open("wb", buffering=0) as file:
            # Pieces that end within frames, and one within the header.
            for start in range(0, len(whole), 333):
                file.write(whole[start : start + 333])
                time.sleep(0.01)

    camera = _meanwhile(record)
    source = arriving(path)
    assert source.recording().shape == (12, 16)
    read = list(source.frames())
    camera.join()
    np.testing.assert_array_equal(read, frames)


def test_a_growing_tiff_file_gives_its_pages(tmp_path, frames, arriving):
    path = tmp_path / "r.tif"

    def record():
        with tifffile.TiffWriter(path) as tiff:
            for frame in frames:
                tiff.write(frame, contiguous=False, metadata=None)
                time.sleep(0.02)

    camera = _meanwhile(record)
    read = list(arriving(path).frames())
    camera.join()
    np.testing.assert_array_equal(read, frames)


def test_a_half_written_page_is_not_read(tmp_path, frames, write, arriving):
    path = write.pages(tmp_path / "r.tif", frames)
    path.write_bytes(path.read_bytes()[:-50])
    read = list(arriving(path, idle_s=0.1).frames())
    np.testing.assert_array_equal(read, frames[:10])


def test_a_growing_tiff_file_says_its_pixel_size(tmp_path, frames):
    path = tmp_path / "r.tif"
    described = {"description": "ImageJ=1.53\nunit=nm\n", "resolution": (2, 2)}
    with tifffile.TiffWriter(path) as tiff:
        for frame in frames:
            tiff.write(frame, contiguous=False, metadata=None, **described)
    path.write_bytes(path.read_bytes()[:-50])
    recording = open_recording(path, growing=True)
    assert (recording.n_frames, recording.pixel_size_nm) == (10, 0.5)


def test_files_in_a_folder_are_read_when_they_are_whole(tmp_path, frames, write, arriving):
    ready = write.folder(tmp_path / "ready", frames)
    folder = tmp_path / "r"

    def record():
        folder.mkdir()
        for index in range(len(frames)):
            content = (ready / f"frame {index}.png").read_bytes()
            with (folder / f"frame {index}.png").open("wb", buffering=0) as file:
                file.write(content[:100])
                time.sleep(0.01)
                file.write(content[100:])

    camera = _meanwhile(record)
    source = arriving(folder)
    assert source.recording().shape == (12, 16)
    read = list(source.frames())
    camera.join()
    np.testing.assert_array_equal(read, frames)
    assert not source.late


def test_a_writer_that_pauses_within_a_file_is_waited_for(tmp_path, frames, write, arriving):
    folder = write.folder(tmp_path / "r", frames[:2])
    last = folder / "frame 1.png"
    content = last.read_bytes()
    last.write_bytes(content[:100])

    def resume():
        time.sleep(0.15)  # longer than the file takes to look settled
        last.write_bytes(content)

    camera = _meanwhile(resume)
    read = list(arriving(folder).frames())
    camera.join()
    np.testing.assert_array_equal(read, frames[:2])


def test_reading_goes_on_at_any_frame(tmp_path, frames, write, arriving):
    folder = write.folder(tmp_path / "r", frames)
    path = write.mrc(tmp_path / "r.mrc", frames)
    for source in (folder, path):
        np.testing.assert_array_equal(list(arriving(source, idle_s=0.1).frames(7)), frames[7:])


def test_files_that_come_after_their_turn_are_left_out_and_named(tmp_path, frames, write, arriving):
    folder = write.folder(tmp_path / "r", frames)
    late = folder / "frame 5.png"
    content = late.read_bytes()
    late.unlink()

    def record():
        time.sleep(0.15)
        late.write_bytes(content)
        Image.fromarray(frames[0]).save(folder / "frame 11.png")

    camera = _meanwhile(record)
    source = arriving(folder)
    read = list(source.frames())
    camera.join()
    np.testing.assert_array_equal(read, [*frames[:5], *frames[6:], frames[0]])
    assert source.late == {late}


def test_when_nothing_comes_that_is_said(tmp_path, arriving):
    with pytest.raises(IcefloeError, match=r"No frame came in 0.1 s. .*r: no frame is in this folder"):
        arriving(tmp_path / "r", idle_s=0.1).recording()
    with pytest.raises(IcefloeError, match=r"No frame came in 0.1 s. .*r.mrc: no such file"):
        arriving(tmp_path / "r.mrc", idle_s=0.1).recording()


def test_what_stays_unreadable_is_an_error_in_the_end(tmp_path, frames, write, arriving):
    folder = write.folder(tmp_path / "r", frames[:3])
    (folder / "frame 3.png").write_bytes(b"not a picture")
    source = arriving(folder, idle_s=0.1).frames()
    np.testing.assert_array_equal([next(source) for _ in range(3)], frames[:3])
    with pytest.raises(IcefloeError, match=r"frame 3.png: truncated, damaged"):
        next(source)


def test_formats_with_an_index_at_their_end_are_refused(tmp_path, frames, write, arriving):
    path = write.video(tmp_path / "r.mp4", frames, "mpeg4", "yuv420p", given_as="gray")
    with pytest.raises(IcefloeError, match=r"can't be read while it is being written"):
        arriving(path, idle_s=0.05).recording()
