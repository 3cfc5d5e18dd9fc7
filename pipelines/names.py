"""Names of the pipelines, without importing kfp, which takes long."""

from enum import StrEnum


class PipelineName(StrEnum):
    """`pipelines.catalogue` holds the same names."""

    TRAIN = "train"
    DRIFT_CHECK = "drift_check"
    RETRAIN = "retrain"
    LOOP = "loop"
    FEWSHOT = "fewshot"
