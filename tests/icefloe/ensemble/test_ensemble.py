"""Loading, saving and predicting, against the networks run by hand."""

import shutil

import numpy as np
import pytest
import torch
import yaml
from scipy.special import expit

from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.manifest import MANIFEST, Manifest
from icefloe.ensemble.rows import ImageRow
from icefloe.errors import IcefloeError
from icefloe.imaging.flat_field import flatten
from icefloe.imaging.preprocess import Preprocessing
from icefloe.imaging.spikes import remove_spikes
from icefloe.models.spec import MemberSpec
from icefloe.models.zoo import build, encode


@pytest.fixture(scope="module")
def saved(ensemble, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ensemble") / "EA-T1"
    ensemble.save(folder)
    return folder


@pytest.fixture
def copy(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "EA-T1")


def rewrite(folder, **entries):
    content = yaml.safe_load((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(yaml.safe_dump(content | entries))


def test_a_saved_ensemble_predicts_the_same_when_loaded(ensemble, saved, samples):
    loaded = Ensemble.load(saved, device="cpu")
    assert loaded.manifest == ensemble.manifest
    ours, theirs = ensemble.predict_image(samples[0].pixels), loaded.predict_image(samples[0].pixels)
    for name in ("mean", "std", "entropy", "mutual_information", "variation_ratio", "mask", "features"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name))


def test_an_ensembles_folder_holds_yaml_and_safetensors_only(saved):
    names = {path.name for path in saved.iterdir()}
    assert names == {MANIFEST, "mobilenet_v2-unet-s0.safetensors", "mobilenet_v2-unet-s1.safetensors"}


def test_a_prediction_is_what_the_networks_say_one_by_one(ensemble, samples):
    image = samples[0].pixels
    square, geometry = Preprocessing(size=64).apply(image)
    batch = torch.from_numpy(square)[None, None]
    members, features = [], []
    for member in ensemble.manifest.members:
        network = build(member.spec, 2).eval()
        with torch.inference_mode():
            members.append(geometry.restore(expit(network(batch)[0, 0].numpy())))
            features.append(encode(network, batch)[0].numpy())
    prediction = ensemble.predict_image(image, keep_members=True)
    assert np.allclose(prediction.member_probabilities, members, atol=1e-5)
    assert np.allclose(prediction.mean, np.mean(members, axis=0), atol=1e-5)
    assert np.allclose(prediction.std, np.std(members, axis=0), atol=1e-5)
    assert np.allclose(prediction.features, np.concatenate(features), atol=1e-4)


def test_a_prediction_is_on_the_images_own_grid(ensemble, rng):
    prediction = ensemble.predict_image(rng.random((90, 70), dtype=np.float32))
    for name in ("mean", "std", "entropy", "mutual_information", "variation_ratio", "mask"):
        assert getattr(prediction, name).shape == (90, 70)
    assert (prediction.mean.dtype, prediction.std.dtype, prediction.mask.dtype) == (
        np.float32,
        np.float32,
        np.uint8,
    )
    assert prediction.member_probabilities is None


def test_images_of_different_size_share_a_batch(ensemble, rng):
    images = [rng.random(shape, dtype=np.float32) for shape in ((64, 64), (90, 70), (40, 100))]
    together = list(ensemble.predict_images(images, batch_size=2))
    for image, prediction in zip(images, together, strict=True):
        assert np.allclose(prediction.mean, ensemble.predict_image(image).mean, atol=1e-5)


def test_predicting_twice_gives_the_same_bits(ensemble, samples):
    first, second = (list(ensemble.predict_images([s.pixels for s in samples])) for _ in range(2))
    assert all(np.array_equal(a.mean, b.mean) for a, b in zip(first, second, strict=True))


def test_a_batch_reads_no_more_images_than_it_needs(ensemble, samples):
    read = []

    def images():
        for sample in samples:
            read.append(sample.stem)
            yield sample.pixels

    next(ensemble.predict_images(images(), batch_size=2))
    assert len(read) == 2


def test_temperature_softens_the_members(make_ensemble, samples):
    sharp, soft = (make_ensemble(temperature=t).predict_image(samples[0].pixels) for t in (0.5, 2.0))
    assert soft.entropy.mean() > sharp.entropy.mean()


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    ("views", "turned"), [(4, np.flipud), (4, np.fliplr), (8, np.rot90), (8, np.transpose)]
)
def test_the_prediction_of_a_turned_image_is_the_turned_prediction(
    make_ensemble, rng, n_classes, views, turned
):
    image = rng.random((64, 64), dtype=np.float32)
    ensemble = make_ensemble(n_classes=n_classes, views=views)
    plain, other = (
        ensemble.predict_image(np.ascontiguousarray(pixels), keep_members=True)
        for pixels in (image, turned(image))
    )
    for name in ("mean", "std", "entropy", "member_probabilities"):
        maps = getattr(plain, name).reshape(-1, 64, 64)
        expected = np.stack([turned(plane) for plane in maps]).reshape(getattr(plain, name).shape)
        np.testing.assert_allclose(getattr(other, name), expected, atol=1e-4)
    assert not np.allclose(
        plain.mean, make_ensemble(n_classes=n_classes).predict_image(image).mean, atol=1e-4
    )


def test_the_gates_features_are_those_of_the_image_as_it_is(make_ensemble, samples):
    one, several = (make_ensemble(views=views).predict_image(samples[0].pixels) for views in (1, 8))
    assert np.array_equal(one.features, several.features)


def test_an_ensemble_saved_before_there_were_views_has_one(copy):
    content = yaml.safe_load((copy / MANIFEST).read_text())
    del content["views"]
    (copy / MANIFEST).write_text(yaml.safe_dump(content))
    assert Ensemble.load(copy, device="cpu").manifest.views == 1


def test_an_ensemble_saved_before_x_rays_and_light_were_corrected_corrects_neither(copy):
    content = yaml.safe_load((copy / MANIFEST).read_text())
    for entry in ("xray_counts", "flat_field", "patches_above", "version"):
        del content["preprocessing"][entry]
    (copy / MANIFEST).write_text(yaml.safe_dump(content))
    assert Ensemble.load(copy, device="cpu").preprocessing == Preprocessing(size=64)


def test_a_recipe_of_another_version_is_refused(copy):
    content = yaml.safe_load((copy / MANIFEST).read_text())
    rewrite(copy, preprocessing=content["preprocessing"] | {"version": 2})
    with pytest.raises(IcefloeError, match=r"ensemble\.yaml: preprocessing\.version: Input should be 1"):
        Ensemble.load(copy)


def test_a_loaded_ensemble_corrects_x_rays_and_light_as_its_own_recipe_says(make_ensemble, rng, tmp_path):
    recipe = Preprocessing(view="tiles", size=64, xray_counts=1500, flat_field=True, normalise="standard")
    make_ensemble(preprocessing=recipe).save(tmp_path / "EA-T1")
    loaded = Ensemble.load(tmp_path / "EA-T1", device="cpu")
    image = rng.poisson(2000, (96, 96)).astype(np.float32)
    hit = image * np.linspace(0.5, 1, 96, dtype=np.float32)
    hit[40, 40] = 50_000
    corrected = flatten(remove_spikes(hit, 1500))
    plain = make_ensemble(preprocessing=Preprocessing(view="tiles", size=64, normalise="standard"))
    np.testing.assert_array_equal(loaded.predict_image(hit).mean, plain.predict_image(corrected).mean)
    assert np.abs(plain.predict_image(hit).mean - loaded.predict_image(hit).mean).max() > 1e-3


def test_another_number_of_views_is_refused(copy):
    rewrite(copy, views=3)
    with pytest.raises(IcefloeError, match=r"ensemble\.yaml: views: Input should be 1, 4 or 8"):
        Ensemble.load(copy)


def test_several_classes_give_a_map_each_and_the_likeliest_as_mask(make_ensemble, samples):
    prediction = make_ensemble(n_classes=3).predict_image(samples[0].pixels, keep_members=True)
    assert prediction.member_probabilities.shape == (2, 3, 80, 60)
    assert prediction.mean.shape == (3, 80, 60)
    assert np.allclose(prediction.mean.sum(axis=0), 1, atol=1e-5)
    assert np.array_equal(prediction.mask, prediction.mean.argmax(axis=0))
    assert prediction.std.shape == (80, 60)


def test_half_precision_gives_nearly_the_same_probabilities(make_ensemble, ensemble, samples):
    weights = ensemble._weights
    half = Ensemble(ensemble.manifest, weights, device="cpu", precision="bf16")
    difference = half.predict_image(samples[0].pixels).mean - ensemble.predict_image(samples[0].pixels).mean
    assert 0 < np.abs(difference).max() < 0.05


def test_members_pre_trained_by_name_load_without_the_published_weights(copy):
    content = yaml.safe_load((copy / MANIFEST).read_text())
    for member in content["members"]:
        member["spec"]["weights"] = "imagenet"
    rewrite(copy, members=content["members"])
    assert Ensemble.load(copy, device="cpu").manifest.members[0].spec.weights == "imagenet"


def test_a_changed_weights_file_is_refused_by_name(copy):
    weights = copy / "mobilenet_v2-unet-s1.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(IcefloeError, match=r"s1\.safetensors: the weights are not those of ensemble\.yaml"):
        Ensemble.load(copy)


def test_a_missing_weights_file_is_refused_by_name(copy):
    (copy / "mobilenet_v2-unet-s0.safetensors").unlink()
    with pytest.raises(IcefloeError, match=r"s0\.safetensors: the weights are missing"):
        Ensemble.load(copy)


def test_weights_of_another_architecture_are_refused_by_name(member_weights, ensemble):
    paths = member_weights(2)
    spec = MemberSpec(encoder="mobilenet_v2", seed=0)
    members = (ensemble.manifest.members[0].model_copy(update={"spec": spec}), ensemble.manifest.members[1])
    manifest = ensemble.manifest.model_copy(update={"members": members})
    with pytest.raises(
        IcefloeError, match="the tensors are not those of mobilenet_v2-unet-s0 with 2 classes"
    ):
        Ensemble(manifest, paths)


def test_an_unknown_entry_is_refused(copy):
    rewrite(copy, treshold=0.4)
    with pytest.raises(IcefloeError, match=r"ensemble\.yaml: treshold: Extra inputs are not permitted"):
        Ensemble.load(copy)


def test_a_folder_without_manifest_is_refused(tmp_path):
    with pytest.raises(IcefloeError, match=r"no ensemble\.yaml here, so this is not an ensemble"):
        Ensemble.load(tmp_path)


def test_a_manifest_that_is_not_yaml_is_refused(copy):
    (copy / MANIFEST).write_text("members: [")
    with pytest.raises(IcefloeError, match=r"ensemble\.yaml: not valid YAML"):
        Ensemble.load(copy)


def test_an_ensemble_of_one_member_is_refused(copy):
    content = yaml.safe_load((copy / MANIFEST).read_text())
    rewrite(copy, members=content["members"][:1])
    with pytest.raises(IcefloeError, match="An ensemble needs at least two members; there is one"):
        Ensemble.load(copy)


def test_a_folder_in_use_is_not_overwritten(ensemble, saved):
    with pytest.raises(IcefloeError, match="the folder exists already"):
        ensemble.save(saved)


def test_a_failed_save_leaves_nothing(ensemble, copy, tmp_path):
    loaded = Ensemble.load(copy, device="cpu")
    (copy / "mobilenet_v2-unet-s1.safetensors").write_bytes(b"")
    with pytest.raises(IcefloeError, match="the weights are not those"):
        loaded.save(tmp_path / "EA-T2")
    assert [path.name for path in tmp_path.iterdir()] == ["EA-T1"]


def test_manifest_text_round_trips(ensemble, tmp_path):
    row = {"dataset": "D1", "stem": "stack_1", "index": 0, "uq_mean": 0.012345678901234567, "noise": None}
    manifest = ensemble.with_benchmark([ImageRow.from_flat(row)]).manifest.model_copy(
        update={"threshold": float(np.float32(0.4))}
    )
    (tmp_path / MANIFEST).write_text(manifest.to_yaml())
    assert Manifest.load(tmp_path) == manifest


def test_a_bad_image_is_named_when_it_comes_as_a_sample(ensemble, samples):
    constant = [
        samples[0],
        *[type(s)(s.dataset, s.stem, s.index, s.pixels * 0, s.label) for s in samples[1:2]],
    ]
    with pytest.raises(IcefloeError, match="D1/stack_1: The image is constant"):
        list(ensemble.predict(constant))
