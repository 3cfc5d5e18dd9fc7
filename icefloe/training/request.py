"""Trainings as one file, so that another machine can run them: arrays and JSON, no pickles."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import safe_open

from icefloe.models.spec import MemberSpec
from icefloe.training.config import TrainingConfig
from icefloe.training.data import PreparedImages, TrainingData
from icefloe.training.job import Job

Arrays = dict[str, np.ndarray]


def request_bytes(jobs: Iterable[Job]) -> bytes:
    """The file of these trainings; images that several share are in it once."""
    arrays: Arrays = {}
    data: dict[int, dict[str, Any]] = {}
    entries = []
    for number, job in enumerate(jobs):
        if id(job.data) not in data:
            data[id(job.data)] = _put_data(job.data, f"data{len(data)}", arrays)
        for name, value in (job.initial or {}).items():
            arrays[f"initial{number}.{name}"] = value
        entries.append(
            {
                "name": job.name,
                "spec": job.spec.model_dump(mode="json"),
                "config": job.config.model_dump(mode="json"),
                "data": list(data).index(id(job.data)),
                "directory": str(job.directory),
                "initial": job.initial is not None,
                "started_from": job.started_from,
            }
        )
    request = json.dumps({"data": list(data.values()), "jobs": entries})
    # It writes memory as it lies, whatever the strides say.
    contiguous = {name: np.require(value, requirements="C") for name, value in arrays.items()}
    return safetensors.numpy.save(contiguous, {"request": request})


def read_request(path: Path) -> list[Job]:
    """The trainings in a file that `request_bytes` made."""
    with safe_open(path, framework="np") as file:
        request = json.loads(file.metadata()["request"])
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
    data = [_data(entry, f"data{number}", arrays) for number, entry in enumerate(request["data"])]
    return [
        Job(
            entry["name"],
            MemberSpec.model_validate(entry["spec"]),
            data[entry["data"]],
            TrainingConfig.model_validate(entry["config"]),
            entry["directory"],
            _below(f"initial{number}.", arrays) if entry["initial"] else None,
            entry["started_from"],
        )
        for number, entry in enumerate(request["jobs"])
    ]


def _put_data(data: TrainingData, name: str, arrays: Arrays) -> dict[str, Any]:
    arrays[f"{name}.is_new"] = data.is_new
    return {
        "classes": data.classes,
        "train": _put_images(data.train, f"{name}.train", arrays),
        "validation": _put_images(data.validation, f"{name}.validation", arrays),
    }


def _put_images(prepared: PreparedImages, name: str, arrays: Arrays) -> dict[str, Any]:
    for row, (image, mask) in enumerate(zip(prepared.images, prepared.masks, strict=True)):
        arrays |= {f"{name}.image{row}": image, f"{name}.mask{row}": mask}
    return {"keys": prepared.keys, "crop": prepared.crop}


def _data(entry: Mapping[str, Any], name: str, arrays: Arrays) -> TrainingData:
    return TrainingData(
        _images(entry["train"], f"{name}.train", arrays),
        _images(entry["validation"], f"{name}.validation", arrays),
        tuple(entry["classes"]),
        arrays[f"{name}.is_new"],
    )


def _images(entry: Mapping[str, Any], name: str, arrays: Arrays) -> PreparedImages:
    images, masks = (
        tuple(arrays[f"{name}.{kind}{row}"] for row in range(len(entry["keys"])))
        for kind in ("image", "mask")
    )
    return PreparedImages(tuple(entry["keys"]), images, masks, entry["crop"])


def _below(prefix: str, arrays: Arrays) -> Arrays:
    return {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
