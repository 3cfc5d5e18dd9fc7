"""Networks by what they are trained on and how: each is trained once, whoever asks for it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import safetensors.numpy

from icefloe.active.region import Region
from icefloe.datasets.dataset import Sample
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.progress import SILENT, Progress
from icefloe.settings import Settings
from icefloe.training.config import TrainingConfig
from icefloe.training.data import PreparedImages, TrainingData, prepare_images
from icefloe.training.identity import checkpoint_directory
from icefloe.training.job import Job
from icefloe.training.jobs import run_jobs
from icefloe.training.members import TrainedMember
from icefloe.typing import IGNORE, FloatArray, MaskArray
from studies.kit.data import StudyData


@dataclass(frozen=True)
class Network:
    """A training; two that are equal are one.

    Attributes
    ----------
    version
        What the trained network belongs to, such as T1: for progress and receipts.
    spec, config
        What is trained and how; the members that `config` lists are not looked at.
    train, validation, new
        Sample keys; `new` are those of `train` that were labelled since `start` was trained.
    start
        The network whose trained weights it begins with; None: with those of `spec`.
    weights_sha256
        SHA-256 of the file of pre-trained weights that `spec` names; None: random or published ones.
    parts
        Keys of training images that are labelled in regions only, each with its regions.
    """

    version: str
    spec: MemberSpec
    config: TrainingConfig
    train: tuple[str, ...]
    validation: tuple[str, ...]
    new: tuple[str, ...] = ()
    start: "Network | None" = None
    weights_sha256: str | None = None
    parts: tuple[tuple[str, tuple[Region, ...]], ...] = ()

    @property
    def name(self) -> str:
        """In progress and errors; networks trained together must differ in it."""
        return f"{self.version} {self.spec.name}"


class Trainer:
    """Trains networks and keeps them; what an earlier run finished is read.

    Parameters
    ----------
    data
        Images; the labels that networks are trained with are the reference masks.
    settings
        Where checkpoints, pre-trained weights and the Ray cluster are.
    progress
        Told every network's epochs.
    """

    def __init__(self, data: StudyData, settings: Settings, progress: Progress = SILENT) -> None:
        self.data, self._settings, self._progress = data, settings, progress
        self._samples = {sample.key: sample for sample in data.samples(*data.datasets)}
        self._prepared: dict[tuple[Preprocessing, str], tuple[FloatArray, MaskArray]] = {}
        self._trained: dict[Network, TrainedMember] = {}

    def train(self, networks: Iterable[Network]) -> list[TrainedMember]:
        """Train side by side what has not been trained; networks that others start from come first.

        Raises
        ------
        IcefloeError
            If images can't be used, weights can't be loaded, or a worker died too often.
        """
        wanted = list(networks)
        if starts := [network.start for network in wanted if network.start]:
            self.train(starts)
        if missing := [network for network in dict.fromkeys(wanted) if network not in self._trained]:
            trained = run_jobs(
                list(self._jobs(missing)),
                progress=self._progress,
                weights_dir=self._settings.weights_dir,
                ray_address=self._settings.ray_address,
                worker_niceness=self._settings.worker_niceness,
                per_gpu=missing[0].config.members_per_gpu,
                share=self._settings.ray_member,
            )
            self._trained |= dict(zip(missing, trained, strict=True))
        return [self._trained[network] for network in wanted]

    def training_data(self, network: Network) -> TrainingData:
        """Images and masks that a network is trained on and validated with."""
        train, validation = (
            self.prepare([self._samples[key] for key in keys], network.config.preprocessing)
            for keys in (network.train, network.validation)
        )
        masks = dict(zip(train.keys, train.masks, strict=True))
        for key, regions in network.parts:
            masks[key] = self._labelled_in(self._samples[key], regions, network.config.preprocessing)
        train = replace(train, masks=tuple(masks.values()))
        return TrainingData.of(train, validation, self.data.classes, new=network.new)

    def _labelled_in(
        self, sample: Sample, regions: Sequence[Region], preprocessing: Preprocessing
    ) -> MaskArray:
        """The reference mask on the networks' grid, 255 outside the regions."""
        reference = sample.reference()
        shape = (reference.shape[0], reference.shape[1])
        labelled = np.any([region.mask(shape) for region in regions], axis=0)
        geometry = preprocessing.geometry(shape, sample.pixel_size_nm)
        return geometry.place_mask(np.where(labelled, reference, np.uint8(IGNORE)))

    def prepare(self, samples: Sequence[Sample], preprocessing: Preprocessing) -> PreparedImages:
        """Images and reference masks on the networks' grid; each file is read once."""
        unread = [sample for sample in samples if (preprocessing, sample.key) not in self._prepared]
        read = prepare_images(unread, preprocessing)
        for key, image, mask in zip(read.keys, read.images, read.masks, strict=True):
            self._prepared[preprocessing, key] = image, mask
        keys = tuple(sample.key for sample in samples)
        images, masks = zip(*(self._prepared[preprocessing, key] for key in keys), strict=True)
        return PreparedImages(keys, images, masks, read.crop)

    def _jobs(self, networks: Sequence[Network]) -> Iterator[Job]:
        """Networks of the same images, and of the same start, share one copy of them."""
        shared: dict[object, tuple[TrainingData, str]] = {}
        weights_of = cache(safetensors.numpy.load_file)
        for network in networks:
            images = (
                *(network.train, network.validation, network.new, network.parts),
                network.config.preprocessing,
            )
            if images not in shared:
                data = self.training_data(network)
                shared[images] = data, data.sha256
            data, data_sha256 = shared[images]
            start = self._trained[network.start] if network.start else None
            first_weights = start.receipt.weights_sha256 if start else network.weights_sha256
            directory = checkpoint_directory(
                self._settings.checkpoints, network.spec, network.config, data_sha256, first_weights
            )
            yield Job(
                network.name,
                network.spec,
                data,
                network.config,
                directory,
                initial=weights_of(start.weights) if start else None,
                started_from=network.start.version if network.start else None,
            )
