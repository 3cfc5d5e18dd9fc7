"""The pipelines by name, for faces that must not wait for kfp's import to know them."""

from enum import StrEnum


class PipelineName(StrEnum):
    """`pipelines.catalogue` holds the same names."""

    TRAIN = "train"
    DRIFT_CHECK = "drift_check"
    RETRAIN = "retrain"
    LOOP = "loop"
