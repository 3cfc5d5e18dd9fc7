"""What was measured on an image's maps, kept beside them: gathering a series does not predict again."""

import gzip
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from icefloe.datasets.dataset import Sample
from icefloe.ensemble.prediction import Prediction
from icefloe.errors import IcefloeError
from icefloe.files import write_bytes_atomic
from icefloe.workflow.physics import MeasuredImage, measure_prediction
from serving.prepared import MEASURED

NO_MEMBERS = "This version has no members, so it cannot be measured how sure it is of an area."


class Measured(BaseModel):
    """An image's measurement, or why there is none; its time is the series', not known here."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")

    measured: MeasuredImage | None
    problem: str


def measure(sample: Sample, prediction: Prediction, threshold: float, folder: Path) -> None:
    """Measure an image and keep what was found.

    Parameters
    ----------
    sample
        The image.
    prediction
        Its segmentation, with the members' maps where there are members.
    threshold
        The version's.
    folder
        Folder of the image's maps.
    """
    measured, problem = None, ""
    if prediction.member_probabilities is None:
        problem = NO_MEMBERS
    else:
        try:
            measured = measure_prediction(sample, prediction, threshold, sample.pixel_size_nm or 1.0, 0.0)
        except IcefloeError as error:  # the masks are there all the same
            problem = str(error)
    text = Measured(measured=measured, problem=problem).model_dump_json()
    write_bytes_atomic(folder / MEASURED, gzip.compress(text.encode()))


def read_measured(folder: Path) -> MeasuredImage:
    """What was measured on an image.

    Raises
    ------
    IcefloeError
        If it could not be measured.
    """
    found = Measured.model_validate_json(gzip.decompress((folder / MEASURED).read_bytes()))
    if found.measured is None:
        raise IcefloeError(found.problem)
    return found.measured
