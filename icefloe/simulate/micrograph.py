"""One simulated micrograph: the image with noise, the image without noise, and the exact mask."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icefloe.simulate.camera import Camera


@dataclass(frozen=True, eq=False)
class Micrograph:
    """A simulated micrograph with the targets of pre-training.

    Attributes
    ----------
    image : uint16, shape (H, W)
        Noisy image in counts.
    clean : float64, shape (H, W)
        Expected counts of a camera of even gain that no X-ray hits.
    mask : uint8, shape (H, W)
        1 on the object that the simulator is named after (ice, particle, atomic column), exactly.
    pixel_size_nm
        Size of a pixel at the sample.
    """

    image: NDArray[np.uint16]
    clean: NDArray[np.float64]
    mask: NDArray[np.uint8]
    pixel_size_nm: float


def expose(
    transmitted: NDArray[np.float64],
    mask: NDArray[np.uint8],
    camera: Camera,
    pixel_size_nm: float,
    rng: np.random.Generator,
) -> Micrograph:
    """Image of a scene by a camera, exposed for one second.

    Parameters
    ----------
    transmitted : float64, shape (S, S)
        Share of the beam, per pixel, that reaches the camera.
    mask : uint8, shape (S, S)
        Class of each pixel; kept with the micrograph.
    camera
        Dose, gain and blur of the camera; the specimen trembles but does not drift.
    pixel_size_nm
        Size of a pixel at the sample.
    rng
        Source of tremor and noise.
    """
    tremor = camera.displacements(rng.uniform(0.0, 2.0 * np.pi), pixel_size_nm, rng)
    image = camera.composite(transmitted, camera.gain_map(len(mask)), tremor, pixel_size_nm, rng)
    return Micrograph(image, camera.expected_counts(transmitted, tremor, pixel_size_nm), mask, pixel_size_nm)
