"""One recording to composites in a folder."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import tifffile

from icefloe.acquisition.composite_folder import CompositeFolder, Row
from icefloe.datasets.recordings.opening import open_recording
from icefloe.datasets.recordings.recording import Frame, FrameRate, Recording
from icefloe.errors import IcefloeError
from icefloe.imaging.alignment import LEAST_WEIGHT, DriftTracker
from icefloe.imaging.hot_pixels import HotPixels, find_hot_pixels
from icefloe.imaging.stacking import BLOCKS, Stacker, composites_by_time
from icefloe.imaging.xrays import LEAST_FRAMES as LEAST_FOR_XRAYS
from icefloe.names import check_name, composed

SLOWEST_HZ, FASTEST_HZ = 1, 10_000
"""Rates outside are a unit mistaken (ms for Hz), or leave a second without a frame."""

WORST_SCATTER_PX = 0.3
"""Blur by more than this is visible; drift within a second is often less."""

Frames = Callable[[int], Iterator[Frame]]
"""A recording's frames from an index on."""


@dataclass(frozen=True)
class StackOptions:
    """Options of stacking.

    Attributes
    ----------
    frames
        Frames in a composite; None makes composites of a second.
    frame_rate_hz, pixel_size_nm
        Frames per second and size of a pixel in nm, as the user gives them; they override the file's.
    align, remove_xrays, hot_pixels
        Whether frames are aligned, X-ray hits replaced and hot pixels repaired before averaging.
    keep_tail
        Whether frames left over at the end become a shorter composite; see `Stacker`.
    """

    frames: int | None = None
    frame_rate_hz: float | None = None
    pixel_size_nm: float | None = None
    align: bool = False
    remove_xrays: bool = False
    hot_pixels: bool = False
    keep_tail: bool | None = None

    def __post_init__(self) -> None:
        if self.frames is not None and self.frames < 1:
            raise IcefloeError(
                f"A composite of {self.frames} frames is not possible. Give --frames 1 or more."
            )
        for name, value in (("frame rate", self.frame_rate_hz), ("pixel size", self.pixel_size_nm)):
            if value is not None and not 0 < value < float("inf"):
                raise IcefloeError(f"A {name} of {value:g} is not positive. Give a number above 0.")
        if self.remove_xrays and self.frames is not None and self.frames < LEAST_FOR_XRAYS:
            raise IcefloeError(
                f"X-rays are found by comparing frames, and composites of {self.frames} have too few. "
                f"Use at least {LEAST_FOR_XRAYS} frames, or leave out --remove-xrays."
            )

    def to_dict(self) -> dict[str, Any]:
        """The options that decide the composites' content, as plain values for JSON."""
        return {name: value for name, value in asdict(self).items() if name != "keep_tail"}

    def open(self, path: Path) -> Recording:
        """Open a recording and apply the given rate and pixel size; errors as in `known`."""
        return self.known(open_recording(path))

    def known(self, recording: Recording) -> Recording:
        """A recording with the given frame rate and pixel size.

        Raises
        ------
        IcefloeError
            If its frame rate is needed and is unknown or impossible.
        """
        known = replace(recording, pixel_size_nm=self.pixel_size_nm or recording.pixel_size_nm)
        if self.frame_rate_hz is not None:
            rate = FrameRate(Fraction(self.frame_rate_hz).limit_denominator(1001), "as given")
            known = replace(known, frame_rate=rate, times_s=None)
        self.frames_per_composite(known)
        return known

    def frames_per_composite(self, recording: Recording) -> Fraction:
        """Frames in a composite; a fraction where a second has no whole number.

        Raises
        ------
        IcefloeError
            If composites of one second are asked for and the rate is unknown or impossible.
        """
        if self.frames is not None:
            return Fraction(self.frames)
        rate = recording.frame_rate
        if rate is None:
            raise IcefloeError(
                f"{recording.path}: the file does not say its frame rate. "
                "Give it with --frame-rate HZ, or stack by number with --frames N."
            )
        if not SLOWEST_HZ <= rate.hz <= FASTEST_HZ:
            raise IcefloeError(
                f"{recording.path}: composites of one second need a frame rate of {SLOWEST_HZ} to "
                f"{FASTEST_HZ:,} Hz, not {float(rate.hz):g} Hz ({rate.source}). "
                "Give the right rate with --frame-rate HZ, or stack by number with --frames N."
            )
        return rate.hz


@dataclass(frozen=True)
class StackReport:
    """Summary of the stacking of a recording.

    Attributes
    ----------
    recording
        Name of the recording.
    rows
        The composites' rows in `composites.csv`.
    n_dropped
        Frames of the tail that are in no composite.
    frame_rate, pixel_size_nm
        Frames per second, and size of a pixel in nm; None where neither the file nor the user gives it.
    n_hot_pixels
        Repaired in every frame; None where they were not looked for.
    is_aligned, is_cleaned
        Whether drift was followed, and X-rays were replaced.
    """

    recording: str
    rows: tuple[Row, ...]
    n_dropped: int
    frame_rate: FrameRate | None
    pixel_size_nm: float | None
    n_hot_pixels: int | None
    is_aligned: bool
    is_cleaned: bool

    @property
    def n_frames(self) -> int:
        """Frames in composites, and in a tail that was dropped."""
        return sum(int(row["n_frames"]) for row in self.rows) + self.n_dropped

    @property
    def drift_px(self) -> float:
        """Largest distance of the specimen from its first position, in px; 0 if it was not followed."""
        return max((_distance(row) for row in self.rows), default=0.0)

    @property
    def drift_scatter_px(self) -> float | None:
        """Median over composites of the scatter of positions within one, in px; None where not known."""
        scatters = [float(row["drift_scatter_px"]) for row in self.rows if row["drift_scatter_px"]]
        return median(scatters) if scatters else None

    @property
    def n_blocks(self) -> int:
        """Blocks of frames whose displacement was asked for."""
        return sum(min(BLOCKS, int(row["n_frames"])) for row in self.rows) if self.is_aligned else 0

    @property
    def n_not_aligned(self) -> int:
        """Blocks of frames whose displacement could not be measured."""
        return sum(int(row["blocks_not_aligned"]) for row in self.rows)

    def sentence(self) -> str:
        """The summary in one sentence."""
        rate = "rate unknown"
        if self.frame_rate:
            rate = f"{float(self.frame_rate.hz):.6g} Hz {self.frame_rate.source}"
        size = f"{self.pixel_size_nm:g} nm per pixel" if self.pixel_size_nm else "pixel size unknown"
        parts = [
            f"{self.recording}: {self.n_frames:,} frames ({rate}; {size}) in {len(self.rows)} composites",
            self._tail(),
        ]
        if self.is_aligned:
            parts.append(self._drift())
        if self.is_cleaned:
            parts.append(f"{sum(int(row['xray_pixels']) for row in self.rows):,} X-ray pixels replaced")
        if self.n_hot_pixels is not None:
            parts.append(f"{self.n_hot_pixels:,} hot pixels repaired")
        return "; ".join(parts) + "."

    def warnings(self) -> tuple[str, ...]:
        """Warnings about the recording, one sentence each."""
        if 2 * self.n_not_aligned > self.n_blocks > 0:
            return (
                f"{self.recording}: most blocks of frames are too noisy or too plain to align. "
                "Leave --align out, or take more frames per composite.",
            )
        if (self.drift_scatter_px or 0) > WORST_SCATTER_PX:
            return (
                f"{self.recording}: drift is known to {self.drift_scatter_px:.1f} px only. Look at it in the "
                "picture, and leave --align out if it jumps about.",
            )
        return ()

    def _tail(self) -> str:
        if self.n_dropped:
            return f"tail of {self.n_dropped} frames dropped"
        if self.rows and self.rows[-1]["is_tail"] == "1":
            return f"tail of {self.rows[-1]['n_frames']} frames kept as the last composite"
        return "no tail"

    def _drift(self) -> str:
        nm = f" ({self.drift_px * self.pixel_size_nm:.1f} nm)" if self.pixel_size_nm else ""
        scatter = self.drift_scatter_px
        within = "" if scatter is None else f" to {scatter:.2f} px"
        not_aligned = f", {self.n_not_aligned} blocks too noisy to align" if self.n_not_aligned else ""
        return f"drift up to {self.drift_px:.1f} px{nm} undone{within}{not_aligned}"


class Stacking:
    """Makes one recording's composites in a folder; goes on after the existing ones.

    Parameters
    ----------
    recording
        Facts about the recording: name, shape, frame rate, pixel size.
    frames
        The recording's frames from an index on; more may come while they are read.
    folder
        Folder that the composites are written to.
    options
        Length, alignment and cleaning of the composites.

    Raises
    ------
    IcefloeError
        If the frame rate is needed and not known, or hot pixels are asked for in too short a recording.
    """

    def __init__(
        self, recording: Recording, frames: Frames, folder: CompositeFolder, options: StackOptions
    ) -> None:
        self.name = recording_name(recording.path)
        self.replaced = folder.remove_tail(self.name)
        self._recording, self._frames, self._folder, self._options = recording, frames, folder, options
        per_composite = options.frames_per_composite(recording)
        self._hot_pixels = self._find_hot_pixels()
        self._stacker = Stacker(
            per_composite,
            options.keep_tail,
            self._hot_pixels,
            options.remove_xrays,
            self._tracker() if options.align else None,
            self._firsts(),
        )

    @property
    def n_done(self) -> int:
        """Frames in the composites that are there already."""
        return self._stacker.first_frame(len(self._folder.rows(self.name)))

    def run(self) -> Iterator[Row]:
        """Make the composites that are missing; their rows, each when it is on the disk.

        Raises
        ------
        IcefloeError
            If a frame cannot be read, has another size, or is not finite.
        """
        done = len(self._folder.rows(self.name))
        for composite in self._stacker.composites(self._frames(self.n_done), done):
            start_s = self._time_s(composite.first_frame)
            yield self._folder.add(self.name, composite, start_s, self._recording.pixel_size_nm)

    def report(self) -> StackReport:
        """Summary of the stacking so far, earlier runs included."""
        return StackReport(
            recording=self._recording.path.name,
            rows=tuple(self._folder.rows(self.name)),
            n_dropped=self._stacker.n_dropped,
            frame_rate=self._recording.frame_rate,
            pixel_size_nm=self._recording.pixel_size_nm,
            n_hot_pixels=len(self._hot_pixels) if self._hot_pixels is not None else None,
            is_aligned=self._options.align,
            is_cleaned=self._options.remove_xrays,
        )

    def _firsts(self) -> tuple[int, ...]:
        """First frames of composites of a second where frames are not evenly spaced; none where they are."""
        times = self._recording.times_s
        return composites_by_time(times) if times and self._options.frames is None else ()

    def _time_s(self, frame: int) -> float | None:
        """When a frame was taken, from the recording's start; None where the rate is not known."""
        times, rate = self._recording.times_s, self._recording.frame_rate
        if times is not None:
            return times[frame]
        return float(frame / rate.hz) if rate else None

    def _find_hot_pixels(self) -> HotPixels | None:
        """Also where frames are moved: a hot pixel moved by half a pixel leaves a cross over the image."""
        if not (self._options.hot_pixels or self._options.align):
            return None
        try:
            return find_hot_pixels(self._frames(0), self._recording.path)
        except IcefloeError:
            if self._options.hot_pixels:
                raise
            return None  # too few frames; what else may be wrong with them is found when they are stacked

    def _tracker(self) -> DriftTracker:
        """A tracker that has followed the specimen through the existing composites."""
        rows = self._folder.rows(self.name)
        tracker = DriftTracker()
        # What came longer ago has less than a ten-thousandth of the reference's weight.
        for row in rows[-round(10 / LEAST_WEIGHT) :]:
            tracker.learn(tifffile.imread(self._folder.image_path(row)))
        if rows:
            tracker.n_composites = len(rows)
            tracker.last = (float(rows[-1]["drift_row_px"]), float(rows[-1]["drift_column_px"]))
        return tracker


def recording_name(path: Path) -> str:
    """Name of a recording: its file's name without the ending, or its folder's name.

    Raises
    ------
    IcefloeError
        If its composites could not be named after it.
    """
    name = path.resolve().name if path.is_dir() else path.stem
    check_name("recording", f"{name}_0000")
    return composed(name)


def _distance(row: Row) -> float:
    row_px, column_px = float(row["drift_row_px"] or 0), float(row["drift_column_px"] or 0)
    return float((row_px**2 + column_px**2) ** 0.5)
