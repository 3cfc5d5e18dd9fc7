import pytest

from icefloe.training import fit
from icefloe.training.gpu_share import CONTEXT_BYTES, MARGIN, gpu_share

GIB = 2**30


@pytest.mark.parametrize(
    ("peak", "total", "n_side_by_side"),
    [
        (3 * GIB, 80 * GIB, 8),  # 18 would fit
        (10 * GIB, 80 * GIB, 6),
        (10 * GIB, 24 * GIB, 1),
        (8 * GIB, 24 * GIB, 2),
        (70 * GIB, 80 * GIB, 1),
        (100 * GIB, 80 * GIB, 1),  # one at a time, and PyTorch says what is short
        (0, GIB, 1),
    ],
)
def test_as_many_share_a_gpu_as_its_memory_has_room_for(peak, total, n_side_by_side):
    assert gpu_share(peak, total) == pytest.approx(1 / n_side_by_side)


@pytest.mark.parametrize("peak", [GIB, 5 * GIB, 17 * GIB])
def test_all_that_share_one_fit_with_a_margin(peak):
    total = 80 * GIB
    assert round(1 / gpu_share(peak, total)) * (MARGIN * peak + CONTEXT_BYTES) <= total


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_the_step_that_is_measured_draws_one_batch_and_validates(spec, data, config, share, monkeypatch):
    """On a GPU its memory is asked for afterwards; there is none here."""
    batches, build = [], fit.build

    def seen(network, inputs):
        batches.append((network.training, tuple(inputs[0].shape)))

    def built(*arguments):
        network = build(*arguments)
        network.register_forward_pre_hook(seen)
        return network

    monkeypatch.setattr(fit, "build", built)
    how = config.model_copy(update={"simulated_share": share})
    record = fit.run_step(spec, data, how)
    assert record.epoch == 1
    assert batches == [(True, (4, 1, 64, 64)), (False, (4, 1, 64, 64))]
