"""One image of each test set as EA and ERs see it: the paper's figures 3 and 4."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from icefloe.report.figures import Segmented, draw_outlines
from icefloe.typing import FloatArray, MaskArray
from studies.ea_vs_er.results import FamilyScores
from studies.ea_vs_er.scoring import Seen, segment


@dataclass(frozen=True, eq=False)
class Example:
    """One image.

    Attributes
    ----------
    key
        Of the sample.
    image : float32, shape (h, w)
        As networks see it.
    reference : uint8, shape (h, w)
    masks : uint8, shape (h, w), by ensemble
    deviations : float32, shape (h, w), by ensemble
        Standard deviation over members.
    """

    key: str
    image: FloatArray
    reference: MaskArray
    masks: dict[str, MaskArray]
    deviations: dict[str, FloatArray]

    @classmethod
    def of(cls, seen: Seen, families: Mapping[str, FamilyScores], who: Sequence[str]) -> "Example":
        """The image in the middle of a test set, by the first ensemble of each family."""
        scenes, image = seen.scenes, len(seen) // 2
        masks, deviations = {}, {}
        for name in who:
            ensemble = families[name].all[0]
            members = seen.of(ensemble.networks, image)
            _, deviations[name], masks[name] = segment(members, ensemble.fitted)
        return cls(
            scenes.samples[image].key,
            scenes.squares[image][scenes.geometries[image].window],
            scenes.references[image],
            masks,
            deviations,
        )


def maps_figure(examples: Mapping[str, Example]) -> Figure:
    """A row a test set: outlines of the EA's mask and the reference, then everyone's uncertainty."""
    who = list(next(iter(examples.values())).masks)
    figure = Figure(figsize=(2.3 * (len(who) + 1) + 1, 2.5 * len(examples)), layout="constrained")
    axes = figure.subplots(len(examples), len(who) + 1, squeeze=False)
    highest = max(
        float(np.percentile(deviation, 99.5))
        for example in examples.values()
        for deviation in example.deviations.values()
    )
    for row, example in zip(axes, examples.values(), strict=True):
        outlined = Segmented(
            f"{example.key}: {who[0]}",
            example.image,
            example.masks[who[0]],
            example.deviations[who[0]],
            example.reference,
        )
        draw_outlines(row[0], outlined)
        for axis, name in zip(row[1:], who, strict=True):
            axis.imshow(example.deviations[name], cmap="magma", vmin=0, vmax=highest)
            axis.set_title(f"{name}, UQ {example.deviations[name].mean():.4f}", fontsize=8)
            axis.set_axis_off()
    scale = ScalarMappable(Normalize(0, highest), "magma")
    figure.colorbar(scale, ax=axes, shrink=0.5, label="standard deviation over members")
    return figure
