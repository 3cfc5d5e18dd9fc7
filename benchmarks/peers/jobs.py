"""What a method is given, and what it gives back: the one form for all of them."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.clock import Clock
from icefloe.datasets.dataset import Dataset
from icefloe.typing import FloatArray, MaskArray


@dataclass(frozen=True)
class Job:
    """One training of one method.

    Attributes
    ----------
    source, train
        Training images and masks: as they came, and as a dataset.
    test
        Dataset of the images to segment, without masks.
    folder
        Empty folder to work in.
    minutes
        Time for training, planning and preprocessing included.
    threads
        Cores that the process is bound to.
    by_cpu
        Whether the minutes are CPU time by core rather than wall time.
    options
        What else the method knows, such as first weights.
    """

    source: Path
    train: Path
    test: Path
    folder: Path
    seed: int
    minutes: float
    threads: int
    by_cpu: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write a JSON file."""
        path.write_text(json.dumps(asdict(self), default=str), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Job":
        """The inverse of `save`."""
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(**content | {name: Path(content[name]) for name in ("source", "train", "test", "folder")})

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by mask value."""
        return tuple(Dataset.load(self.train).info.classes)

    def clock(self) -> Clock:
        """The time of this job, from now on."""
        return Clock(self.folder, self.minutes, self.threads, self.by_cpu)


def save_prediction(job: Job, stem: str, probability: FloatArray, mask: MaskArray | None = None) -> None:
    """Hand a test image's prediction back, on its native grid.

    Parameters
    ----------
    probability : float32, shape (H, W) of the foreground, or (C, H, W)
        In [0, 1].
    mask : uint8, shape (H, W)
        Class of each pixel; by default the likeliest.
    """
    if mask is None:
        mask = (probability >= 0.5 if probability.ndim == 2 else probability.argmax(axis=0)).astype(np.uint8)
    np.savez(job.folder / f"{stem}.npz", probability=probability.astype(np.float32), mask=mask)
