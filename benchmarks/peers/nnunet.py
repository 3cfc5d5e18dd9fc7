"""nnU-Net v2 in a virtual environment of its own: the data as it wants them, then `nnunet_script.py`.

python -m benchmarks.peers.nnunet JOB.json
"""

import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import tifffile

from benchmarks.peers.jobs import Job, save_prediction
from icefloe.datasets.dataset import Dataset
from icefloe.errors import IcefloeError
from icefloe.files import write_text_atomic
from icefloe.typing import IGNORE

REQUIREMENTS = Path(__file__).with_name("nnunet-requirements.txt")
SCRIPT = Path(__file__).with_name("nnunet_script.py")
DATASET = "Dataset001_peers"
READY = "installed.txt"


def environment(folder: Path) -> Path:
    """The Python of nnU-Net's environment, made from `nnunet-requirements.txt` unless it is there already.

    Raises
    ------
    IcefloeError
        If pip cannot install.
    """
    python, wanted = folder / "bin" / "python", REQUIREMENTS.read_text(encoding="utf-8")
    ready = folder / READY
    if ready.is_file() and ready.read_text(encoding="utf-8") == wanted:
        return python
    venv.create(folder, clear=True, with_pip=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--requirement", str(REQUIREMENTS)]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
        raise IcefloeError(f"nnU-Net could not be installed ({reason}). Leave it out with --methods.")
    write_text_atomic(ready, wanted)
    return python


def main(job: Job) -> None:
    """Write the images, let nnU-Net train and predict, take over its probabilities."""
    python = environment(Path(job.options["environment"]))
    raw = job.folder / "raw" / DATASET
    test = job.folder / "test"
    for folder in (raw / "imagesTr", raw / "labelsTr", test):
        folder.mkdir(parents=True)
    for position, sample in enumerate(Dataset.load(job.train).labelled):
        mask = sample.mask()
        if (mask == IGNORE).any():
            raise IcefloeError(f"{sample.key}: the mask leaves pixels out. Leave nnU-Net out with --methods.")
        tifffile.imwrite(raw / "imagesTr" / f"case_{position:03d}_0000.tif", sample.image())
        tifffile.imwrite(raw / "labelsTr" / f"case_{position:03d}.tif", mask)
    samples = Dataset.load(job.test).samples
    for position, sample in enumerate(samples):
        np.save(test / f"{position:03d}.npy", sample.image())
    done = subprocess.run([str(python), str(SCRIPT), "job.json"], cwd=job.folder, check=False)
    if done.returncode:
        sys.exit(done.returncode)  # its own last line says why
    for position, sample in enumerate(samples):
        probability = np.load(test / f"{position:03d}.probability.npy")
        save_prediction(job, sample.stem, probability[1] if len(probability) == 2 else probability)


if __name__ == "__main__":
    main(Job.load(Path(sys.argv[1])))
