"""Records of a member's training: one per epoch, and a receipt at the end."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from icefloe.scoring.baselines import BaselineScore


@dataclass(frozen=True)
class EpochRecord:
    """One epoch of one member.

    Attributes
    ----------
    epoch
        Number of the epoch, from 1.
    train_loss, val_loss
        Cross entropy plus 1 - Dice, on the augmented training and the plain validation images.
    new_loss
        The same on the plain newly labelled training images; None if there are none.
    val_pca, val_iou, val_dice
        Scores on the validation masks at threshold 0.5 (the most probable class when there are more than
        two).
    lr
        Learning rate of the last step.
    seconds
        Wall time of the epoch, in s.
    """

    epoch: int
    train_loss: float
    val_loss: float
    val_pca: float
    val_iou: float
    val_dice: float
    lr: float
    seconds: float
    new_loss: float | None = None

    @property
    def stopping_loss(self) -> float:
        """The loss whose minimum picks the epoch: on the validation images and the newly labelled, half each.

        A few new labels all train, so validation knows nothing of their dataset: by its loss alone the best
        epoch of a retraining would be the one that has learned least from them.
        """
        return self.val_loss if self.new_loss is None else (self.val_loss + self.new_loss) / 2

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "EpochRecord":
        """The record that `to_dict` described."""
        return cls(**content)

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class MemberReceipt:
    """A candidate's spec, training and scores, of its best epoch.

    Attributes
    ----------
    name
        The spec's name; its weights are in `<name>.safetensors`.
    spec
        `MemberSpec` in plain types.
    val_pca, val_iou, val_dice, val_brier, val_ece, val_loss
        Scores on the validation images, on the model's grid.
    best_epoch, epochs
        The epoch whose weights were kept, and how many were run.
    seconds
        Wall time of all epochs, interruptions left out.
    n_parameters
        Number of trainable parameters.
    started_from
        Name of the previous version's directory, or none when training began from the spec's own weights.
    pretrained_sha256
        SHA-256 of the file of pre-trained weights that the member began with, if any.
    val_iou_labelled
        IoU over the classes that the validation masks show, to be compared with the baselines'; None in a
        file of an earlier version.
    baselines
        Trivial baseline -> its scores on the same images and grid; empty in a file of an earlier version.
    first_weights
        What the encoder began with, in words: its weights' card.
    init_sha256, weights_sha256
        SHA-256 of the first and the kept weights, as safetensors bytes: what `sha256sum` says of a member's
        file.
    device, precision, threads
        Device, number format and CPU threads; the same three give the same weights again.
    fold
        The fold that it was validated on, and not trained on; None: the split has no folds.
    trained_on
        Keys of the images that moved its weights, in this training or in one that it started from; None: not
        known, in a file of an earlier version.
    """

    name: str
    spec: dict[str, Any]
    val_pca: float
    val_iou: float
    val_dice: float
    val_brier: float
    val_ece: float
    val_loss: float
    best_epoch: int
    epochs: int
    seconds: float
    n_parameters: int
    started_from: str | None
    init_sha256: str
    weights_sha256: str
    device: str
    precision: str
    threads: int
    pretrained_sha256: str | None = None
    first_weights: str | None = None
    fold: int | None = None
    trained_on: tuple[str, ...] | None = None
    val_iou_labelled: float | None = None
    baselines: dict[str, BaselineScore] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "MemberReceipt":
        """The receipt that `to_dict` described."""
        known = {entry.name: content[entry.name] for entry in fields(cls) if entry.name in content}
        baselines = {name: BaselineScore(**score) for name, score in known.get("baselines", {}).items()}
        keys = known.get("trained_on")
        return cls(**known | {"baselines": baselines, "trained_on": None if keys is None else tuple(keys)})

    def to_dict(self) -> dict[str, Any]:
        """Plain types, for JSON and YAML."""
        keys = None if self.trained_on is None else list(self.trained_on)
        return asdict(self) | {"trained_on": keys}
