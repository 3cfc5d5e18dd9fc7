import numpy as np
import pytest
import torch
from torch import nn

from icefloe.training.averaging import averaged_model


def trained(share: float, values: list[float]) -> tuple[nn.Module, torch.Tensor]:
    """The average over a network whose only weight takes these values after its steps."""
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, 1e6)
    average = averaged_model(network, share)
    for value in values:
        nn.init.constant_(network.weight, value)
        average.update_parameters(network)
    return average.module, average.module.weight.detach()


def test_half_of_all_steps_is_the_plain_mean():
    values = [3.0, 1.0, 4.0, 1.0, 5.0]
    assert float(trained(0.5, values)[1]) == pytest.approx(np.mean(values), rel=1e-6)


@pytest.mark.parametrize("share", [0.05, 0.1, 0.25])
@pytest.mark.parametrize("n_steps", [200, 2000])
def test_the_mean_age_of_the_weights_is_the_share_of_all_steps(share, n_steps):
    steps = [float(step) for step in range(1, n_steps + 1)]
    age = n_steps - float(trained(share, steps)[1])
    assert age / n_steps == pytest.approx(share, rel=0.1)


def test_the_first_weights_count_nothing_even_after_a_single_step():
    assert float(trained(0.1, [2.0])[1]) == 2.0


def test_equal_weights_stay_as_they_are_to_the_last_bit():
    value = float(torch.tensor(0.1))
    assert float(trained(0.1, [value] * 50)[1]) == value


def test_batch_statistics_are_averaged_and_batches_counted():
    network = nn.BatchNorm2d(1)
    average = averaged_model(network, 0.5)
    means = []
    for value in (0.0, 10.0, 20.0):
        network(torch.full((2, 1, 4, 4), value))
        average.update_parameters(network)
        means.append(float(network.running_mean))
    assert float(average.module.running_mean) == pytest.approx(np.mean(means))
    assert int(average.module.num_batches_tracked) == 3
