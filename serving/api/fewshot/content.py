"""What the API shows of few-shot sessions."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from icefloe.errors import IcefloeError
from icefloe.fewshot.embedding_spec import EmbeddingSpec, EncoderSpec, WayName
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.kept import KeptSession
from icefloe.fewshot.rule import Rule
from icefloe.fewshot.sets import MOST_SETS, SupportSet, SupportSets
from icefloe.models.cards import SIMULATED
from icefloe.models.spec import ENCODERS
from icefloe.names import composed
from serving.jobs.job import Job
from serving.parameters import LARGEST_ID

Name = Annotated[str, Field(min_length=1, max_length=255)]


class ImageOf(BaseModel):
    """An image that a session is of; `notes` say what should be known of its file."""

    model_config = ConfigDict(frozen=True)

    dataset: str
    stem: str
    height: int
    width: int
    notes: tuple[str, ...]


class GridOf(BaseModel):
    """Chips of `edge` px from (`top`, `left`) on, along the rows."""

    model_config = ConfigDict(frozen=True)

    edge: int
    top: int
    left: int
    rows: int
    columns: int
    n_chips: int

    @classmethod
    def of(cls, grid: Grid) -> "GridOf":
        """The form in which the API shows a grid."""
        return cls(
            edge=grid.edge,
            top=grid.top,
            left=grid.left,
            rows=grid.rows,
            columns=grid.columns,
            n_chips=grid.n_chips,
        )


class Choices(BaseModel):
    """How chips become vectors (see docs/fewshot.md), and the highest risk with which a chip has a class."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoder: Annotated[str, Field(max_length=100)]
    weights: Annotated[str, Field(max_length=100)]
    way: WayName
    surroundings: bool
    max_risk: Annotated[float, Field(ge=0, le=1)]

    @classmethod
    def of(cls, embedding: EmbeddingSpec, rule: Rule) -> "Choices":
        """The form in which the API shows them."""
        return cls(
            encoder=embedding.encoder.encoder,
            weights=embedding.encoder.weights,
            way=embedding.way,
            surroundings=embedding.surroundings,
            max_risk=rule.max_risk,
        )

    def embedding(self) -> EmbeddingSpec:
        """The way to vectors.

        Raises
        ------
        IcefloeError
            If there is no such encoder, or none with such weights.
        """
        encoder = checked_encoder(EncoderSpec(encoder=self.encoder, weights=self.weights))
        return EmbeddingSpec(encoder=encoder, way=self.way, surroundings=self.surroundings)


class Embedding(BaseModel):
    """How far the chips' vectors are: `done` of `total` of what `detail` names; or the problem."""

    model_config = ConfigDict(frozen=True)

    state: Literal["none", "waiting", "running", "done", "failed"]
    job: int | None = None
    done: int = 0
    total: int = 0
    detail: str = ""

    @classmethod
    def of(cls, job: Job | None) -> "Embedding":
        """How far the job that makes them is."""
        if job is None or job.state == "cancelled":
            return cls(state="none")
        return cls(
            state=job.state,
            job=job.id,
            done=job.done,
            total=job.total or 0,
            detail=job.problem or job.what,
        )


class Session(BaseModel):
    """A few-shot session; its ETag is `revision`."""

    model_config = ConfigDict(frozen=True)

    id: int
    name: str
    revision: int
    image: ImageOf
    grid: GridOf | None
    sets: tuple[SupportSet, ...]
    choices: Choices
    embedding: Embedding
    is_classified: bool

    @classmethod
    def of(cls, kept: KeptSession, embedding: Job | None, *, is_classified: bool) -> "Session":
        """The form in which the API shows a session."""
        work = kept.work
        return cls(
            id=kept.id,
            name=work.name,
            revision=kept.revision,
            image=ImageOf(
                dataset=kept.dataset,
                stem=kept.stem,
                height=work.image.height,
                width=work.image.width,
                notes=work.notes,
            ),
            grid=None if work.grid is None else GridOf.of(work.grid),
            sets=work.sets.sets,
            choices=Choices.of(work.embedding, work.rule),
            embedding=Embedding.of(embedding),
            is_classified=is_classified,
        )


class SessionLine(BaseModel):
    """A session in a list; `image` is its key, `changed` in s since the epoch."""

    model_config = ConfigDict(frozen=True)

    id: int
    name: str
    image: str
    n_chips: int
    n_sets: int
    is_classified: bool
    changed: float

    @classmethod
    def of(cls, kept: KeptSession, *, is_classified: bool) -> "SessionLine":
        """The form in which a list shows a session."""
        work = kept.work
        return cls(
            id=kept.id,
            name=work.name,
            image=f"{kept.dataset}/{kept.stem}",
            n_chips=work.grid.n_chips if work.grid is not None else 0,
            n_sets=len(work.sets.sets),
            is_classified=is_classified,
            changed=kept.changed,
        )


class OneSet(BaseModel):
    """A support set; `style` is the number of its colour and pattern."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=1000)]
    chips: Annotated[list[int], Field(max_length=50_000)] = []
    style: Annotated[int, Field(ge=0, le=LARGEST_ID)]


class Sets(BaseModel):
    """All support sets of a session, in their order."""

    model_config = ConfigDict(extra="forbid")

    sets: Annotated[list[OneSet], Field(max_length=MOST_SETS)]

    def support_sets(self) -> SupportSets:
        """The sets, as the library has them.

        Raises
        ------
        IcefloeError
            If a name is blank, too long or twice, or a chip is in two sets; the message names it.
        """
        return SupportSets(
            sets=tuple(
                SupportSet(name=composed(one.name).strip(), chips=tuple(sorted(one.chips)), style=one.style)
                for one in self.sets
            )
        )


def checked_encoder(spec: EncoderSpec) -> EncoderSpec:
    """An encoder by its name and that of its weights; a request must not name files of the server's.

    Raises
    ------
    IcefloeError
        If there is none of that name, or none with such weights.
    """
    if spec.encoder not in ENCODERS:
        raise IcefloeError(f"{spec.encoder}: no such encoder. There are {', '.join(ENCODERS)}.")
    known = ("none", *SIMULATED, *ENCODERS[spec.encoder].pretrained)
    if spec.weights not in known:
        raise IcefloeError(f"{spec.weights}: no such weights of {spec.encoder}. Use {', '.join(known)}.")
    return spec
