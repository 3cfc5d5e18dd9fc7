from torch import nn

from icefloe.training.batch_norm import MOMENTUM, freeze_statistics, set_momentum


def test_every_normalisation_gets_the_momentum():
    network = nn.Sequential(nn.BatchNorm2d(2, momentum=0.01), nn.Sequential(nn.BatchNorm2d(2, momentum=None)))
    set_momentum(network)
    assert (network[0].momentum, network[1][0].momentum) == (MOMENTUM, MOMENTUM)


def test_with_frozen_statistics_dropout_stays_on():
    encoder = nn.Sequential(nn.BatchNorm2d(2), nn.Dropout(0.5)).train()
    freeze_statistics(encoder)
    assert (encoder[0].training, encoder[1].training) == (False, True)
