"""The protocol's wire form, byte by byte."""

import json

import numpy as np
import pytest

from icefloe.errors import TooLargeError
from serving.inference_v2.tensors import OUTPUTS, answer_header, read_request
from serving.problems import RefusedError


def request(shape=(2, 3), datatype="UINT8", data=None, parameters=None, raw=b"", **more):
    image = {"name": "image", "shape": list(shape), "datatype": datatype, "parameters": parameters or {}}
    if data is not None:
        image["data"] = data
    header = json.dumps({"inputs": [image], **more}).encode()
    return header + raw, str(len(header)) if raw else None


def test_flat_and_nested_values_are_the_same_image():
    flat, nested = (
        read_request(*request(data=data)) for data in ([1, 2, 3, 4, 5, 6], [[1, 2, 3], [4, 5, 6]])
    )
    assert np.array_equal(flat.images, [[[1, 2, 3], [4, 5, 6]]])
    assert np.array_equal(flat.images, nested.images)
    assert flat.images.dtype == np.uint8
    assert not flat.is_stack
    assert list(flat.is_binary) == list(OUTPUTS)
    assert not any(flat.is_binary.values())


@pytest.mark.parametrize(("datatype", "dtype"), [("FP32", "<f4"), ("UINT16", "<u2"), ("UINT8", "u1")])
def test_bytes_behind_the_header_are_rows_of_little_endian_values(datatype, dtype):
    values = np.arange(24).reshape(2, 3, 4).astype(dtype)
    raw = values.tobytes()
    wanted = read_request(*request((2, 3, 4), datatype, parameters={"binary_data_size": len(raw)}, raw=raw))
    assert np.array_equal(wanted.images, values)
    assert wanted.images.dtype == np.dtype(dtype)
    assert wanted.is_stack


def test_an_output_says_for_itself_or_the_request_for_all_whether_it_is_bytes():
    outputs = [{"name": "std"}, {"name": "mask", "parameters": {"binary_data": False}}]
    body, _ = request(data=[1] * 6, outputs=outputs, parameters=None)
    document = json.loads(body) | {"parameters": {"binary_data_output": True}, "id": "x"}
    wanted = read_request(json.dumps(document).encode(), None)
    assert wanted.is_binary == {"std": True, "mask": False}
    header = json.loads(answer_header(wanted, "m", "EA-T1", {"mask": np.zeros((2, 3), np.uint8)}))
    assert header == {
        "id": "x",
        "model_name": "m",
        "model_version": "EA-T1",
        "outputs": [
            {"name": "std", "datatype": "FP32", "shape": [2, 3], "parameters": {"binary_data_size": 24}},
            {"name": "mask", "datatype": "UINT8", "shape": [2, 3], "data": [0] * 6},
        ],
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": [1, 2, 3]}, "there are 3 values, not 6"),
        ({"data": [[1, 2, 3], [4, 5]]}, "not of one length"),
        ({"data": ["1"] * 6}, "not numbers of UINT8"),
        ({"data": [True] * 6}, "not numbers of UINT8"),
        ({"data": [0.5] * 6}, "not numbers of UINT8"),
        ({"data": [256] * 6}, "not in the range of UINT8"),
        ({"data": [-1] * 6}, "not in the range of UINT8"),
        ({"data": [1] * 6, "raw": b"123456"}, "6 bytes behind it"),
        ({"raw": b"12345"}, "has 6 bytes; 5 are announced, and 5 follow"),
        ({"raw": b"123456", "parameters": {"binary_data_size": 7}}, "7 are announced, and 6 follow"),
        ({"raw": b"123456", "parameters": {"pixel_size_nm": -1}}, "not a length in nm"),
        ({"raw": b"123456", "datatype": "FP64"}, "FP32"),
        ({"raw": b"", "shape": (0, 3), "data": []}, "holds no pixel"),
        ({"data": [1] * 6, "shape": (6,)}, "shape"),
        ({"data": [1] * 6, "outputs": [{"name": "logits"}]}, "outputs"),
    ],
)
def test_a_request_that_is_no_good_is_refused_in_words(changes, words):
    with pytest.raises(RefusedError, match=words) as refusal:
        read_request(*request(**changes))
    assert refusal.value.status == 400


@pytest.mark.parametrize(
    ("body", "length"),
    [(b"{}", "3"), (b"{}", "-1"), (b"{}", "2x"), (b"\xff\xfe", None), (b"[" * 100_000, None), (b"[]", None)],
)
def test_a_body_that_is_not_the_protocols_is_refused(body, length):
    with pytest.raises(RefusedError) as refusal:
        read_request(body, length)
    assert refusal.value.status == 400


@pytest.mark.parametrize("shape", [(8193, 1), (1, 8193), (501, 1, 1), (10**9, 10**9)])
def test_what_is_too_large_is_refused_by_its_shape_alone(shape):
    with pytest.raises(TooLargeError):
        read_request(*request(shape, raw=b"\0"))


def test_more_values_than_text_is_good_for_are_given_as_bytes_only():
    raw = bytes(3000 * 3000)
    body = request((3000, 3000), raw=raw, outputs=[{"name": "mask"}])
    with pytest.raises(TooLargeError, match="Ask for outputs with binary_data: true"):
        read_request(*body)
    outputs = [{"name": "mask", "parameters": {"binary_data": True}}]
    assert read_request(*request((3000, 3000), raw=raw, outputs=outputs)).is_binary == {"mask": True}
