"""Configuration of training: from scratch, and the differences of retraining."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from icefloe.errors import IcefloeError
from icefloe.imaging.augment import Augmentation
from icefloe.imaging.preprocess import Preprocessing
from icefloe.models.spec import ENCODERS, MemberSpec, require_unique_names
from icefloe.typing import Views


class RetrainingConfig(BaseModel):
    """Settings for members that start from the previous version's weights; no weights are frozen.

    A member that the version lacks trains from scratch, as long as in a first version.

    Attributes
    ----------
    epochs, patience, learning_rate
        Values in a retraining, as in `TrainingConfig`.
    new_data_weight
        Factor by which a newly labelled image is drawn more often than an old one. A few new labels among
        many old ones would hardly count in a short retraining. It holds for every member of the new version.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(15, ge=1)
    patience: int = Field(6, ge=1)
    learning_rate: float = Field(5e-4, gt=0)
    new_data_weight: float = Field(4.0, gt=0)


class TrainingConfig(BaseModel):
    """Settings of the training of every candidate.

    Attributes
    ----------
    members
        The candidates. Distinct encoders make an EA, one encoder with several seeds an ER.
    preprocessing, augmentation
        Steps from image to network input, and their random variation.
    views
        Number of flips and transpositions of an image over which logits are averaged in every prediction of
        the ensemble, and where a finished member is judged: 1, 4 (flips) or 8. Prediction takes as many times
        as long; epochs are validated without.
    epochs
        At most so many; the learning rate falls along a cosine over all of them.
    patience
        Epochs without a lower validation loss after which training stops; in a retraining the mean of that
        loss and the one on the newly labelled images counts. Not used with `averaging`.
    averaging
        Mean age, as a share of all steps, of the weights in an exponential moving average that is kept
        instead of the weights themselves (0.5: all steps alike); see `icefloe.training.averaging`. The
        average at the last epoch is a member's: validation picks no epoch and stops nothing, so the scores on
        it are those of unseen images. Empty: the weights of the lowest validation loss are kept.
    batch_size
        Images in a training step.
    draws_per_epoch
        Images drawn in an epoch; empty: as many as there are to train on, or as many crops as cover them.
    simulated_share
        Share of every batch that is simulated micrographs, with class 1 on what they show: ice, particles,
        atomic columns, of every contrast, noise and focus (`icefloe.simulate.wide`). They teach what the
        edge of an object is, so that the images of one experiment cannot teach its place and shape alone.
        For data of two classes.
    learning_rate, weight_decay
        Peak learning rate and weight decay of AdamW.
    encoder_learning_rate
        Factor on the learning rate of an encoder whose spec names pre-trained weights, in a retraining, too:
        its general filters need to move less than a new decoder (discriminative fine-tuning, Howard & Ruder
        2018). Encoders that began at random are not slowed.
    warmup_epochs
        Epochs over which the learning rate rises linearly from zero.
    precision
        `auto` computes in bfloat16 where the processor does (Tensor cores, AMX, AVX512-BF16) and in float32
        elsewhere, where emulated bfloat16 took 13 times as long.
    seed
        Seed of the order of images and of their augmentation. First weights have each member's own seed.
    members_per_gpu
        Members trained on one GPU at a time; empty: as many as its memory has room for, by a step of each.
    freeze_encoder
        Leave the encoders' pre-trained weights as they are and train the decoders alone; a retraining trains
        both.
    freeze_statistics
        Leave the batch statistics of pre-trained encoders as they are, in a retraining, too, while their
        weights learn: those of a few images in small batches describe these images and no others. Encoders
        that began at random are not affected.
    retraining
        Options that differ when training starts from a previous version.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    members: tuple[MemberSpec, ...] = Field(min_length=1)
    preprocessing: Preprocessing = Preprocessing()
    augmentation: Augmentation = Augmentation()
    views: Views = 1
    epochs: int = Field(60, ge=1)
    patience: int = Field(15, ge=1)
    batch_size: int = Field(8, ge=2)
    draws_per_epoch: int | None = Field(None, ge=1)
    averaging: float | None = Field(None, gt=0, le=0.5)
    simulated_share: float = Field(0.0, ge=0, lt=1)
    learning_rate: float = Field(1e-3, gt=0)
    encoder_learning_rate: float = Field(1.0, gt=0, le=1)
    weight_decay: float = Field(1e-4, ge=0)
    warmup_epochs: float = Field(1.0, ge=0)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    seed: int = Field(0, ge=0)
    members_per_gpu: int | None = Field(None, ge=1)
    freeze_encoder: bool = False
    freeze_statistics: bool = False
    retraining: RetrainingConfig = RetrainingConfig()

    @model_validator(mode="after")
    def _members_differ(self) -> "TrainingConfig":
        require_unique_names(self.members)
        random = next((spec for spec in self.members if spec.weights == "none"), None)
        if self.freeze_encoder and random is not None:
            raise IcefloeError(
                f"{random.name}: freeze_encoder keeps random weights. "
                "Choose pre-trained weights, or do not freeze."
            )
        return self

    @model_validator(mode="after")
    def _tiles_are_seen_alike(self) -> "TrainingConfig":
        if self.preprocessing.view == "tiles":
            for spec in self.members:
                if not spec.is_local:
                    local = ", ".join(name for name, encoder in ENCODERS.items() if encoder.is_local)
                    raise IcefloeError(
                        f"{spec.name}: takes means over its whole input, so a map would depend on how the "
                        f"image was cut into tiles. Choose one of {local}, with a U-Net."
                    )
        return self

    @property
    def simulated_per_batch(self) -> int:
        """Number of simulated images in a batch, beside at least one real."""
        return min(round(self.simulated_share * self.batch_size), self.batch_size - 1)

    def check_several_members(self) -> None:
        """Refuse, before any training, a configuration that no ensemble can come of.

        Raises
        ------
        IcefloeError
            If it has a single member.
        """
        if len(self.members) < 2:
            raise IcefloeError(
                f"An ensemble needs at least two members, but only {self.members[0].name} would be trained. "
                "Add another encoder to `members`, or the same one with another seed."
            )

    def for_retraining(self) -> "TrainingConfig":
        """This configuration with the settings of `retraining`."""
        return self.model_copy(
            update={
                "epochs": self.retraining.epochs,
                "patience": self.retraining.patience,
                "learning_rate": self.retraining.learning_rate,
                "freeze_encoder": False,
            }
        )
