"""What can be asked for: kind of a job -> seconds after which it is ended."""

from typing import Literal, get_args

Kind = Literal[
    "planes",
    "maps",
    "pictures",
    "tiff",
    "segment",
    "series",
    "figure",
    "infer",
    "unpack",
    "promote",
    "rollback",
    "collect",
    "withdraw",
    "audit",
    "picture",
    "unpack-picture",
    "chip-edge",
    "embed",
    "classify",
    "fewshot-export",
    "fewshot-series",
    "fewshot-figure",
]
RunKind = Literal["drift", "train", "retrain"]
"""Runs of pipelines: they take long, so a worker does them beside its other jobs."""

RUN_KINDS: tuple[RunKind, ...] = get_args(RunKind)

LIMITS: dict[str, float] = {
    "planes": 60.0,
    "maps": 900.0,
    "pictures": 900.0,
    "tiff": 900.0,
    "segment": 24 * 3600.0,
    "series": 900.0,
    "figure": 900.0,
    "unpack": 15.0,
    "promote": 300.0,
    "rollback": 300.0,
    "collect": 1800.0,
    "withdraw": 1800.0,
    "audit": 3600.0,
    "infer": 300.0,
    "picture": 60.0,
    "unpack-picture": 15.0,
    "chip-edge": 60.0,
    "embed": 3600.0,
    "classify": 3600.0,
    "fewshot-export": 300.0,
    "fewshot-series": 24 * 3600.0,
    "fewshot-figure": 300.0,
    "drift": 6 * 3600.0,
    "train": 7 * 24 * 3600.0,
    "retrain": 7 * 24 * 3600.0,
}
