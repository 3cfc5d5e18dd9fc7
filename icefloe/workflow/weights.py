"""Which pre-trained weights there are, what they saw; and which are on this machine."""

from icefloe.errors import IcefloeError
from icefloe.models.cards import SIMULATED
from icefloe.models.spec import ENCODERS
from icefloe.models.weights import find_weights
from icefloe.tables import Table
from icefloe.typing import WeightsMirror


def available_weights(weights_dir: WeightsMirror | None) -> Table:
    """One row per encoder and name of weights; nothing is downloaded from the hub.

    Raises
    ------
    IcefloeError
        If an installed package's file is not the known one, or the mirror cannot be read.
    """
    return Table.of(
        {
            "encoder": encoder,
            "weights": weights,
            "trained on": card.saw,
            "by": card.author,
            "licence": card.licence,
            "here": "yes" if _is_here(encoder, weights, weights_dir) else None,
        }
        for encoder in ENCODERS
        for weights, card in {**SIMULATED, **ENCODERS[encoder].pretrained}.items()
    )


def _is_here(encoder: str, weights: str, weights_dir: WeightsMirror | None) -> bool:
    try:
        return find_weights(encoder, weights, weights_dir) is not None
    except IcefloeError:
        if weights in SIMULATED:
            return False  # nobody has made them for this encoder
        raise
