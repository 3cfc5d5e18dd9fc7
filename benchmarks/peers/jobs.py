"""What a method is given, and what it gives back: the one form for all of them."""

import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from icefloe.datasets.dataset import Dataset
from icefloe.typing import FloatArray, MaskArray

TRAINED, ABOUT = "trained.json", "about.json"


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


class Clock:
    """Time of the parts of a job; the first part starts when this is made."""

    def __init__(self, job: Job) -> None:
        self._job, self._began, self._cpu = job, time.perf_counter(), _cpu_s()
        self._trained = 0.0

    @property
    def seconds(self) -> float:
        """Wall time since the start."""
        return time.perf_counter() - self._began

    @property
    def share(self) -> float:
        """Part of the minutes allowed that is used up."""
        used = (_cpu_s() - self._cpu) / self._job.threads if self._job.by_cpu else self.seconds
        return used / (60 * self._job.minutes)

    def trained(self) -> None:
        """The training is over: what follows is prediction."""
        self._trained = self.seconds
        (self._job.folder / TRAINED).write_text(json.dumps(self._trained), encoding="utf-8")

    def predicted(self, **details: Any) -> None:
        """All is done; `details` go into the cell as they are."""
        about = {"training_s": self._trained, "prediction_s": self.seconds - self._trained, **details}
        (self._job.folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")


def _cpu_s() -> float:
    """CPU time of this process and of those of its children that have ended."""
    return sum(os.times()[:4])


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
