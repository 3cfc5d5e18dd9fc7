"""Assembly of the kept candidates into an ensemble, with the benchmark of the drift gate."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from icefloe.datasets.bundle import Bundle
from icefloe.datasets.git import code_revision
from icefloe.drift.benchmark import predicted_rows
from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.fit import TrainedNetwork, assemble
from icefloe.ensemble.manifest import Provenance
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import MemberSpec
from icefloe.training.members import MembersDir

logger = logging.getLogger(__name__)

UNREGISTERED = "challenger"


def assemble_kept(
    members: MembersDir, kept: Sequence[str], bundle: Bundle, parent: str | None = None
) -> Ensemble:
    """Assemble the members that passed pruning.

    Parameters
    ----------
    members
        Directory of all trained candidates.
    kept
        Names of those to use, at least two.
    bundle
        The data they were trained on. Its images that are new to all members become the benchmark, with the
        drift gate's input evidence and the name of their experiment. Where there is none, as without test and
        unlabelled images, the validation images do. Those of folds trained some of the members, which agree
        more on them than on new ones: the gate then finds more datasets shifted, and its report says so.
    parent
        Version that the training started from.

    Raises
    ------
    IcefloeError
        If fewer than two members were kept, or an image cannot be used.
    """
    ensemble = assemble(
        [
            TrainedNetwork(
                MemberSpec.model_validate(receipt.spec),
                members.weights_path(receipt.name),
                receipt.fold,
                receipt.trained_on,
            )
            for receipt in members.receipts
            if receipt.name in kept
        ],
        bundle.validation,
        held_out=(),
        fold_of=bundle.split.fold_of,
        name=UNREGISTERED,
        preprocessing=Preprocessing.model_validate(members.preprocessing),
        classes=members.classes,
        views=members.views,
        provenance=Provenance(
            data_rev=bundle.version.rev, data_md5=bundle.version.md5, git_sha=code_revision(), parent=parent
        ),
    )
    seen = ensemble.manifest.trained_on
    benchmark = [sample for sample in bundle.unseen if sample.key not in seen] or bundle.validation
    if any(sample.key in seen for sample in benchmark):
        logger.warning(
            "No image is new to all members: the drift gate's benchmark is made of images that some of them "
            "were trained on. With split.test_fraction above 0, or unlabelled images, it is better."
        )
    return ensemble.with_benchmark(predicted_rows(ensemble.predict(benchmark)))
