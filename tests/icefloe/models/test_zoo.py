import pytest
import torch
from segmentation_models_pytorch.encoders import encoders as smp_encoders

from icefloe.errors import IcefloeError
from icefloe.models.zoo import DECODERS, ENCODERS, FEATURE_GRID, MemberSpec, build, encode

LIGHTEST = {"encoder": "mobilenet_v2", "decoder_channels": (32, 16, 16, 8, 8)}


def states_equal(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_every_encoder_gives_one_logit_per_pixel_at_any_multiple_of_32(encoder):
    network = build(MemberSpec(encoder=encoder), n_classes=2).eval()
    for side in (96, 128):
        images = torch.randn(1, 1, side, side, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            logits = network(images)
        assert logits.shape == (1, 1, side, side)
        assert torch.isfinite(logits).all()
        assert logits.abs().max() < 1e4


@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_registry_names_the_weights_that_the_library_has(encoder):
    on_hub = {name for name, card in ENCODERS[encoder].pretrained.items() if not card.download}
    assert on_hub == set(smp_encoders[encoder]["pretrained_settings"])


@pytest.mark.parametrize("decoder", DECODERS)
def test_every_decoder_keeps_the_size_and_gives_one_map_a_class(decoder):
    network = build(MemberSpec(encoder="mobilenet_v2", decoder=decoder), n_classes=4).eval()
    with torch.no_grad():
        assert network(torch.zeros(1, 1, 256, 256)).shape == (1, 4, 256, 256)


def test_inception_features_halve_exactly():
    encoder = build(MemberSpec(encoder="inception_v3"), n_classes=2).encoder.to("meta")
    for size in (32, 128, 256, 512):
        features = encoder(torch.empty(2, 1, size, size, device="meta"))
        assert [feature.shape[-1] for feature in features] == [size >> level for level in range(6)]
        assert [feature.shape[1] for feature in features] == encoder.out_channels


def test_inception_features_lie_where_the_input_is():
    encoder = build(MemberSpec(encoder="inception_v3"), n_classes=2).encoder.eval()
    images = torch.zeros(1, 1, 128, 128)
    with torch.no_grad():
        blank = encoder(images)
        images[..., 32:48, 80:96] = 1.0
        seen = encoder(images)
    for level in (1, 2, 3):
        change = (seen[level] - blank[level]).abs().sum(dim=(0, 1))
        place = torch.arange(change.shape[0]) + 0.5
        row = (change.sum(1) * place).sum() / change.sum() * 2**level
        column = (change.sum(0) * place).sum() / change.sum() * 2**level
        assert abs(row - 40) < 2**level
        assert abs(column - 88) < 2**level


@pytest.mark.parametrize("encoder", ["mobilenet_v2", "inception_v3"])
def test_gradients_reach_every_parameter(encoder):
    network = build(MemberSpec(encoder=encoder, decoder_channels=(32, 16, 16, 8, 8)), n_classes=2).train()
    network(torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))).square().mean().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("encoder", ["resnet18", "mobilenet_v2", "efficientnet-b0", "inception_v3"])
@pytest.mark.parametrize("widths", [(24, 16, 8), (32, 24, 16, 8)])
def test_a_shallower_u_net_has_no_stage_that_it_does_not_train(encoder, widths):
    network = build(MemberSpec(encoder=encoder, decoder_channels=widths), n_classes=2).train()
    images = torch.randn(2, 1, 96, 96, generator=torch.Generator().manual_seed(0))
    logits = network(images)
    logits.square().mean().backward()
    assert logits.shape == images.shape
    assert encode(network, images).shape[1] == network.encoder.out_channels[-1] * FEATURE_GRID**2
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_a_shallower_u_net_begins_with_the_weights_of_the_whole_encoder():
    whole, shallow = (
        build(MemberSpec(encoder="mobilenet_v2", decoder_channels=widths), n_classes=2).encoder.state_dict()
        for widths in ((32, 16, 16, 8, 8), (16, 8, 8))
    )
    assert 0 < len(shallow) < len(whole)
    assert states_equal(shallow, whole)


def test_a_spec_gives_the_same_weights_each_time_and_another_seed_gives_others():
    spec = MemberSpec(**LIGHTEST, seed=4)
    first, again = build(spec, 2).state_dict(), build(spec, 2).state_dict()
    assert states_equal(first, again)
    other = build(MemberSpec(**LIGHTEST, seed=5), 2).state_dict()
    for part in ("encoder.features.0.0.weight", "decoder.blocks.0.conv1.0.weight"):
        assert not torch.equal(first[part], other[part])


def test_building_neither_uses_nor_changes_the_global_random_state():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = build(MemberSpec(**LIGHTEST), 2).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert states_equal(first, build(MemberSpec(**LIGHTEST), 2).state_dict())


def test_encoding_averages_the_deepest_features_over_the_cells_of_a_grid():
    network = build(MemberSpec(**LIGHTEST), 2).eval()
    images = torch.randn(3, 1, 256, 256, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        features = encode(network, images)
        deepest = network.encoder(images)[-1]
    assert features.shape == (3, 1280 * FEATURE_GRID**2)
    cell = features.reshape(3, 1280, FEATURE_GRID, FEATURE_GRID)[1, 7, 2, 3]
    torch.testing.assert_close(cell, deepest[1, 7, 4:6, 6:8].mean())


def test_one_class_is_refused():
    with pytest.raises(IcefloeError, match="at least two classes, not 1"):
        build(MemberSpec(**LIGHTEST), n_classes=1)


@pytest.mark.parametrize(
    ("encoder", "decoder"),
    [*((encoder, "unet") for encoder in ENCODERS), ("resnet18", "unetplusplus"), ("resnet18", "fpn"),
     ("resnet18", "deeplabv3plus")],
)  # fmt: skip
def test_a_local_network_does_not_feel_what_is_far_away_and_no_other_passes_for_one(encoder, decoder):
    channels = (64, 48, 32, 24, 16) if decoder in ("fpn", "deeplabv3plus") else (24, 16, 8)
    spec = MemberSpec(encoder=encoder, decoder=decoder, decoder_channels=channels)
    network = build(spec, 2).eval()
    image = torch.randn(1, 1, 64, 1024, generator=torch.Generator().manual_seed(0))
    changed = image.clone()
    changed[..., -64:] += 5
    with torch.inference_mode():
        far = (network(changed) - network(image))[..., :32].abs().max()
    assert (far < 1e-8) == spec.is_local
