import numpy as np
import pytest
import torch
from torch import nn

from icefloe.training.batch_norm import MOMENTUM, estimate_statistics, estimated_layers, set_momentum


class Network(nn.Module):
    """Two normalisations, one in an encoder, with a dropout between them."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.BatchNorm2d(2), nn.Dropout(0.5))
        self.decoder = nn.BatchNorm2d(2)

    def forward(self, maps):
        return self.decoder(self.encoder(maps))


@pytest.fixture
def batches(rng):
    return [torch.tensor(rng.normal(n, 1 + n, (4, 2, 8, 8)).astype(np.float32)) for n in range(3)]


@pytest.fixture
def network():
    network = Network()
    set_momentum(network)
    for layer in (network.encoder[0], network.decoder):
        layer.running_mean.fill_(7.0)
        layer.running_var.fill_(3.0)
    return network


def test_statistics_are_the_mean_over_batches(network, batches):
    estimate_statistics(network, estimated_layers(network, encoder=True), batches)
    means = np.mean([batch.mean((0, 2, 3)).numpy() for batch in batches], axis=0)
    variances = np.mean([batch.var((0, 2, 3)).numpy() for batch in batches], axis=0)
    np.testing.assert_allclose(network.encoder[0].running_mean, means, rtol=1e-5)
    np.testing.assert_allclose(network.encoder[0].running_var, variances, rtol=1e-5)
    # What the encoder normalised reaches the decoder without dropout.
    np.testing.assert_allclose(network.decoder.running_mean, [0, 0], atol=1e-5)
    np.testing.assert_allclose(network.decoder.running_var, [1, 1], rtol=1e-2)


def test_an_encoders_statistics_can_stay(network, batches):
    estimate_statistics(network, estimated_layers(network, encoder=False), batches)
    assert network.encoder[0].running_mean.tolist() == [7, 7]
    assert network.encoder[0].running_var.tolist() == [3, 3]
    means = np.mean([batch.mean((0, 2, 3)).numpy() for batch in batches], axis=0)
    np.testing.assert_allclose(network.decoder.running_mean, (means - 7) / np.sqrt(3), rtol=1e-4)


def test_afterwards_the_network_is_in_evaluation_mode_with_its_momentum_and_its_weights(network, batches):
    weights = [parameter.detach().clone() for parameter in network.parameters()]
    estimate_statistics(network, estimated_layers(network, encoder=True), batches)
    assert not any(module.training for module in network.modules())
    assert {network.encoder[0].momentum, network.decoder.momentum} == {MOMENTUM}
    assert all(map(torch.equal, weights, network.parameters()))
