import pytest
from pydantic import ValidationError

from icefloe.errors import IcefloeError
from icefloe.models.spec import ENCODERS, MemberSpec, require_unique_names


def test_a_member_is_named_after_encoder_decoder_and_seed():
    assert MemberSpec(encoder="mobilenet_v2").name == "mobilenet_v2-unet-s0"
    assert MemberSpec(encoder="vgg19", decoder="fpn", seed=3).name == "vgg19-fpn-s3"


def test_an_unknown_encoder_is_refused_with_those_there_are():
    with pytest.raises(IcefloeError, match=r"resnet19: no such encoder\. There are vgg19, densenet121, .*b0"):
        MemberSpec(encoder="resnet19")


def test_an_unknown_decoder_is_refused_with_those_there_are():
    with pytest.raises(IcefloeError, match=r"segnet: no such decoder\. There are unet, unetplusplus, fpn"):
        MemberSpec(encoder="resnet18", decoder="segnet")


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin", ".ckpt"])
def test_a_pickle_is_refused_with_what_to_do(suffix):
    with pytest.raises(
        IcefloeError,
        match=r"pickles are not loaded, because they can run code.* safetensors\.torch\.save_file",
    ):
        MemberSpec(encoder="resnet18", weights=f"old/encoder{suffix}")


def test_unknown_weights_are_refused_with_those_there_are():
    with pytest.raises(
        IcefloeError,
        match=r"no such weights for resnet18\. Use none, sim, image-sim, imagenet, ssl, swsl, micronet",
    ):
        MemberSpec(encoder="resnet18", weights="imagenet21k")


def test_a_member_says_what_its_first_weights_saw():
    assert MemberSpec(encoder="resnet18").first_weights == "random weights"
    assert MemberSpec(encoder="efficientnet-lite0", weights="imagenet").first_weights == (
        "imagenet: trained on ImageNet-1k: 1.28 million photographs in 1000 classes (Google, Apache-2.0)"
    )
    assert "MicroNet: more than 100,000 micrographs" in (
        MemberSpec(encoder="resnet18", weights="micronet").first_weights
    )
    assert "simulated micrographs" in MemberSpec(encoder="resnet18", weights="sim").first_weights
    assert MemberSpec(encoder="resnet18", weights="a/b.safetensors").first_weights == "a/b.safetensors"


def test_an_encoder_that_can_not_be_dilated_is_refused_for_deeplab():
    with pytest.raises(
        IcefloeError, match=r"vgg19: cannot be dilated for deeplabv3plus\. Use one of resnet18"
    ):
        MemberSpec(encoder="vgg19", decoder="deeplabv3plus")


def test_a_width_that_fpn_can_not_have_is_refused():
    with pytest.raises(IcefloeError, match="an FPN cannot have 48 channels"):
        MemberSpec(encoder="resnet18", decoder="fpn", decoder_channels=(48, 32, 16, 8, 8))


def test_light_encoders_get_a_light_decoder_unless_told_otherwise():
    assert MemberSpec(encoder="mobilenet_v2").channels < MemberSpec(encoder="vgg19").channels
    assert MemberSpec(encoder="mobilenet_v2", decoder_channels=(9, 8, 7, 6, 5)).channels == (9, 8, 7, 6, 5)


@pytest.mark.parametrize("widths", [(16, 8), (64, 32, 16, 8, 8, 8)])
def test_a_decoder_has_three_to_five_stages(widths):
    with pytest.raises(ValidationError, match="decoder_channels"):
        MemberSpec(encoder="mobilenet_v2", decoder_channels=widths)


def test_two_members_of_one_name_are_refused():
    members = [MemberSpec(encoder=encoder) for encoder in ENCODERS]
    require_unique_names(members)
    with pytest.raises(IcefloeError, match="vgg19-unet-s0: two members have this name"):
        require_unique_names([*members, MemberSpec(encoder="vgg19", weights="imagenet")])
