"""The same frames come out of every format, and what the file says of them."""

from fractions import Fraction

import numpy as np
import pytest
import rsciio.hspy
import tifffile
from PIL import Image

from icefloe.datasets.readers import read_stack
from icefloe.datasets.recordings.opening import open_recording


def test_frames_are_those_written(recording_path, frames):
    recording = open_recording(recording_path)

    read = list(recording.frames())
    assert recording.shape == (12, 16)
    assert recording.n_frames in (11, None)
    np.testing.assert_array_equal(read, frames)
    assert read[0].dtype == np.uint8


def test_reading_may_begin_at_any_frame(recording_path, frames):
    for start in (4, 7, 11):
        read = list(open_recording(recording_path).frames(start))
        assert len(read) == 11 - start
        np.testing.assert_array_equal(np.reshape(read, (-1, 12, 16)), frames[start:])


@pytest.mark.parametrize("dtype", ["int16", "uint16", "float32"])
def test_deeper_pixels_keep_their_type_and_values(tmp_path, rng, write, dtype):
    frames = (1000 * rng.standard_normal((5, 6, 8))).astype(dtype)
    for path in (write.mrc(tmp_path / "r.mrc", frames), write.pages(tmp_path / "r.tif", frames)):
        read = np.array(list(open_recording(path).frames()))
        assert read.dtype == dtype
        np.testing.assert_array_equal(read, frames)


def test_a_lossless_video_of_16_bits_keeps_them(tmp_path, rng, write):
    frames = rng.integers(0, 65536, (5, 16, 16)).astype(np.uint16)
    path = write.video(tmp_path / "r.avi", frames, "ffv1", "gray16le")
    np.testing.assert_array_equal(list(open_recording(path).frames()), frames)


def test_a_lossy_mp4_keeps_brightness_and_the_exact_rate(tmp_path, write):
    ramp = np.linspace(30, 220, 64).astype(np.uint8)
    frames = np.stack([np.tile(np.roll(ramp, shift), (48, 1)) for shift in range(6)])
    path = write.video(tmp_path / "r.mp4", frames, "mpeg4", "yuv420p", Fraction(30000, 1001), "gray")

    recording = open_recording(path)
    read = np.array(list(recording.frames()), float)
    assert recording.frame_rate.hz == Fraction(30000, 1001)
    assert read.shape == frames.shape
    # Video's 16 to 235 are kept as stored, so brightness is a straight line of what was written.
    slope, offset = np.polyfit(frames.ravel(), read.ravel(), 1)
    assert np.abs(slope * frames + offset - read).mean() < 2


@pytest.mark.parametrize("name", ["r.mp4", "r.mkv"])
def test_frames_of_a_video_of_variable_rate_keep_their_own_times(tmp_path, write, name):
    stamps = [index + 2 * (index // 4) for index in range(12)]
    path = write.timed_video(tmp_path / name, stamps, Fraction(1, 25))
    recording = open_recording(path)
    assert not recording.frame_rate.is_even
    assert "each frame at its own time stamp" in recording.frame_rate.source
    np.testing.assert_allclose(recording.times_s, np.array(stamps) / 25, atol=1e-3)
    assert len(list(recording.frames())) == 12
    np.testing.assert_array_equal(list(recording.frames(5)), list(recording.frames())[5:])


def test_time_stamps_that_jitter_by_less_than_half_a_frame_are_even(tmp_path, write):
    stamps = [100 * index + [0, 30, -20][index % 3] for index in range(30)]
    recording = open_recording(write.timed_video(tmp_path / "r.mp4", stamps, Fraction(1, 2500)))
    assert recording.times_s is None
    assert recording.frame_rate.is_even
    assert float(recording.frame_rate.hz) == pytest.approx(25, rel=0.01)


def test_bytes_of_either_order_are_read(tmp_path, frames):
    path = tmp_path / "r.tif"
    tifffile.imwrite(path, frames.astype(np.uint16), byteorder=">")
    np.testing.assert_array_equal(list(open_recording(path).frames()), frames)


def test_more_frames_behind_one_imagej_page_are_found(tmp_path, frames):
    """ImageJ's own way of writing more than 4 GB."""
    whole = tmp_path / "whole.tif"
    tifffile.imwrite(whole, frames[:1], description="ImageJ=1.53\nimages=11\nframes=11\n", metadata=None)
    with tifffile.TiffFile(whole) as tiff:
        before = whole.read_bytes()[: tiff.pages.first.dataoffsets[0]]
    path = tmp_path / "r.tif"
    path.write_bytes(before + frames.tobytes())

    recording = open_recording(path)
    assert recording.n_frames == 11
    np.testing.assert_array_equal(list(recording.frames()), frames)


def test_imagej_says_interval_and_pixel_size(tmp_path, frames):
    path = tmp_path / "r.tif"
    metadata = {"axes": "TYX", "unit": "um", "finterval": 2.5, "tunit": "ms"}
    tifffile.imwrite(path, frames, imagej=True, resolution=(2000, 2000), metadata=metadata)

    recording = open_recording(path)
    assert recording.frame_rate.hz == 400
    assert recording.pixel_size_nm == pytest.approx(0.5)


def test_imagejs_fps_stands_in_for_an_interval(tmp_path, frames):
    path = tmp_path / "r.tif"
    tifffile.imwrite(path, frames, imagej=True, metadata={"axes": "TYX", "fps": 29.97})

    rate = open_recording(path).frame_rate
    assert float(rate.hz) == pytest.approx(29.97, rel=1e-5)
    assert "speed of playing" in rate.source


def test_ome_says_interval_and_pixel_size(tmp_path, frames):
    path = tmp_path / "r.ome.tif"
    metadata = {"axes": "TYX", "TimeIncrement": 10.0, "TimeIncrementUnit": "ms"}
    metadata |= {f"PhysicalSize{axis}": 0.25 for axis in "XY"}
    metadata |= {f"PhysicalSize{axis}Unit": "nm" for axis in "XY"}
    tifffile.imwrite(path, frames, ome=True, metadata=metadata)

    recording = open_recording(path)
    assert (recording.frame_rate.hz, recording.pixel_size_nm) == (100, 0.25)


def test_a_plain_tiff_says_neither(tmp_path, frames, write):
    recording = open_recording(write.pages(tmp_path / "r.tif", frames))
    assert (recording.frame_rate, recording.pixel_size_nm) == (None, None)


def test_mrc_says_its_pixel_size_and_the_cameras_text_file_the_rate(tmp_path, frames, write):
    path = write.mrc(tmp_path / "20260101_7_2_movie.mrc", frames, pixel_size_nm=0.25)
    assert open_recording(path).frame_rate is None
    assert open_recording(path).pixel_size_nm == pytest.approx(0.25)

    notes = (
        "Frames Per Second = 300\nAutosave Movie Sum Count = 4\nSpecimen Pixel Size X (nanometers) = 0.3\n"
    )
    (tmp_path / "20260101_7_info.txt").write_text(notes)
    recording = open_recording(path)
    assert recording.frame_rate.hz == 75
    assert recording.pixel_size_nm == 0.3


def test_ser_says_its_pixel_size_and_by_whole_seconds_its_rate(tmp_path, rng, write):
    frames = rng.integers(0, 99, (1001, 4, 6)).astype(np.uint16)
    long = open_recording(write.ser(tmp_path / "long.ser", frames, seconds=40))
    assert long.frame_rate.hz == 25
    assert "1001 in 40 +- 1 s" in long.frame_rate.source
    assert long.pixel_size_nm == pytest.approx(0.5)
    # Whole seconds say nothing of the rate of a short one.
    assert open_recording(write.ser(tmp_path / "short.ser", frames, seconds=4)).frame_rate is None


def test_a_containers_time_axis_is_the_rate(tmp_path, frames):
    path = tmp_path / "r.hspy"
    axes = [
        {"name": "time", "units": "ms", "scale": 2.5, "size": 11, "navigate": True},
        {"name": "y", "units": "nm", "scale": 0.2, "size": 12, "navigate": False},
        {"name": "x", "units": "nm", "scale": 0.2, "size": 16, "navigate": False},
    ]
    for axis in axes:
        axis |= {"offset": 0.0, "_type": "UniformDataAxis", "is_binned": False}
    signal = {"data": frames, "axes": axes, "metadata": {"General": {"title": "r"}, "Signal": {}}}
    signal |= {"original_metadata": {}, "attributes": {"_lazy": False}, "package_info": {}}
    signal |= {"learning_results": {}, "models": None, "tmp_parameters": {}, "ragged": False}
    rsciio.hspy.file_writer(str(path), signal)

    recording = open_recording(path)
    assert (recording.frame_rate.hz, recording.pixel_size_nm) == (400, 0.2)
    np.testing.assert_array_equal(list(recording.frames(3)), frames[3:])


def test_a_dm4s_time_axis_is_the_rate(real_data, tmp_path):
    source = real_data / "containers/openNCEM/dmTest_3D_int16_64,65,66.dm4"
    content = source.read_bytes()
    um, ms = "um".encode("utf-16-le"), "ms".encode("utf-16-le")
    path = tmp_path / "r.dm4"
    path.write_bytes(content.replace(um, ms))  # the unit of the stack's first axis, whose step is 4

    recording = open_recording(path)
    assert recording.frame_rate.hz == 250
    np.testing.assert_array_equal(list(recording.frames(60)), read_stack(source)[60:])


@pytest.mark.parametrize(
    ("name", "n_frames", "pixel_size_nm", "rate"),
    [
        ("openNCEM/temp.mrc", 3, 0.2, None),
        ("openNCEM/dmTest_3D_int16_64,65,66.dm3", 66, None, None),
        ("rosettasciio/tia/old/64x64x5_TEM_preview_1.ser", 5, 6.28183, None),
        ("rosettasciio/tia/new/128x128x5-diffraction_preview_1.ser", 5, None, None),
        ("rosettasciio/emd/fei_example_tem_stack.emd", 2, 0.00817288, Fraction(5, 4)),
        ("rosettasciio/tiff/test_loading_image_saved_with_imageJ_stack.tif", 2, 168.675, None),
        ("rosettasciio/tiff/test_loading_image_saved_with_DM_stack.tif", 2, None, None),
        ("rosettasciio/digitalmicrograph/2D/test_STEM_image.dm3", 1, 0.248543, None),
    ],
)
def test_real_files_are_read_as_their_images_are(real_data, name, n_frames, pixel_size_nm, rate):
    path = real_data / "containers" / name
    recording = open_recording(path)

    assert recording.n_frames == n_frames
    assert recording.pixel_size_nm == (pytest.approx(pixel_size_nm, rel=1e-4) if pixel_size_nm else None)
    assert (recording.frame_rate.hz if recording.frame_rate else None) == rate
    np.testing.assert_array_equal(np.array(list(recording.frames()), np.float32), read_stack(path))


def test_exposure_stands_in_for_a_rate_in_dm_files(real_data):
    path = real_data / "containers/rosettasciio/tiff/test_dm_image_um_unit.dm3"
    rate = open_recording(path).frame_rate
    assert rate.hz == 2
    assert "frames may lie further apart" in rate.source


def test_gatans_folders_of_hours_minutes_and_seconds_are_one_recording(real_data, tmp_path):
    source = real_data / "containers/rosettasciio/tiff/test_dm_image_um_unit.dm3"
    for second, n_frames in ((0, 3), (1, 4), (12, 2)):
        folder = tmp_path / "run" / "Hour_00" / "Minute_00" / f"Second_{second:02d}"
        folder.mkdir(parents=True)
        for frame in range(n_frames):
            stem = f"run_Hour_00_Minute_00_Second_{second:02d}_Frame_{frame:04d}"
            (folder / f"{stem}.dm3").write_bytes(source.read_bytes())
    (tmp_path / "run" / "notes.dm3").write_bytes(b"not of the recording")

    recording = open_recording(tmp_path / "run")
    assert recording.n_frames == 9
    assert recording.frame_rate.hz == 4
    assert len(list(recording.frames())) == 9


def test_colour_channels_that_agree_are_grey(tmp_path, frames, write):
    in_colour = np.repeat(frames[..., None], 3, axis=3)
    video = write.video(tmp_path / "r.avi", in_colour, "rawvideo", "bgr24")
    folder = tmp_path / "r"
    folder.mkdir()
    for index, frame in enumerate(in_colour):
        Image.fromarray(frame).save(folder / f"{index}.png")
    for path in (video, folder):
        np.testing.assert_array_equal(list(open_recording(path).frames()), frames)
