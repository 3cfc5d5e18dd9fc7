"""One arrival as every seed tries it: its images, what of them is for what, and how many get labels."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from icefloe.datasets.dataset import Sample
from icefloe.errors import IcefloeError
from icefloe.typing import FloatArray, MaskArray
from studies.label_cost.arrivals import Arrival, HoldOut, hold_out
from studies.label_cost.labour import measured_minutes
from studies.material import Material


@dataclass(frozen=True, eq=False)
class Native:
    """One image as it lies in its dataset, with the mask that plays the labeler.

    Attributes
    ----------
    sample
        Whose.
    image : float32, shape (H, W)
    reference : uint8, shape (H, W)
    """

    sample: Sample
    image: FloatArray
    reference: MaskArray


@dataclass(frozen=True, eq=False)
class Trial:
    """An arrival with all that its seeds share.

    Attributes
    ----------
    arrival
        The dataset.
    sides
        Pool and test images of each seed.
    labels
        How many images are labelled after each round.
    natives
        Its images by key.
    done
        Preprocessing that was done to them already.
    measured
        Minutes that a person took, by key, where somebody measured them.
    """

    arrival: Arrival
    sides: tuple[HoldOut, ...]
    labels: tuple[int, ...]
    natives: Mapping[str, Native]
    done: Collection[str]
    measured: Mapping[str, float]

    @classmethod
    def prepare(
        cls, material: Material, arrival: Arrival, labels: Sequence[int], n_seeds: int, guard_frames: int
    ) -> "Trial":
        """Read the images and divide them for every seed.

        Raises
        ------
        IcefloeError
            If some seed's pool has fewer images than the fewest labels asked for.
        """
        sides = tuple(hold_out(arrival.samples, seed, guard_frames) for seed in range(n_seeds))
        smallest = min(len(side.pool) for side in sides)
        possible = tuple(count for count in labels if count <= smallest)
        if not possible:
            raise IcefloeError(
                f"{arrival.dataset}: {smallest} images to choose from, and {labels[0]} labels asked for. "
                "Ask for fewer with --labels."
            )
        dataset = material.datasets[arrival.dataset]
        natives = {s.key: Native(s, s.image(), s.reference()) for s in arrival.samples}
        measured = measured_minutes(dataset, arrival.samples)
        return cls(arrival, sides, possible, natives, dataset.info.preprocessing, measured)
