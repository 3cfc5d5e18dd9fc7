"""The image that supports are of, the session to begin with, and the model that comes of it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from icefloe.errors import IcefloeError
from icefloe.fewshot.cache import Cache
from icefloe.fewshot.chip_edge import suggest_edge
from icefloe.fewshot.embedding_spec import WayName
from icefloe.fewshot.encoder import Encoder
from icefloe.fewshot.model import FewShotModel
from icefloe.fewshot.rule import Rule
from icefloe.fewshot.session import Session
from icefloe.fewshot.source import Picture, read_picture
from icefloe.fewshot.support_files import chip_edge_of_folder, sets_from_folder, sets_from_table
from icefloe.names import same_to_some_systems
from icefloe.progress import SILENT, Progress
from icefloe.settings import Settings
from icefloe.validation import validated
from icefloe.workflow.fewshot_grid import grid_on

SOURCE = "few-shot"
"""Way that labels come in which few-shot classification made."""


@dataclass(frozen=True)
class FewShotOptions:
    """What was asked for; None: as the session has it, or else the default.

    Attributes
    ----------
    edge
        Chip edge in px.
    offset
        Top and left of the first chip, in px.
    encoder, weights, way, surroundings
        As of `EncoderSpec` and `EmbeddingSpec`.
    max_risk
        As of `Rule`.
    frame
        Which frame of a stack, from 0.
    """

    edge: int | None = None
    offset: tuple[int, int] | None = None
    encoder: str | None = None
    weights: str | None = None
    way: WayName | None = None
    surroundings: bool | None = None
    max_risk: float | None = None
    frame: int | None = None

    def of(self, session: Session) -> Session:
        """The session with what was asked for instead of its own choices.

        Raises
        ------
        IcefloeError
            If the risk is not within 0 to 1.
        """
        spec, rule = session.embedding, session.rule
        encoder = spec.encoder.model_copy(update=_given(encoder=self.encoder, weights=self.weights))
        embedding = spec.model_copy(
            update={"encoder": encoder, **_given(way=self.way, surroundings=self.surroundings)}
        )
        chosen = {**rule.model_dump(), **_given(max_risk=self.max_risk)}
        return session.with_embedding(embedding).with_rule(
            validated(Rule, chosen, "The rule", "Give a number from 0 to 1.")
        )


DEFAULTS = FewShotOptions()


@dataclass(frozen=True)
class Begun:
    """What a classification begins with.

    Attributes
    ----------
    path, picture
        The image that the supports are of.
    session
        Its session, not yet classified.
    notes
        What should be known of the supports.
    """

    path: Path
    picture: Picture
    session: Session
    notes: tuple[str, ...] = ()


def begin(images: Sequence[Path], supports: Path, options: FewShotOptions) -> Begun:
    """Of a session, or of the first image and supports from a table or folder; see `classify_images`."""
    if supports.suffix.lower() == ".json":
        return begin_session(supports, images, options)
    picture = read_picture(images[0], options.frame)
    edge = options.edge
    if edge is None:
        is_folder = supports.is_dir()
        edge = chip_edge_of_folder(supports) if is_folder else suggest_edge(picture.image).edge
    grid = grid_on(picture.reference, edge, options.offset or (0, 0))
    notes: tuple[str, ...] = ()
    if supports.is_dir():
        sets, notes = sets_from_folder(supports, picture.image, grid)
    else:
        sets = sets_from_table(supports, grid)
    session = Session(image=picture.reference, grid=grid, sets=sets)
    return Begun(images[0], picture, options.of(session), notes)


def begin_session(file: Path, images: Sequence[Path], options: FewShotOptions = DEFAULTS) -> Begun:
    """Of a session whose image is one of `images` or lies beside it.

    Raises
    ------
    IcefloeError
        If the file is no session, its image is not there or has other pixels, or another grid is asked for.
    """
    session = Session.load(file)
    if options.edge is not None or options.offset is not None:
        raise IcefloeError(
            f"{file}: its supports are chips of its own grid, of {session.grid.edge} px. "
            "Leave --edge and --offset out, or choose supports on a new grid."
        )
    path = next(
        (image for image in images if image.name == session.image.name), file.parent / session.image.name
    )
    if not path.is_file():
        raise IcefloeError(
            f"{file}: its supports are of {session.image.name}, which is neither beside it nor among "
            "the images. Put it there."
        )
    picture = read_picture(path, session.image.frame)
    if picture.reference.sha256 != session.image.sha256:
        raise IcefloeError(
            f"{path}: not the image that {file.name} was made with; its pixels differ. "
            "Put that image beside the session."
        )
    return Begun(path, picture, options.of(session))


def fitted(settings: Settings, begun: Begun, progress: Progress = SILENT) -> FewShotModel:
    """The model of a session, not yet classified; vectors come from the workspace's cache, or a pod's.

    Raises
    ------
    IcefloeError
        If there is no such encoder, or fewer than two sets have chips.
    """
    session = begun.session
    encoder = Encoder(session.embedding.encoder, settings.weights_dir)
    state = settings.state if settings.folder else Path(tempfile.gettempdir())
    cache = Cache(state / "fewshot")
    return FewShotModel.fit(session, begun.picture.image, encoder, cache, progress)


def require_apart(images: Sequence[Path]) -> None:
    """Refuse images whose results would have the same names.

    Raises
    ------
    IcefloeError
        If two have one stem, or there is none.
    """
    if not images:
        raise IcefloeError("No image to classify. Name one or more.")
    stems: dict[str, Path] = {}
    for image in images:
        other = stems.setdefault(same_to_some_systems(image.stem), image)
        if other is not image:
            raise IcefloeError(f"{image}: its results would overwrite those of {other}. Rename one.")


def _given(**choices: object) -> dict[str, object]:
    return {name: choice for name, choice in choices.items() if choice is not None}
