"""Experiments: composites with exact masks, and the raw frames behind them on request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icefloe.errors import IcefloeError
from icefloe.simulate.scene import Scene
from icefloe.simulate.spec import ExperimentSpec

_SAMPLE, _TREMOR, _COMPOSITE, _FRAMES = range(4)


@dataclass(frozen=True, eq=False)
class Experiment:
    """A simulated experiment, or some seconds of it.

    Attributes
    ----------
    spec, seed
        Specification and seed; the two together determine every byte.
    seconds : tuple of int
        Second of the experiment at which each composite begins.
    images : uint16, shape (T, H, W)
        Composites of the experiment, in counts.
    masks : uint8, shape (T, H, W)
        1 where there is ice, 0 elsewhere, exactly.
    temperatures_c, radii_nm : float64, shape (T,)
        Temperature and equivalent radius of all ice.
    """

    spec: ExperimentSpec
    seed: int
    seconds: tuple[int, ...]
    images: NDArray[np.uint16]
    masks: NDArray[np.uint8]
    temperatures_c: NDArray[np.float64]
    radii_nm: NDArray[np.float64]

    def frames(self, second: int) -> Iterator[NDArray[np.uint16]]:
        """Raw frames of one second, each uint16 of shape (H, W).

        They show the same sample with the same tremor as that second's composite; their noise is another
        draw of the same statistics.

        Raises
        ------
        IcefloeError
            If the experiment does not last that long.
        """
        _check_seconds([second], self.spec)
        camera = self.spec.camera
        scene = _scene(self.spec, self.seed)
        tremor = camera.displacements(
            scene.drift_direction, self.spec.pixel_size_nm, _rng(self.seed, _TREMOR, second)
        )
        return camera.frames(
            scene.render(second)[0],
            camera.gain_map(self.spec.size_px),
            tremor,
            self.spec.pixel_size_nm,
            _rng(self.seed, _FRAMES, second),
        )


def simulate_experiment(spec: ExperimentSpec, seed: int, seconds: Sequence[int] | None = None) -> Experiment:
    """Simulate the composites of an experiment.

    Parameters
    ----------
    spec
        Specification of the experiment.
    seed
        Non-negative; decides the sample and all noise. Each composite has its own stream, so one composite
        is the same whether or not the others are made.
    seconds
        Only these composites; None makes all.

    Raises
    ------
    IcefloeError
        If a second lies beyond the experiment's end.
    """
    chosen = tuple(range(spec.n_composites)) if seconds is None else tuple(seconds)
    _check_seconds(chosen, spec)
    scene = _scene(spec, seed)
    gain = spec.camera.gain_map(spec.size_px)
    images = np.empty((len(chosen), spec.size_px, spec.size_px), np.uint16)
    masks = np.empty(images.shape, np.uint8)
    for index, second in enumerate(chosen):
        transmitted, masks[index] = scene.render(second)
        tremor = spec.camera.displacements(
            scene.drift_direction, spec.pixel_size_nm, _rng(seed, _TREMOR, second)
        )
        noise = _rng(seed, _COMPOSITE, second)
        images[index] = spec.camera.composite(transmitted, gain, tremor, spec.pixel_size_nm, noise)
    taken = list(chosen)
    return Experiment(spec, seed, chosen, images, masks, scene.temperatures_c[taken], scene.radii_nm[taken])


def _scene(spec: ExperimentSpec, seed: int) -> Scene:
    return Scene(spec, _rng(seed, _SAMPLE))


def _rng(seed: int, *key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def _check_seconds(seconds: Sequence[int], spec: ExperimentSpec) -> None:
    for second in seconds:
        if not 0 <= second < spec.n_composites:
            raise IcefloeError(
                f"Second {second}: the experiment has seconds 0 to {spec.n_composites - 1}. Take one of them."
            )
