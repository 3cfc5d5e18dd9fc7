"""nnU-Net v2 as its authors made it (2d), but that it stops in time: run by nnU-Net's own Python.

Plans, network, patches, augmentation, loss, optimizer and prediction are nnU-Net's. Its learning rate falls
along its polynomial over the time allowed in place of 1,000 epochs, and all images train (fold `all`): there
is no time for validation.
"""

import json
import os
import random
import sys
from pathlib import Path
from typing import Any

JOB = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
FOLDER = Path(JOB["folder"])
os.environ |= {  # before nnU-Net is imported; its pools' processes read them again
    "nnUNet_raw": str(FOLDER / "raw"),
    "nnUNet_preprocessed": str(FOLDER / "preprocessed"),
    "nnUNet_results": str(FOLDER / "results"),
    "nnUNet_n_proc_DA": str(JOB["threads"]),
    "nnUNet_def_n_proc": str(JOB["threads"]),
    "nnUNet_compile": "f",
}

import numpy as np  # noqa: E402
import torch  # noqa: E402
from nnunetv2.experiment_planning.plan_and_preprocess_api import (  # noqa: E402
    extract_fingerprints,
    plan_experiments,
    preprocess,
)
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor  # noqa: E402
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer  # noqa: E402

from benchmarks.peers.clock import Clock  # noqa: E402

CONFIGURATION, DATASET_ID = "2d", 1
SPACING = {"spacing": (999, 1, 1)}
"""What its reader of natural images gives them."""


class TimedTrainer(nnUNetTrainer):  # type: ignore[misc]
    """nnU-Net's trainer, by the clock."""

    def train(self, clock: Clock) -> int:
        """Train up to the minutes allowed; the number of steps."""
        os.environ |= {"nnUNet_n_proc_DA": "0"}  # batches are made in this process
        self.on_train_start()
        self.network.train()
        start, n_steps = clock.share, 0
        while (done := (clock.share - start) / max(1 - start, 1e-9)) < 1 or n_steps == 0:
            self.optimizer.param_groups[0]["lr"] = self.initial_lr * max(1 - done, 0.0) ** 0.9
            self.train_step(next(self.dataloader_train))
            n_steps += 1
        return n_steps


def main() -> None:
    torch.set_num_threads(JOB["threads"])
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(JOB["seed"])
    (raw,) = (FOLDER / "raw").iterdir()
    n_cases = len(list((raw / "labelsTr").iterdir()))
    describe(raw, n_cases)
    clock = Clock(FOLDER, JOB["minutes"], JOB["threads"], JOB["by_cpu"])
    extract_fingerprints([DATASET_ID], num_processes=1)
    name = plan_experiments([DATASET_ID], gpu_memory_target_in_gb=JOB["options"].get("gpu_memory_gb"))
    preprocess([DATASET_ID], name, [CONFIGURATION], [1])
    preprocessed = FOLDER / "preprocessed" / raw.name
    plans = json.loads((preprocessed / f"{name}.json").read_text(encoding="utf-8"))
    plan = plans["configurations"][CONFIGURATION]
    dataset = json.loads((preprocessed / "dataset.json").read_text(encoding="utf-8"))
    trainer = TimedTrainer(
        plans | {"continue_training": False}, CONFIGURATION, "all", dataset, torch.device("cpu")
    )
    n_steps = trainer.train(clock)
    clock.trained()
    predict(trainer, FOLDER / "test")
    clock.predicted(steps=[n_steps], patch=plan["patch_size"], batch=plan["batch_size"])


def describe(raw: Path, n_cases: int) -> None:
    """Write nnU-Net's dataset.json."""
    labels = {name: value for value, name in enumerate(JOB["options"]["classes"])}
    labels = {"background" if value == 0 else name: value for name, value in labels.items()}
    content = {
        "channel_names": {"0": "grey"},  # every image is normalised by its own mean and deviation
        "labels": labels,
        "numTraining": n_cases,
        "file_ending": ".tif",
        "overwrite_image_reader_writer": "NaturalImage2DIO",
    }
    (raw / "dataset.json").write_text(json.dumps(content), encoding="utf-8")


def predict(trainer: Any, folder: Path) -> None:
    """Probabilities of each class, (C, H, W), beside each image: sliding window, mean over flips."""
    trainer.set_deep_supervision_enabled(False)
    trainer.network.eval()
    predictor = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False)
    predictor.manual_initialization(
        trainer.network,
        trainer.plans_manager,
        trainer.configuration_manager,
        [trainer.network.state_dict()],
        trainer.dataset_json,
        "nnUNetTrainer",
        trainer.inference_allowed_mirroring_axes,
    )
    for path in sorted(folder.glob("*.npy")):
        image = np.load(path)[None, None]
        _, probability = predictor.predict_single_npy_array(image, SPACING, None, None, True)
        np.save(path.with_suffix(".probability.npy"), np.asarray(probability, np.float32)[:, 0])


if __name__ == "__main__":
    main()
