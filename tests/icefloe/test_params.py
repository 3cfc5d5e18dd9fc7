"""Presets: the ones delivered, and what is said of wrong ones."""

from pathlib import Path

import pytest

import icefloe
from icefloe.errors import IcefloeError
from icefloe.models.weights import weights_file
from icefloe.params import DEFAULT_PARAMS, load_params


@pytest.fixture
def params(tmp_path):
    def write(text):
        path = tmp_path / "params.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_paper_preset_trains_the_papers_six_encoders_pretrained_at_512_pixels():
    training = load_params(DEFAULT_PARAMS, "paper").training

    assert [member.encoder for member in training.members] == [
        *("vgg19", "densenet121", "densenet201", "resnet18", "se_resnet50", "inception_v3")
    ]
    assert {member.weights for member in training.members} == {"imagenet"}
    assert training.preprocessing.size == 512
    assert training.learning_rate == 1e-3


def test_the_demo_preset_needs_no_download_and_asks_for_two_labels():
    preset = load_params(DEFAULT_PARAMS, "demo")

    for member in preset.training.members:
        assert weights_file(member.encoder, member.weights).is_relative_to(Path(icefloe.__file__).parent)
    assert preset.sampling.k == 2


@pytest.mark.parametrize("preset", ["demo", "paper"])
def test_a_preset_survives_the_plain_types_that_pipelines_take(preset):
    params = load_params(DEFAULT_PARAMS, preset)

    assert type(params).model_validate(params.sections()) == params


def test_what_a_pipeline_is_given_holds_no_null(params):
    def values(content):
        if isinstance(content, dict):
            return [leaf for value in content.values() for leaf in values(value)]
        if isinstance(content, list):
            return [leaf for value in content for leaf in values(value)]
        return [content]

    assert None not in values(load_params(DEFAULT_PARAMS, "demo").sections())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("presets: {demo: [", "not valid YAML"),
        ("", "no preset 'demo'. There are: none."),
        ("presets: {big: {}}", "no preset 'demo'. There are: big."),
        ("presets: {demo: {}}", "presets.demo.training: Field required. Fix that entry."),
        (
            "presets: {demo: {training: {members: [{encoder: resnet18}], epochs: 0}}}",
            "presets.demo.training.epochs: Input should be greater than or equal to 1, not 0. Fix",
        ),
        (
            "presets: {demo: {training: {members: [{encoder: resnet18}]}, colour: blue}}",
            "presets.demo.colour: Extra inputs are not permitted. Fix that entry.",
        ),
        (
            "presets: {demo: {training: {members: [{encoder: resnet99}]}}}",
            "presets.demo: resnet99: no such encoder. There are vgg19,",
        ),
        (
            "presets: {demo: {training: {members: [{encoder: resnet18}]}, sampling: {strategy: luck}}}",
            "luck",
        ),
        (
            "presets: {demo: {training: {members: [{encoder: resnet18}]}, gate: {nois_spread: {scale: 1}}}}",
            "presets.demo: Settings of the drift gate: there is no quantity `nois` to give a spread to.",
        ),
    ],
)
def test_a_wrong_preset_is_told_in_one_line_with_file_and_entry(params, text, words):
    path = params(text)

    with pytest.raises(IcefloeError) as error:
        load_params(path, "demo")

    assert str(error.value).startswith(f"{path}: ")
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_says_where_to_get_one(tmp_path):
    with pytest.raises(IcefloeError, match=r"params\.yaml: not found\. Copy the file from another workspace"):
        load_params(tmp_path / "params.yaml", "demo")


def test_a_file_that_is_no_text_is_told_too(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_bytes(b"\xff\xfe\x00presets")

    with pytest.raises(IcefloeError, match="not valid YAML"):
        load_params(path, "demo")
