"""What each step needs of a cluster: the one table of resources, time, retries and reuse."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Needs:
    """What a step needs.

    Attributes
    ----------
    cpu, memory
        What its pod asks for, and may use at most, in Kubernetes' units.
    scratch
        Room in `/tmp`, the one folder that a step may write to besides its outputs.
    minutes
        After which it is stopped.
    retries
        How often it is tried again after a failure; the first time after `BACKOFF_SECONDS`, then after twice
        as long each time.
    reused
        Whether an earlier result is taken where image and inputs are the same. It is where the step depends
        on nothing else, and leaves nothing but its outputs; MLflow keeps a training's curves with the run
        that trained.
    gpus
        GPUs, on a cluster that has any (`Pods.gpu`).
    """

    cpu: str
    memory: str
    scratch: str
    minutes: int
    retries: int
    reused: bool
    gpus: int = 0


BACKOFF_SECONDS = 30
LONGEST_BACKOFF_SECONDS = 600

NEEDS = {
    # Reads or writes the record, the queue or the registry, which change without an input that says so.
    "start_run": Needs("500m", "1Gi", "1Gi", 10, 3, reused=False),
    "resolve": Needs("500m", "1Gi", "4Gi", 10, 3, reused=False),
    "check_drift": Needs("1", "4Gi", "4Gi", 60, 2, reused=False),
    "select_images": Needs("1", "4Gi", "4Gi", 60, 2, reused=False),
    "collect_labels": Needs("1", "2Gi", "20Gi", 120, 2, reused=False),
    "label_from_truth": Needs("1", "2Gi", "20Gi", 60, 2, reused=False),
    "register_version": Needs("1", "4Gi", "8Gi", 60, 2, reused=False),
    "fewshot": Needs("2", "8Gi", "8Gi", 240, 2, reused=False, gpus=1),
    "write_report": Needs("1", "2Gi", "2Gi", 30, 3, reused=False),
    "close_run": Needs("500m", "1Gi", "1Gi", 10, 3, reused=False),
    # What they make is their inputs' and nothing else's.
    "get_data": Needs("1", "4Gi", "40Gi", 120, 3, reused=True),
    "get_ensemble": Needs("500m", "2Gi", "8Gi", 30, 3, reused=True),
    "predict_images": Needs("2", "8Gi", "20Gi", 240, 2, reused=True, gpus=1),
    "train_members": Needs("4", "16Gi", "20Gi", 2880, 3, reused=True, gpus=1),
    "prune_members": Needs("500m", "2Gi", "4Gi", 30, 2, reused=True),
    "assemble_ensemble": Needs("2", "8Gi", "20Gi", 240, 2, reused=True, gpus=1),
    "evaluate_ensemble": Needs("2", "8Gi", "20Gi", 240, 2, reused=True, gpus=1),
}
"""By component; estimates for images of 1024 px and six members, not measured on a cluster."""
