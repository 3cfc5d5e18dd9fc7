"""Further simulated experiments, as many as are asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icefloe.errors import IcefloeError
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.spec import ExperimentSpec
from icefloe.simulate.standard import random_standard_spec


@dataclass(frozen=True, eq=False)
class SimulatedSample:
    """One composite of a simulated experiment, in memory.

    Attributes
    ----------
    dataset
        Name of the experiment.
    index
        Number of the composite, which is also its second of the experiment.
    counts : uint16, shape (H, W)
        The composite, in counts.
    truth : uint8, shape (H, W)
        1 where there is ice.
    pixel_size_nm
        Pixel edge in nm.
    """

    dataset: str
    index: int
    counts: NDArray[np.uint16]
    truth: NDArray[np.uint8]
    pixel_size_nm: float

    @property
    def stem(self) -> str:
        return f"composite_{self.index:03d}"

    @property
    def key(self) -> str:
        return f"{self.dataset}/{self.stem}"

    @property
    def experiment(self) -> str:
        return self.dataset

    @property
    def steps_done(self) -> tuple[str, ...]:
        return ()

    def image(self) -> NDArray[np.float32]:
        """In counts."""
        return self.counts.astype(np.float32)

    def mask(self) -> NDArray[np.uint8]:
        """The truth."""
        return self.truth

    def reference(self) -> NDArray[np.uint8]:
        """The truth."""
        return self.truth


def fresh_experiments(
    n: int,
    n_images: int,
    seed: int,
    name: str = "simulated",
    draw: Callable[[np.random.Generator], ExperimentSpec] = random_standard_spec,
) -> Iterator[list[SimulatedSample]]:
    """Independent draws of sample, optics and temperature programme.

    Parameters
    ----------
    n
        Number of experiments; the first k of a seed are the same for every `n`.
    n_images
        Composites of each experiment, at random seconds, because each frame is drawn on its own.
    seed
        Seed of all draws, not negative.
    name
        Beginning of the experiments' names; a number follows it.
    draw
        Draws one experiment; by default a standard one.

    Yields
    ------
    list of SimulatedSample
        One experiment, in time order.

    Raises
    ------
    IcefloeError
        If an experiment does not last `n_images` seconds.
    """
    for number in range(n):
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(number,))))
        spec = draw(rng)
        if not 1 <= n_images <= spec.n_composites:
            raise IcefloeError(
                f"{n_images} images per experiment: one lasts {spec.n_composites} seconds. "
                "Ask for 1 to that many."
            )
        seconds = np.sort(rng.choice(spec.n_composites, n_images, replace=False)).tolist()
        experiment = simulate_experiment(spec, int(rng.integers(2**63)), seconds)
        yield [
            SimulatedSample(f"{name}_{number:03d}", second, image, mask, spec.pixel_size_nm)
            for second, image, mask in zip(seconds, experiment.images, experiment.masks, strict=True)
        ]
