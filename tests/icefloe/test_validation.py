"""Values from outside, and the one sentence on the first that is wrong."""

import pytest
from pydantic import BaseModel, ConfigDict, Field

from icefloe.errors import IcefloeError
from icefloe.validation import validated


class Camera(BaseModel):
    model_config = ConfigDict(extra="forbid")

    dose: float = Field(gt=0)
    name: str = "K3"


class Microscope(BaseModel):
    camera: Camera


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({"camera": {"dose": -1}}, "camera.dose: Input should be greater than 0, not -1"),
        ({"camera": {}}, "camera.dose: Field required"),
        ({"camera": {"dose": 1, "gain": 2}}, "camera.gain: Extra inputs are not permitted"),
        (b"not JSON", "the whole file: Invalid JSON: expected ident at line 1 column 2"),
    ],
)
def test_the_first_problem_is_told_with_its_place_and_the_value_given(data, complaint):
    with pytest.raises(IcefloeError) as error:
        validated(Microscope, data, "scope.yaml")
    assert str(error.value).startswith(f"scope.yaml: {complaint}")
    assert str(error.value).endswith(". Fix that entry.")


def test_a_place_that_ends_in_a_dot_is_the_start_of_the_entrys_name():
    with pytest.raises(
        IcefloeError, match=r"^presets\.demo\.camera\.dose: Field required\. Choose another\.$"
    ):
        validated(Microscope, {"camera": {}}, "presets.demo.", "Choose another.")


def test_json_text_and_plain_values_give_the_same_model():
    assert validated(Microscope, b'{"camera": {"dose": 2}}', "x") == validated(
        Microscope, {"camera": {"dose": 2}}, "x"
    )
