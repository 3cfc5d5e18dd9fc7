"""How a planned training varies its images, and how fast it learns: by how many objects it has seen."""

from dataclasses import dataclass

from icefloe.datasets.fingerprint import Fingerprint
from icefloe.imaging.augment import Augmentation
from icefloe.training.decision import Decision

FEW_OBJECTS = 100
"""Labelled objects below which they do not show how large, where and how bright others may be."""

OBJECTS_AN_IMAGE = 3
"""Mean below which images are most likely of one object each, as a series of one crystal is: all alike."""

SHAPES_VARIED = Augmentation(
    rotation_deg=30,
    scale=0.4,
    elastic=3,
    noise=0.03,
    shot_noise=0,
    gain=0.05,
    contrast=0.1,
    gamma=0,
    blur=0,
    illumination=0,
)
"""Shapes are varied much, intensities little."""

ALL_VARIED = Augmentation(
    rotation_deg=30,
    scale=0.4,
    elastic=3,
    shot_noise=0,
    contrast=0.3,
    gamma=0.3,
    illumination=0.2,
)
"""Intensities, too: else the images of one experiment undo what simulated images have taught."""

SIMULATED_SHARE = 0.5
"""Of each batch; see `TrainingConfig.simulated_share`."""


FAST = 2e-3
"""Learning rate where simulated images know nothing of the objects: few steps have to teach all."""


@dataclass(frozen=True)
class Variety:
    """What a training sees beside the labelled images as they are, and how fast it learns from them.

    Attributes
    ----------
    augmentation, simulated_share, learning_rate
        As in `TrainingConfig`.
    retraining_rate
        Learning rate of a retraining.
    decisions
        The choices, with their reasons.
    """

    augmentation: Augmentation
    simulated_share: float
    learning_rate: float
    retraining_rate: float
    decisions: tuple[Decision, ...]


def choose_variety(found: Fingerprint) -> Variety:
    """Keep few labelled objects from teaching that all others are like them; learn many as they are.

    Parameters
    ----------
    found
        Fingerprint of the labelled images.
    """
    one = found.classes[0]
    shown = f"{found.n_labelled} labelled images show {one.n_objects} objects of {one.name}"
    if len(found.classes) > 1:
        return _as_they_are(
            f"simulated images show one kind of object, and the data have {len(found.classes)}"
        )
    if one.n_objects >= max(FEW_OBJECTS, OBJECTS_AN_IMAGE * found.n_labelled):
        return _as_they_are(f"{shown}, which teach more than simulated ones")
    return Variety(
        ALL_VARIED,
        SIMULATED_SHARE,
        learning_rate=3e-4,
        retraining_rate=3e-4,
        decisions=(
            Decision(
                what="simulated images",
                choice="half of each batch",
                why=f"{shown}, too few or too much alike to tell what others look like",
            ),
            Decision(
                what="learning rate",
                choice="low, shapes and intensities varied much",
                why="the networks know simulated images, which the labelled ones should not undo",
            ),
        ),
    )


def _as_they_are(why: str) -> Variety:
    """Labelled images alone, learned fast."""
    return Variety(
        SHAPES_VARIED,
        simulated_share=0.0,
        learning_rate=FAST,
        retraining_rate=FAST / 2,
        decisions=(
            Decision(what="simulated images", choice="none", why=why),
            Decision(
                what="learning rate",
                choice="high, shapes varied much and intensities little",
                why="labelled images are all that there is to learn from",
            ),
        ),
    )
