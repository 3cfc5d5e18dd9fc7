"""Classify the chips of one image or many by a few examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from icefloe.errors import IcefloeError
from icefloe.fewshot.cache import Cache
from icefloe.fewshot.chip_edge import suggest_edge
from icefloe.fewshot.chips_csv import chips_csv
from icefloe.fewshot.classifier import Classifier
from icefloe.fewshot.embedding import embed
from icefloe.fewshot.embedding_spec import WayName
from icefloe.fewshot.encoder import Encoder
from icefloe.fewshot.figures import map_figure
from icefloe.fewshot.grid import Grid, constant_chips
from icefloe.fewshot.result import Classification
from icefloe.fewshot.rule import Rule
from icefloe.fewshot.series import Series, SeriesImage
from icefloe.fewshot.series_csv import series_csv
from icefloe.fewshot.session import Session
from icefloe.fewshot.source import Picture, read_picture
from icefloe.fewshot.support_files import chip_edge_of_folder, sets_from_folder, sets_from_table
from icefloe.files import write_bytes_atomic, write_text_atomic
from icefloe.names import same_to_some_systems
from icefloe.progress import SILENT, Progress, tracked
from icefloe.report.figures import png
from icefloe.settings import Settings
from icefloe.typing import FloatArray
from icefloe.validation import validated
from icefloe.workflow.fewshot_grid import grid_on

FRACTIONS_TABLE = "fractions.csv"


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


@dataclass(frozen=True)
class ClassifiedImages:
    """Images that were classified.

    Attributes
    ----------
    series
        Counts of each image, in order.
    last
        The last image's classification.
    table
        CSV file of the counts.
    """

    series: Series
    last: Classification
    table: Path


def classify_images(
    settings: Settings,
    images: Sequence[Path],
    supports: Path,
    output: Path,
    options: FewShotOptions | None = None,
    progress: Progress = SILENT,
) -> ClassifiedImages:
    """Classify the chips of one or more images by one support set.

    Into the output folder go a map, a chart and a table of chips for each image, the session of the image
    that the supports are of, and a table and a chart of fractions. A second run takes vectors from the
    workspace's cache.

    Parameters
    ----------
    settings
        Of the workspace, for weights and cache.
    images
        In the order of the series.
    supports
        A session (.json), whose image is one of `images` or lies beside it; or a table (.csv) or a folder of
        folders of chips, of the first of `images`.
    output
        Folder for what is written.
    options
        What was asked for.
    progress
        Told of images that are done.

    Raises
    ------
    IcefloeError
        If an image, the supports or the grid can't be used; the message names which.
    """
    options = options or FewShotOptions()
    _require_apart(images)
    begun = _begin(images, supports, options)
    session = begun.session
    encoder = Encoder(session.embedding.encoder, settings.weights_dir)
    cache = Cache(settings.state / "fewshot")

    def vectors(picture: Picture, grid: Grid) -> FloatArray:
        return embed(picture.image, grid, encoder, session.embedding, cache, progress)

    classifier = Classifier.fit(
        vectors(begun.picture, session.grid), session.sets, session.grid, session.rule
    )
    counted: list[SeriesImage] = []
    notes = dict.fromkeys((*begun.notes, *encoder.notes))
    for path in tracked(images, progress, "classifying images"):
        picture = begun.picture if path == begun.path else read_picture(path, options.frame)
        is_support_image = picture.reference.sha256 == session.image.sha256
        grid = session.grid if is_support_image else _grid_like(session.grid, picture)
        result = classifier.classify(
            vectors(picture, grid),
            grid,
            constant_chips(picture.image, grid),
            is_support_image=is_support_image,
        )
        _write(output / path.stem, picture, result)
        if is_support_image:
            session.with_result(result, encoder.sha256).save(output / f"{path.stem}.session.json")
        counted.append(SeriesImage.of(path.name, result))
        notes |= dict.fromkeys(picture.notes)
        notes |= dict.fromkeys(note if is_support_image else f"{path.name}: {note}" for note in result.notes)
    series = Series(images=tuple(counted), notes=tuple(notes))
    write_text_atomic(output / FRACTIONS_TABLE, series_csv(series))
    if len(images) > 1:
        write_bytes_atomic(output / "fractions.png", png(series.figure()))
    return ClassifiedImages(series, result, output / FRACTIONS_TABLE)


@dataclass(frozen=True)
class _Begun:
    """The image that the supports are of, and the session, not yet classified."""

    path: Path
    picture: Picture
    session: Session
    notes: tuple[str, ...] = ()


def _begin(images: Sequence[Path], supports: Path, options: FewShotOptions) -> _Begun:
    if supports.suffix.lower() == ".json":
        return _from_session(images, supports, options)
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
    return _Begun(images[0], picture, options.of(session), notes)


def _from_session(images: Sequence[Path], file: Path, options: FewShotOptions) -> _Begun:
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
    return _Begun(path, picture, options.of(session))


def _given(**choices: object) -> dict[str, object]:
    return {name: choice for name, choice in choices.items() if choice is not None}


def _grid_like(grid: Grid, picture: Picture) -> Grid:
    """The grid of the supports on an image that may have another size."""
    return grid_on(picture.reference, grid.edge, (grid.top, grid.left))


def _require_apart(images: Sequence[Path]) -> None:
    if not images:
        raise IcefloeError("No image to classify. Name one or more.")
    stems: dict[str, Path] = {}
    for image in images:
        other = stems.setdefault(same_to_some_systems(image.stem), image)
        if other is not image:
            raise IcefloeError(f"{image}: its results would overwrite those of {other}. Rename one.")


def _write(place: Path, picture: Picture, result: Classification) -> None:
    """Table, map and chart beside each other, by the image's name."""
    write_text_atomic(place.with_name(f"{place.name}_chips.csv"), chips_csv(result))
    write_bytes_atomic(
        place.with_name(f"{place.name}_map.png"), png(map_figure(result, picture.image), dpi=120)
    )
    write_bytes_atomic(place.with_name(f"{place.name}_chart.png"), png(result.figure()))
