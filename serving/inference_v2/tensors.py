"""The protocol's requests and answers: JSON, or a JSON header with the tensors' bytes behind it."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from icefloe.errors import TooLargeError
from icefloe.validation import first_problem
from serving.prepared import LARGEST_SIDE, MOST_IMAGES
from serving.problems import RefusedError

INPUT = "image"
Datatype = Literal["FP32", "UINT8", "UINT16"]
DTYPES: dict[Datatype, str] = {"FP32": "<f4", "UINT8": "u1", "UINT16": "<u2"}

OutputName = Literal["mask", "probability", "std", "entropy"]
OUTPUTS: dict[OutputName, Datatype] = {
    "mask": "UINT8",
    "probability": "FP32",
    "std": "FP32",
    "entropy": "FP32",
}

MOST_JSON_VALUES = 2**22
"""As text a number takes some 20 bytes; more than these are answered in bytes only."""

LENIENT = ConfigDict(frozen=True, extra="ignore")
"""The protocol lets clients send what a server does not know."""

Parameters = dict[str, Any]
Pixels = NDArray[np.float32] | NDArray[np.uint8] | NDArray[np.uint16]


class Input(BaseModel):
    """A tensor that is sent; without `data` its bytes follow the header."""

    model_config = LENIENT

    name: Literal["image"]
    shape: Annotated[list[int], Field(min_length=2, max_length=3)]
    datatype: Datatype
    parameters: Parameters = {}
    data: Any = None


class Output(BaseModel):
    """A tensor that is wanted; `binary_data` of its parameters asks for bytes."""

    model_config = LENIENT

    name: OutputName
    parameters: Parameters = {}


class InferenceRequest(BaseModel):
    """A request's JSON; without `outputs` all are wanted."""

    model_config = LENIENT

    id: Annotated[str, Field(max_length=1000)] | None = None
    parameters: Parameters = {}
    inputs: Annotated[list[Input], Field(min_length=1, max_length=1)]
    outputs: Annotated[list[Output], Field(max_length=len(OUTPUTS))] = []


@dataclass(frozen=True)
class Wanted:
    """What a request asks for.

    Attributes
    ----------
    id
        The client's name for it.
    images : float32, uint8 or uint16, shape (N, H, W)
        What to segment.
    is_stack
        Whether it came with an axis for N; the outputs have it then, too.
    pixel_size_nm
        Pixel edge in nm; None where not said.
    is_binary
        Output -> whether it is wanted as bytes.
    """

    id: str | None
    images: Pixels
    is_stack: bool
    pixel_size_nm: float | None
    is_binary: dict[OutputName, bool]


def read_request(body: bytes, header_length: str | None) -> Wanted:
    """Read a request; sizes are judged by its shape before a value is unpacked.

    Parameters
    ----------
    body
        JSON, perhaps with bytes behind it.
    header_length
        `Inference-Header-Content-Length`: length of the JSON; None: all of it is.

    Raises
    ------
    RefusedError
        400 if it is not as the protocol has it.
    TooLargeError
        If there are more or larger images than one request may have.
    """
    length = len(body)
    if header_length is not None:
        if not header_length.isdecimal() or int(header_length) > len(body):
            raise _refused(f"Inference-Header-Content-Length: {header_length} is not within the body")
        length = int(header_length)
    try:
        request = InferenceRequest.model_validate(json.loads(body[:length]))
    except ValidationError as error:
        raise _refused(first_problem(error)) from error
    except (ValueError, RecursionError) as error:
        raise _refused("The body is not the JSON that it should be") from error
    (sent,) = request.inputs
    shape = _checked_shape(sent.shape)
    images = _from_bytes(sent, body[length:]) if sent.data is None else _from_json(sent, body[length:])
    everything = bool(request.parameters.get("binary_data_output", False))
    wanted = request.outputs or [Output(name=name) for name in OUTPUTS]
    is_binary = {output.name: bool(output.parameters.get("binary_data", everything)) for output in wanted}
    as_text = sum(not binary for binary in is_binary.values()) * math.prod(shape)
    if as_text > MOST_JSON_VALUES:
        raise TooLargeError(
            f"{as_text} values are too many for JSON. Ask for outputs with binary_data: true."
        )
    return Wanted(
        id=request.id,
        images=images.reshape(shape),
        is_stack=len(sent.shape) == 3,
        pixel_size_nm=_pixel_size(sent.parameters),
        is_binary=is_binary,
    )


def answer_header(
    wanted: Wanted, model: str, version: str, values: Mapping[OutputName, NDArray[Any]]
) -> bytes:
    """The JSON of an answer; `values` are those of outputs that are wanted as text."""
    shape = list(wanted.images.shape if wanted.is_stack else wanted.images.shape[1:])
    outputs = []
    for name, binary in wanted.is_binary.items():
        output: dict[str, Any] = {"name": name, "datatype": OUTPUTS[name], "shape": shape}
        if binary:
            output["parameters"] = {"binary_data_size": n_bytes(name, wanted)}
        else:
            output["data"] = values[name].ravel().tolist()
        outputs.append(output)
    answer: dict[str, Any] = {"model_name": model, "model_version": version, "outputs": outputs}
    return json.dumps(answer if wanted.id is None else {"id": wanted.id, **answer}).encode()


def n_bytes(output: OutputName, wanted: Wanted) -> int:
    """Length of an output."""
    return wanted.images.size * np.dtype(DTYPES[OUTPUTS[output]]).itemsize


def _checked_shape(shape: list[int]) -> tuple[int, int, int]:
    n_images, height, width = (1, *shape) if len(shape) == 2 else shape
    if min(n_images, height, width) < 1:
        raise _refused(f"shape: {shape} holds no pixel")
    if max(height, width) > LARGEST_SIDE:
        raise TooLargeError(f"{width}x{height} px is more than {LARGEST_SIDE} a side. Send it in parts.")
    if n_images > MOST_IMAGES:
        raise TooLargeError(f"{n_images} images are more than {MOST_IMAGES}. Send them in parts.")
    return n_images, height, width


def _from_bytes(sent: Input, raw: bytes) -> Pixels:
    dtype = np.dtype(DTYPES[sent.datatype])
    expected = math.prod(sent.shape) * dtype.itemsize
    announced = sent.parameters.get("binary_data_size", len(raw))
    if not announced == expected == len(raw):
        raise _refused(
            f"{INPUT}: {sent.datatype} of shape {sent.shape} has {expected} bytes; "
            f"{announced} are announced, and {len(raw)} follow the JSON"
        )
    return np.frombuffer(raw, dtype)


def _from_json(sent: Input, rest: bytes) -> Pixels:
    if rest:
        raise _refused(f"{INPUT}: it has data in the JSON, and {len(rest)} bytes behind it")
    dtype = np.dtype(DTYPES[sent.datatype])
    try:
        values = np.asarray(sent.data)
    except (ValueError, OverflowError) as error:
        raise _refused(f"{INPUT}: its rows are not of one length") from error
    if values.size != math.prod(sent.shape):
        raise _refused(
            f"{INPUT}: there are {values.size} values, not {math.prod(sent.shape)} as its shape has"
        )
    if values.dtype.kind not in ("iu" if dtype.kind == "u" else "iuf"):
        raise _refused(f"{INPUT}: its values are not numbers of {sent.datatype}")
    if dtype.kind == "u" and (values.min() < 0 or values.max() > np.iinfo(dtype).max):
        raise _refused(f"{INPUT}: some values are not in the range of {sent.datatype}")
    return values.astype(dtype)


def _pixel_size(parameters: Parameters) -> float | None:
    edge = parameters.get("pixel_size_nm")
    if edge is None:
        return None
    if isinstance(edge, bool) or not isinstance(edge, int | float) or not 0 < edge < math.inf:
        raise _refused("pixel_size_nm: it is not a length in nm")
    return float(edge)


def _refused(what: str) -> RefusedError:
    return RefusedError(400, f"{what}. Correct it and send it again.")
