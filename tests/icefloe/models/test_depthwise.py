import copy

import pytest
import torch
from torch import nn

from icefloe.models.depthwise import keep_float32
from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build


@pytest.fixture
def layers():
    """A depthwise convolution between two of all channels."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 8, 1), nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.Conv2d(8, 1, 1))


def test_only_depthwise_convolutions_leave_autocast(layers):
    images, seen = torch.rand(2, 1, 16, 16), {}
    keep_float32(layers)
    functional = nn.functional.conv2d

    def recorded(maps, weight, *rest):
        result = functional(maps, weight, *rest)
        seen[weight.shape[1], rest[-1]] = result.dtype
        return result

    with pytest.MonkeyPatch.context() as patch, torch.autocast("cpu", torch.bfloat16):
        patch.setattr(torch.nn.functional, "conv2d", recorded)
        result = layers(images)
    assert seen == {(1, 8): torch.float32, (1, 1): torch.bfloat16, (8, 1): torch.bfloat16}
    assert result.dtype == torch.bfloat16


def test_without_autocast_nothing_changes(layers):
    images = torch.rand(2, 1, 16, 16)
    before, names = layers(images), list(layers.state_dict())
    keep_float32(layers)
    assert torch.equal(layers(images), before)
    assert list(layers.state_dict()) == names


def test_gradients_reach_the_weights_and_come_close_to_those_of_float32(layers):
    images = torch.rand(4, 1, 16, 16)
    exact = copy.deepcopy(layers)
    exact(images).mean().backward()
    keep_float32(layers)
    with torch.autocast("cpu", torch.bfloat16):
        layers(images).float().mean().backward()
    for ours, theirs in zip(layers.parameters(), exact.parameters(), strict=True):
        assert torch.allclose(ours.grad, theirs.grad, atol=0.02)


def test_networks_of_the_zoo_have_it_and_can_be_copied():
    network = build(MemberSpec(encoder="efficientnet-lite0", decoder_channels=(48, 32, 16, 8)), 2)
    copied = copy.deepcopy(network.eval())
    depthwise = [module for module in copied.modules() if isinstance(module, nn.Conv2d) and module.groups > 1]
    assert len(depthwise) > 5
    assert all("_InFloat32" in [kind.__name__ for kind in type(module).__mro__] for module in depthwise)
    images = torch.rand(1, 1, 64, 64)
    assert torch.equal(copied(images), network(images))
