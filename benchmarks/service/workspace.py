"""A workspace to measure a service on: images, and a champion of real networks that nobody trained."""

from collections.abc import Mapping
from pathlib import Path

import tifffile
from safetensors.torch import save_file

from benchmarks.service.untrained import register_untrained
from icefloe.active.items import NewItem, Purpose
from icefloe.active.queue import Queue, open_queue
from icefloe.active.uploads import encode_png
from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.versions import init_workspace
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.manifest import Manifest, Member
from icefloe.files import sha256_file
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build
from icefloe.settings import Settings, load_settings
from icefloe.typing import FloatArray, MaskArray

DATASET = "D1"
CLASSES = ("background", "ice")
VERSION = "EA-T1"


def make_workspace(folder: Path, images: Mapping[str, FloatArray]) -> Settings:
    """A workspace with one dataset of images, uint16 by stem; its settings."""
    init_workspace(folder, params_text="")
    dataset = folder / "data" / DATASET
    (dataset / "images").mkdir(parents=True)
    for stem, image in images.items():
        tifffile.imwrite(dataset / "images" / f"{stem}.tif", image)
    DatasetInfo(name=DATASET, experiment=DATASET, pixel_size_nm=0.5).save(dataset)
    return load_settings(folder)


def add_champion(settings: Settings, size: int, n_members: int = 2) -> None:
    """Give a workspace a champion that sees images at a size in px."""
    files = settings.workspace.parent / "members"
    files.mkdir()
    members, paths = [], []
    for seed in range(n_members):
        spec = MemberSpec(encoder="mobilenet_v2", seed=seed, decoder_channels=(64, 32, 16, 16, 8))
        paths.append(files / f"{spec.name}.safetensors")
        save_file(build(spec, len(CLASSES)).state_dict(), paths[-1])
        members.append(Member(spec=spec, sha256=sha256_file(paths[-1])))
    manifest = Manifest(
        name=VERSION,
        members=tuple(members),
        preprocessing=Preprocessing(size=size),
        classes=CLASSES,
    )
    registry = register_untrained(settings.workspace, Ensemble(manifest, paths, device="cpu"), VERSION)
    registry.promote(VERSION, force=True, reason="to measure", by="benchmark")


def queue_masks(settings: Settings, masks: Mapping[str, MaskArray]) -> Queue:
    """Queue images, by stem, with pre-segmentations; the workspace's queue."""
    queue = open_queue(settings)
    queue.add(
        NewItem(
            DATASET,
            stem,
            "round",
            mask.shape,
            CLASSES,
            Purpose("bald", 0.5, rank, "its members disagree"),
            encode_png(mask),
        )
        for rank, (stem, mask) in enumerate(masks.items(), 1)
    )
    return queue
