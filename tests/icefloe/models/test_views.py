import numpy as np
import pytest
import torch

from icefloe.models.spec import MemberSpec
from icefloe.models.views import view_logits
from icefloe.models.zoo import build

DIHEDRAL = [
    lambda a, k=k, t=t: np.rot90(a.swapaxes(-1, -2) if t else a, k, axes=(-2, -1))
    for t in (False, True)
    for k in range(4)
]
FLIPS = [lambda a: a, lambda a: a[..., ::-1, :], lambda a: a[..., ::-1], lambda a: a[..., ::-1, ::-1]]


@pytest.fixture(scope="module", params=[2, 3])
def network(request):
    spec = MemberSpec(encoder="mobilenet_v2", decoder_channels=(16, 16, 8, 8, 8))
    return build(spec, request.param).eval()


@pytest.fixture
def images(rng):
    return rng.normal(size=(2, 1, 64, 64)).astype(np.float32)


def predicted(network, images, views):
    with torch.inference_mode():
        return view_logits(network, torch.tensor(np.ascontiguousarray(images)), views).numpy()


def test_one_view_is_the_image_itself(network, images):
    with torch.inference_mode():
        assert np.array_equal(predicted(network, images, 1), network(torch.tensor(images)).numpy())


@pytest.mark.parametrize(("views", "group"), [(4, FLIPS), (8, DIHEDRAL)])
def test_logits_turn_with_the_image(network, images, views, group):
    plain = predicted(network, images, views)
    for element in group:
        np.testing.assert_allclose(predicted(network, element(images), views), element(plain), atol=1e-4)
    single = predicted(network, images, 1)
    turned = FLIPS[1]
    assert np.abs(predicted(network, turned(images), 1) - turned(single)).max() > 1e-2


def test_logits_of_four_views_are_the_mean_over_the_flips(network, images):
    each = [flip(predicted(network, flip(images), 1)) for flip in FLIPS]  # a flip undoes itself
    np.testing.assert_allclose(predicted(network, images, 4), np.mean(each, axis=0), atol=1e-4)
