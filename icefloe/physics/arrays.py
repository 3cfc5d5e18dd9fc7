"""Arrays of measurements, which pydantic writes as lists and reads back as they were."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainSerializer, PlainValidator


def _read(values: object) -> NDArray[np.float64]:
    return np.asarray(values, np.float64)


def _listed(values: NDArray[np.float64]) -> object:
    return values.tolist()


Array = Annotated[NDArray[np.float64], PlainValidator(_read), PlainSerializer(_listed)]
