from collections import Counter

import pytest

from icefloe.errors import IcefloeError
from icefloe.models.spec import MemberSpec
from studies.ea_vs_er.design import Design

SIX = [
    MemberSpec(encoder=name)
    for name in ("vgg19", "densenet121", "densenet201", "resnet18", "se_resnet50", "inception_v3")
]


def test_every_architecture_is_trained_with_every_seed(design):
    assert len(design.specs) == 6
    assert design.specs["mobilenet_v2-unet-s2"].seed == 2


def test_an_ea_has_one_network_an_architecture_and_an_er_one_architecture(design):
    assert design.size == 2
    assert design.ea[(1,)] == (("resnet18-unet-s1", "mobilenet_v2-unet-s1"),)
    assert design.er("resnet18") == {
        (0, 1): (("resnet18-unet-s0", "resnet18-unet-s1"),),
        (0, 2): (("resnet18-unet-s0", "resnet18-unet-s2"),),
        (1, 2): (("resnet18-unet-s1", "resnet18-unet-s2"),),
    }


def test_with_fewer_seeds_than_architectures_eas_are_smaller_and_use_each_architecture_alike():
    design = Design.of(SIX, n_seeds=4)
    choices = design.ea[(2,)]
    used = Counter(network for choice in choices for network in choice)
    assert design.size == 3
    assert {len(set(choice)) for choice in choices} == {3}
    assert set(used.values()) == {3}
    assert len(used) == 6


def test_every_seed_can_be_left_out_of_every_er():
    for n_seeds in (3, 4, 7, 9):
        design = Design.of(SIX, n_seeds)
        for seed in design.seeds:
            assert any(seed not in chosen for chosen in design.er("vgg19"))


def test_decoders_are_named_where_encoders_do_not_tell():
    members = [MemberSpec(encoder="resnet18"), MemberSpec(encoder="resnet18", decoder="unetplusplus")]
    assert list(Design.of(members, 3).architectures) == ["resnet18-unet", "resnet18-unetplusplus"]


def test_too_few_seeds_are_refused():
    with pytest.raises(IcefloeError, match="2 seeds: an ER needs two and its interval one more"):
        Design.of(SIX, n_seeds=2)


def test_a_preset_of_one_architecture_is_refused():
    members = [MemberSpec(encoder="resnet18", seed=seed) for seed in (0, 1)]
    with pytest.raises(IcefloeError, match="resnet18-unet-s1 are not two or more different"):
        Design.of(members, n_seeds=3)
