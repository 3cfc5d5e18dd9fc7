"""Large images, seen by windows."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import expit

from icefloe.ensemble import bands
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.fit import TrainedNetwork, assemble
from icefloe.imaging import windows
from icefloe.imaging.preprocess import Preprocessing
from icefloe.imaging.windows import slide
from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build
from icefloe.training.batch_norm import set_momentum
from icefloe.training.loss import segmentation_loss

MAPS = ("mean", "std", "entropy", "mutual_information", "variation_ratio", "mask")


@pytest.fixture(scope="module")
def tiled(make_ensemble):
    return make_ensemble(preprocessing=Preprocessing(view="tiles", size=64))


def small_windows(monkeypatch, side, halo):
    monkeypatch.setattr(bands, "slide", lambda image, run: slide(image, run, side, halo))
    monkeypatch.setattr(bands, "BAND_PIXELS", 5000)


@pytest.fixture(scope="module")
def trained() -> torch.nn.Module:
    """A small network that has learned to tell a disc from a ring of the same grey, from crops of 96 px."""
    network = build(MemberSpec(encoder="mobilenet_v2", decoder_channels=(16, 16, 8, 8)), 2)
    set_momentum(network)
    optimizer = torch.optim.AdamW(network.parameters(), lr=4e-3)
    image, mask = discs_and_rings(np.random.default_rng(0), (640, 640))
    rng = np.random.default_rng(1)
    for _ in range(120):  # after 60 its batch statistics may still lag behind
        corners = rng.integers(0, 640 - 96, (4, 2))
        crops = [(slice(row, row + 96), slice(column, column + 96)) for row, column in corners]
        batch = torch.tensor(np.stack([image[crop] for crop in crops]))[:, None]
        loss = segmentation_loss(network(batch), torch.tensor(np.stack([mask[crop] for crop in crops])))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval()


def discs_and_rings(rng, shape):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    image, mask = rng.normal(0, 0.4, shape).astype(np.float32), np.zeros(shape, np.uint8)
    for number, centre in enumerate(rng.uniform(0, shape, (shape[0] * shape[1] // 6000, 2))):
        distance = np.hypot(rows - centre[0], columns - centre[1])
        thing = (distance < 16) & (distance > (0 if number % 2 else 8))
        image[thing] += 1.5
        mask[thing] = number % 2
    return image, mask


def test_a_trained_networks_map_is_the_same_whatever_the_windows(trained):
    image, mask = discs_and_rings(np.random.default_rng(2), (704, 1120))

    def run(batch):
        with torch.inference_mode():
            return trained(torch.tensor(batch)[:, None]).numpy()

    def probability(side, halo):
        return expit(np.concatenate([band for _, band in slide(image, run, side, halo)], axis=-2)[0])

    at_once = probability(2048, windows.HALO)
    assert ((at_once > 0.5) == mask).mean() > 0.9  # it has learned something
    assert at_once.std() > 0.1  # and not that there is nothing
    for side, halo in ((768, windows.HALO), (640, 192)):
        np.testing.assert_allclose(probability(side, halo), at_once, atol=1e-3)
    assert np.abs(probability(256, 0) - at_once).max() > 1e-3  # without a halo it would not be


@pytest.mark.parametrize("entries", [{}, {"downsampling": 2}, {"pixel_size_nm": 1.5}])
def test_an_image_in_bands_has_the_statistics_of_one_predicted_at_once(
    make_ensemble, rng, monkeypatch, entries
):
    ensemble = make_ensemble(preprocessing=Preprocessing(view="tiles", size=64, **entries))
    image = rng.random((333, 290), dtype=np.float32)
    at_once = ensemble.predict_image(image, pixel_size_nm=1.0, keep_members=True)
    monkeypatch.setattr(bands, "BAND_PIXELS", 5000)
    monkeypatch.setattr(bands, "slide", cut_into_bands)
    parts = ensemble.predict_image(image, pixel_size_nm=1.0, keep_members=True)
    for name in (*MAPS, "member_probabilities"):
        assert getattr(parts, name).shape[-2:] == (333, 290)
        np.testing.assert_allclose(getattr(parts, name), getattr(at_once, name), atol=2e-4)
    np.testing.assert_array_equal(parts.features, at_once.features)


def cut_into_bands(image, run):
    """All rows at once, given out in bands of 50."""
    ((_, maps),) = slide(image, run)
    for first in range(0, maps.shape[-2], 50):
        yield first, maps[..., first : first + 50, :]


def test_several_classes_and_views_go_through_windows_too(make_ensemble, rng, monkeypatch):
    ensemble = make_ensemble(n_classes=3, preprocessing=Preprocessing(view="tiles", size=64), views=8)
    image = rng.random((60, 300), dtype=np.float32)
    small_windows(monkeypatch, 256, 64)
    prediction = ensemble.predict_image(image, keep_members=True)
    assert prediction.mean.shape == (3, 60, 300)
    assert prediction.member_probabilities.shape == (2, 3, 60, 300)
    np.testing.assert_allclose(prediction.mean.sum(axis=0), 1, atol=1e-5)


def test_features_are_the_mean_over_the_windows(tiled, rng, monkeypatch):
    image = rng.random((64, 480), dtype=np.float32)
    seen = []

    def recorded(image, run):
        return slide(image, lambda found: seen.append(found) or run(found), 256, 32)

    monkeypatch.setattr(bands, "slide", recorded)
    prediction = tiled.predict_image(image)
    every = np.concatenate([tiled._engine.run(batch)[1] for batch in seen])
    assert len(every) > 1
    np.testing.assert_allclose(prediction.features, every.mean(axis=0), atol=1e-5)


def test_memory_for_members_does_not_grow_with_the_rows_of_an_image(tiled, rng, monkeypatch):
    small_windows(monkeypatch, 256, 32)
    held = []
    statistics = bands.NativeBand.members

    def watched(self, temperature):
        held.append(self._logits.shape)
        return statistics(self, temperature)

    monkeypatch.setattr(bands.NativeBand, "members", watched)
    prediction = tiled.predict_image(rng.random((1000, 96), dtype=np.float32))
    assert prediction.mean.shape == (1000, 96)
    assert max(shape[-2] for shape in held) <= 256
    assert len(held) > 10


def test_an_ensemble_that_sees_tiles_is_calibrated_saved_and_loaded(
    ensemble, member_weights, samples, tmp_path, monkeypatch
):
    members = [
        TrainedNetwork(member.spec, path)
        for member, path in zip(ensemble.manifest.members, member_weights(2), strict=True)
    ]
    how = Preprocessing(view="tiles", size=64, pixel_size_nm=2.0)
    stated = [replace(sample, pixel_size_nm=1.5) for sample in samples]
    keywords = {"name": "EA-T1", "preprocessing": how, "classes": ("background", "ice"), "device": "cpu"}
    assembled = assemble(members, stated, stated, **keywords)
    assert 0 < assembled.threshold < 1
    assert len(assembled.manifest.benchmark) == len(samples)
    assembled.save(tmp_path / "EA-T1")
    loaded = Ensemble.load(tmp_path / "EA-T1", device="cpu")
    assert loaded.preprocessing == how
    ((_, ours),), ((_, theirs),) = (list(each.predict(stated[:1])) for each in (assembled, loaded))
    np.testing.assert_array_equal(ours.mean, theirs.mean)
    small_windows(monkeypatch, 64 + 32 + 64, 32)
    again = assemble(members, stated, stated, **keywords)
    assert again.manifest.calibration.n_pixels == assembled.manifest.calibration.n_pixels
