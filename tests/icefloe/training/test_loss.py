import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from icefloe.training.loss import SMOOTHING, segmentation_loss


def test_binary_loss_is_the_log_loss_plus_one_minus_dice_of_the_pixels_that_count(rng):
    logits = rng.normal(size=(2, 1, 8, 8)).astype(np.float32)
    masks = rng.integers(0, 2, (2, 8, 8)).astype(np.uint8)
    masks[:, :2] = 255
    counted = masks != 255
    p, y = 1 / (1 + np.exp(-logits[:, 0][counted].astype(float))), masks[counted]
    dice = (2 * (p * y).sum() + SMOOTHING) / (p.sum() + y.sum() + SMOOTHING)
    expected = log_loss(y, p) + 1 - dice
    assert segmentation_loss(torch.tensor(logits), torch.tensor(masks)).item() == pytest.approx(
        expected, 1e-5
    )


def test_multi_class_loss_averages_dice_over_the_classes_but_the_background(rng):
    logits = rng.normal(size=(2, 3, 8, 8)).astype(np.float32)
    masks = rng.integers(0, 3, (2, 8, 8)).astype(np.uint8)
    masks[0, :3] = 255
    counted = masks != 255
    p = np.moveaxis(np.exp(logits) / np.exp(logits).sum(1, keepdims=True), 1, -1)[counted].astype(float)
    y = np.eye(3)[masks[counted]]
    dice = (2 * (p * y).sum(0) + SMOOTHING) / (p.sum(0) + y.sum(0) + SMOOTHING)
    weights = np.bincount(masks[counted])[masks[counted]] ** -0.5
    entropy = log_loss(masks[counted], p / p.sum(1, keepdims=True), sample_weight=weights)
    expected = entropy + 1 - dice[1:].mean()
    assert segmentation_loss(torch.tensor(logits), torch.tensor(masks)).item() == pytest.approx(
        expected, 1e-5
    )


@pytest.mark.parametrize("n_channels", [1, 3])
def test_pixels_to_ignore_have_no_gradient(rng, n_channels):
    logits = torch.tensor(rng.normal(size=(1, n_channels, 8, 8)), requires_grad=True)
    masks = torch.ones((1, 8, 8), dtype=torch.uint8)
    masks[:, 4:] = 255
    segmentation_loss(logits, masks).backward()
    assert torch.all(logits.grad[:, :, 4:] == 0)
    assert torch.all(logits.grad[:, :, :4] != 0)


@pytest.mark.parametrize("n_channels", [1, 3])
def test_a_batch_that_is_ignored_altogether_has_no_loss_and_no_gradient(rng, n_channels):
    logits = torch.tensor(rng.normal(size=(2, n_channels, 8, 8)), requires_grad=True)
    loss = segmentation_loss(logits, torch.full((2, 8, 8), 255, dtype=torch.uint8))
    loss.backward()
    assert loss.item() == 0
    assert torch.all(logits.grad == 0)


def test_a_batch_without_foreground_has_the_cross_entropy_only(rng):
    logits = rng.normal(size=(2, 1, 8, 8))
    p = 1 / (1 + np.exp(-logits.ravel()))
    loss = segmentation_loss(torch.tensor(logits), torch.zeros((2, 8, 8), dtype=torch.uint8))
    assert loss.item() == pytest.approx(log_loss(np.zeros(p.size), p, labels=[0, 1]))


def test_a_class_that_a_batch_lacks_adds_nothing_to_the_dice_part(rng):
    logits = rng.normal(size=(2, 3, 8, 8))
    masks = rng.integers(0, 2, (2, 8, 8)).astype(np.uint8)
    p = np.moveaxis(np.exp(logits) / np.exp(logits).sum(1, keepdims=True), 1, -1).reshape(-1, 3)
    y = masks.ravel()
    dice = (2 * p[y == 1, 1].sum() + SMOOTHING) / (p[:, 1].sum() + y.sum() + SMOOTHING)
    loss = segmentation_loss(torch.tensor(logits), torch.tensor(masks))
    entropy = log_loss(y, p, labels=[0, 1, 2], sample_weight=np.bincount(y)[y] ** -0.5)
    assert loss.item() == pytest.approx(entropy + (1 - dice) / 2)


@pytest.mark.parametrize("n_channels", [1, 3])
def test_an_absent_class_is_not_driven_on_once_it_is_predicted_nowhere(n_channels):
    logits = torch.zeros((4, n_channels, 64, 64))
    logits[:, -1] = -12.0  # a probability of 6e-6 everywhere, together a tenth of a pixel
    logits.requires_grad_()
    segmentation_loss(logits, torch.zeros((4, 64, 64), dtype=torch.uint8)).backward()
    assert float(logits.grad[:, -1].abs().sum()) < 1e-4
