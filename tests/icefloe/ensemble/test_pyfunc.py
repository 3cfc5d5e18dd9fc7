"""The ensemble through MLflow's own doors."""

import mlflow
import numpy as np
import pytest
from mlflow.exceptions import MlflowException

from icefloe.ensemble.prediction import SCORES
from icefloe.ensemble.pyfunc import as_images
from icefloe.errors import IcefloeError
from icefloe.registry.families import family_named
from icefloe.registry.package import package


@pytest.fixture(scope="module")
def model(ensemble, tmp_path_factory):
    """The ensemble, packaged as the registry does and loaded as anybody would."""
    folder = tmp_path_factory.mktemp("mlflow")
    ensemble.save(folder / "EA-T1")
    package(family_named("EA-T1"), folder / "EA-T1", folder / "model", n_classes=2)
    loaded = mlflow.pyfunc.load_model(str(folder / "model"))
    assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib")]
    return loaded


def test_the_logged_model_predicts_what_the_ensemble_does(model, ensemble, samples):
    predicted, expected = model.predict(samples[0].pixels[None]), ensemble.predict_image(samples[0].pixels)
    assert np.array_equal(predicted["mask"][0], expected.mask)
    assert np.array_equal(predicted["mean"][0], expected.mean)
    assert np.array_equal(predicted["std"][0], expected.std)
    assert {name: predicted[name][0] for name in SCORES} == expected.scores()


def test_what_comes_out_is_what_the_signature_says(model, samples):
    images = np.stack([samples[0].pixels, samples[0].pixels + 1])
    predicted = model.predict({"image": images})
    signature = model.metadata.signature
    assert [(each.name, each.type, each.shape) for each in signature.inputs] == [
        ("image", np.dtype(np.float32), (-1, -1, -1))
    ]
    assert list(predicted) == [each.name for each in signature.outputs]
    for each in signature.outputs:
        found = predicted[each.name]
        assert found.dtype == each.type
        assert found.shape == images.shape[: len(each.shape)]


def test_an_input_that_is_not_the_signatures_is_refused_by_mlflow(model, samples):
    with pytest.raises(MlflowException, match="float64"):
        model.predict(samples[0].pixels[None].astype(np.float64))
    with pytest.raises(MlflowException, match="shape"):
        model.predict(samples[0].pixels)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda image: image,
        lambda image: image[None],
        lambda image: {"image": image[None]},
        lambda image: image.tolist(),
        lambda image: [image.tolist()],
    ],
)
def test_an_image_may_come_in_any_of_the_accepted_forms(rng, wrap):
    image = rng.random((5, 4), dtype=np.float32)
    (found,) = as_images(wrap(image))
    assert np.array_equal(found, image)


@pytest.mark.parametrize("shape", [(), (3,), (1, 2, 3, 4), (0, 3, 3)])
def test_what_is_no_image_is_refused(shape):
    with pytest.raises(IcefloeError, match="Images are arrays"):
        as_images(np.zeros(shape))
