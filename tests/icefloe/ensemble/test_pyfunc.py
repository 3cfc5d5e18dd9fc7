"""The ensemble through MLflow's own doors."""

import mlflow
import numpy as np
import pandas as pd
import pytest

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
    package(family_named("EA-T1"), folder / "EA-T1", folder / "model")
    loaded = mlflow.pyfunc.load_model(str(folder / "model"))
    assert not [path for path in folder.rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib")]
    return loaded


def test_the_logged_model_predicts_what_the_ensemble_does(model, ensemble, samples):
    predicted, expected = model.predict(samples[0].pixels), ensemble.predict_image(samples[0].pixels)
    assert np.array_equal(predicted["mask"][0], expected.mask)
    assert np.array_equal(predicted["mean"][0], expected.mean)
    assert np.array_equal(predicted["std"][0], expected.std)
    assert {name: predicted[name][0] for name in SCORES} == expected.scores()


def test_images_of_different_size_are_predicted_together(model, samples):
    predicted = model.predict([samples[0].pixels, samples[1].pixels[:50]])
    assert [mask.shape for mask in predicted["mask"]] == [(80, 60), (50, 60)]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda image: image,
        lambda image: image[None],
        lambda image: [image],
        lambda image: image.tolist(),
        lambda image: [image.tolist()],
        lambda image: pd.DataFrame({"image": [image]}),
        lambda image: pd.DataFrame({"image": [image.tolist()]}),
    ],
)
def test_an_image_may_come_in_any_of_the_accepted_forms(rng, wrap):
    image = rng.random((5, 4), dtype=np.float32)
    (found,) = as_images(wrap(image))
    assert np.array_equal(found, image)


def test_a_table_without_images_is_refused():
    with pytest.raises(IcefloeError, match="The table to predict has no column image"):
        as_images(pd.DataFrame({"picture": []}))
