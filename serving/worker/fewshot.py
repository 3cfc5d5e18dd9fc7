"""Jobs of few-shot sessions: images looked at, chips embedded and classified, files drawn, series."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from icefloe.datasets.dataset import Dataset, Sample
from icefloe.errors import IcefloeError
from icefloe.fewshot.chip_edge import suggest_edge
from icefloe.fewshot.classifier import Classifier
from icefloe.fewshot.embedding_spec import EmbeddingSpec
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.model import FewShotModel
from icefloe.fewshot.series import SeriesImage
from icefloe.fewshot.session import Session
from icefloe.fewshot.source import read_picture
from icefloe.files import write_bytes_atomic, write_text_atomic
from icefloe.progress import tracked
from serving.fewshot import (
    SESSION,
    Advice,
    PictureAbout,
    SeriesNotes,
    SessionFiles,
    advice_file,
    image_file,
    picture_file,
    read_series,
    read_session,
    read_wanted_series,
    series_figure_file,
    wanted_file,
    write_state,
)
from serving.prepared import arriving, find_dataset, find_sample, uploads_of
from serving.worker.context import Arguments, Context
from serving.worker.fewshot_files import drawn, written
from serving.worker.fewshot_vectors import Chips, session_image
from serving.worker.uploads import unpack_picture as unpack_file

Found = TypeVar("Found")

STATES_KEPT = 8
"""Of a session, the last used: whoever takes a change back has the result at once."""


def picture(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Look at an image that a session is to be of."""
    sample = _sample(context, arguments)
    path = picture_file(context.settings, sample)
    if not path.is_file():
        found = read_picture(sample.image_path)
        write_text_atomic(path, PictureAbout(reference=found.reference, notes=found.notes).model_dump_json())
    return {}


def unpack_picture(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Make a dataset of one image of a file that somebody has sent."""
    person, upload = arguments["person"], arguments["upload"]
    folder = uploads_of(context.settings, person) / upload
    file = arriving(context.settings, person, upload) / arguments["name"]
    if not folder.is_dir():
        unpack_file(file, folder, arguments["frame"])
    return {"dataset": upload}


def chip_edge(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Suggest a chip edge for an image."""
    sample = _sample(context, arguments)
    path = advice_file(context.settings, sample)
    if not path.is_file():
        image = sample.image()
        found = suggest_edge(image)
        low, high = Grid.permitted(*image.shape)
        advice = Advice(**dict(found), low=low, high=high, sentence=found.sentence())
        write_text_atomic(path, advice.model_dump_json())
    return {}


def embed(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Make the vectors of a session's chips, while supports are chosen."""
    grid = Grid.model_validate(arguments["grid"])
    spec = EmbeddingSpec.model_validate(arguments["embedding"])
    sample = _sample(context, arguments)
    context.vectors.of_session(sample, arguments["sha256"], grid, spec, context.progress)
    return {"n_chips": grid.n_chips}


def classify(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Give every chip of a session's image its class."""
    folder = _folder(context, arguments)
    if not folder.is_dir():
        session = _wanted(read_session(wanted_file(folder)))
        chips, classifier = _fitted(context, _sample(context, arguments), session)
        result = classifier.classify(chips.vectors, session.grid, chips.constant, is_support_image=True)
        write_state(folder, session.with_result(result, chips.encoder_sha256), result, chips.notes)
        _remove_older(folder)
    return {}


def export(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Write a file of a classified session."""
    path = _folder(context, arguments) / arguments["name"]
    if not path.is_file():
        session = _wanted(read_session(path.with_name(SESSION)))
        assert session.result is not None
        sample = _sample(context, arguments)
        image = session_image(sample, session.image.sha256)
        content = written(arguments["name"], session.result, image, sample.pixel_size_nm)
        write_bytes_atomic(path, content)
    return {}


def series(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Classify images of a dataset by a session's supports; what was done before is not done again."""
    folder, session, _, samples = _series(context, arguments)
    name, stem = arguments["supports"]
    supports = find_sample(context.settings, name, stem, arguments["person"])
    model: FewShotModel | None = None
    for sample in tracked(samples, context.progress, "classifying images"):
        path = image_file(context.settings, folder, sample)
        if not path.is_file():
            model = model or _model(context, supports, session)
            write_text_atomic(path, _classified(model, sample).model_dump_json())
    return {"n_images": len(samples)}


def figure(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Draw the fractions of a series."""
    folder, _, dataset, samples = _series(context, arguments)
    found = read_series(context.settings, folder, dataset, samples)
    if found is None:
        raise IcefloeError("No image of the series is classified any more. Ask for it again.")
    path = folder / series_figure_file(found, arguments["format"])
    if not path.is_file():
        write_bytes_atomic(path, drawn(found.figure(), arguments["format"]))
    return {}


def _sample(context: Context, arguments: Arguments) -> Sample:
    return find_sample(context.settings, arguments["dataset"], arguments["stem"], arguments.get("person"))


def _folder(context: Context, arguments: Arguments) -> Path:
    return SessionFiles(context.settings, arguments["session"]).state(arguments["key"])


def _remove_older(folder: Path) -> None:
    """Remove states of a session that nobody has asked for of late."""
    states = (state for state in folder.parent.iterdir() if state.is_dir())
    used = sorted(states, key=lambda state: state.stat().st_mtime, reverse=True)
    for state in used[STATES_KEPT:]:
        shutil.rmtree(state, ignore_errors=True)
        wanted_file(state).unlink(missing_ok=True)


def _wanted(found: Found | None) -> Found:
    if found is None:
        raise IcefloeError("The session was changed or deleted since. Ask again.")
    return found


def _fitted(context: Context, sample: Sample, session: Session) -> tuple[Chips, Classifier]:
    chips = context.vectors.of_session(
        sample, session.image.sha256, session.grid, session.embedding, context.progress
    )
    return chips, Classifier.fit(chips.vectors, session.sets, session.grid, session.rule)


def _series(context: Context, arguments: Arguments) -> tuple[Path, Session, Dataset, list[Sample]]:
    folder = SessionFiles(context.settings, arguments["session"]).series(arguments["key"])
    dataset = find_dataset(context.settings, arguments["dataset"], arguments["person"])
    wanted = _wanted(read_wanted_series(wanted_file(folder)))
    return folder, wanted.session, dataset, wanted.samples(dataset)


def _model(context: Context, supports: Sample, session: Session) -> FewShotModel:
    _, classifier = _fitted(context, supports, session)
    encoder = context.vectors.encoder(session.embedding.encoder)
    return FewShotModel(session, classifier, encoder, context.vectors.cache)


def _classified(model: FewShotModel, sample: Sample) -> SeriesNotes:
    found = read_picture(sample.image_path)
    result = model.classify(found)
    notes = (*found.notes, *model.encoder.notes, *(f"{sample.stem}: {note}" for note in result.notes))
    return SeriesNotes(image=SeriesImage.of(sample.stem, result), notes=notes)
