"""What lies in a folder that someone wants to import: images, labels, and what is neither."""

import glob
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from icefloe.datasets.annotations.mask_file import LOSSY, SUFFIXES
from icefloe.datasets.annotations.reading import read_annotations
from icefloe.datasets.annotations.regions import Annotation
from icefloe.datasets.annotations.values import shown
from icefloe.datasets.dataset import natural_key
from icefloe.datasets.readers import is_readable_name
from icefloe.errors import IcefloeError
from icefloe.files import is_litter
from icefloe.names import name_problem, same_to_some_systems, twin_error

IMAGE_FOLDERS = ("image", "images", "img", "imgs")
LABEL_FOLDERS = (
    "annotation",
    "annotations",
    "ground_truth",
    "groundtruth",
    "gt",
    "label",
    "labels",
    "mask",
    "masks",
)
"""Names of folders, in upper or lower case."""

LABEL_WORD = re.compile(r"(?:^|[ _.-])(?:labels?|masks?)$", re.IGNORECASE)
KIND_WORD = re.compile(r"(?:^|[ _.-])(?:images?|img|labels?|masks?)(?=$|[ _.-])", re.IGNORECASE)
PERHAPS_LABEL = re.compile(
    r"^(?:labels?|masks?|seg(?:mentations?)?|gt|ground[ _-]?truth|annotations?)(?=[ _.-])"
    r"|(?<=[ _.-])(?:seg(?:mentations?)?|gt|ground[ _-]?truth|annotations?)$",
    re.IGNORECASE,
)
"""Words of labels that may also begin or end the name of an image, unless there is one without the word."""

PROSE = (".csv", ".doc", ".docx", ".htm", ".html", ".log", ".md", ".pdf", ".rtf", ".tsv", ".txt", ".xml")
"""Endings of files that are no mask, whatever they are called."""


@dataclass(frozen=True)
class LeftOut:
    """Files that an import does not take, and why.

    Attributes
    ----------
    reason
        In words that follow "not taken: ".
    names
        Paths of the files, relative to the imported folder.
    """

    reason: str
    names: tuple[str, ...]

    def sentence(self) -> str:
        """The reason, the count and the first few names."""
        return f"{len(self.names)} not taken ({self.reason}): {some(self.names)}"


@dataclass(frozen=True)
class Found:
    """Files found in a folder.

    Attributes
    ----------
    images
        By stem, accents composed, in natural order.
    masks
        Mask files by the stem of their image.
    annotations
        Label file and what it says, by the stem of the image; an image that nobody annotated is not among
        them.
    unlabelled
        Stems of images that stand in a label file without any label.
    left_out
        Files that were not taken, by reason.
    """

    images: Mapping[str, Path]
    masks: Mapping[str, Path]
    annotations: Mapping[str, tuple[Path, Annotation]]
    unlabelled: tuple[str, ...]
    left_out: tuple[LeftOut, ...]


def find(source: Path) -> Found:
    """List the folder `source`, and match labels with their images.

    Raises
    ------
    IcefloeError
        If there is no image, two images share a stem, a label is of no image or of several, an image has two
        labels, or a file is of labels that can't be read.
    """
    if source.is_file():
        raise IcefloeError(f"{source}: this is a file. Name the folder that holds the images.")
    if not source.is_dir():
        raise IcefloeError(f"{source}: no such folder. Name the folder that holds the images.")
    return _Search(source).result()


def same_name(name: str) -> str:
    """What two spellings of a name have in common: macOS decomposes accents, others compose them."""
    return unicodedata.normalize("NFC", name)


class _Search:
    def __init__(self, source: Path) -> None:
        self.source = source
        self.left_out: dict[str, list[Path]] = {}
        folders = [path for path in _entries(source) if path.is_dir()]
        self.image_folders = [path for path in folders if path.name.casefold() in IMAGE_FOLDERS] or [source]
        self.label_folders = [path for path in folders if path.name.casefold() in LABEL_FOLDERS]
        used = [*self.image_folders, *self.label_folders]
        inner = [path for folder in used if folder != source for path in _entries(folder) if path.is_dir()]
        for folder in [*folders, *inner]:
            if folder not in used and any(_entries(folder)):
                self._leave("folders that are not looked into", folder)
        for path in [entry for folder in dict.fromkeys([source, *used]) for entry in _entries(folder)]:
            if not path.exists():
                self._leave("links to what is not there", path)
        self.images = self._images()

    def result(self) -> Found:
        masks: dict[str, Path] = {}
        annotations: dict[str, tuple[Path, Annotation]] = {}
        unlabelled: set[str] = set()
        for path in self._other_files():
            in_labels = path.parent in self.label_folders
            if path.suffix.lower() in (".json", ".geojson"):
                self._take_annotations(path, annotations, unlabelled)
            elif self._is_mask(path, in_labels):
                stem = self._image_of(path)
                if stem in masks:
                    raise IcefloeError(
                        f"{path}: {masks[stem].name} labels the same image. Remove one of them."
                    )
                masks[stem] = path
            elif is_readable_name(path) and not in_labels:
                self._leave("images beside the folder of images", path)
            else:
                self._leave(f"{path.suffix or 'without ending'}, which is not read", path)
        return Found(
            self.images,
            masks,
            annotations,
            tuple(sorted(unlabelled - masks.keys() - annotations.keys(), key=natural_key)),
            tuple(
                LeftOut(reason, tuple(path.relative_to(self.source).as_posix() for path in paths))
                for reason, paths in self.left_out.items()
            ),
        )

    def _images(self) -> dict[str, Path]:
        readable = [
            path
            for path in _files(self.image_folders)
            if is_readable_name(path) and not LABEL_WORD.search(path.stem) and not _is_index_of_series(path)
        ]
        plain = {_bare(path.stem) for path in readable if not PERHAPS_LABEL.search(path.stem)}
        images: dict[str, Path] = {}
        for path in readable:
            if PERHAPS_LABEL.search(path.stem) and _bare(path.stem) in plain:
                continue
            if problem := name_problem(path.stem):
                raise IcefloeError(f"{ascii(str(path))[1:-1]}: {problem}. Rename it.")
            twin = images.setdefault(same_to_some_systems(path.stem), path)
            if twin.stem != path.stem:
                raise twin_error(path, twin.name)
            if twin != path:
                raise IcefloeError(f"{path}: {twin.name} has the same stem. Rename or remove one of them.")
        if not images:
            raise IcefloeError(
                f"{self.image_folders[0]}: no image that Icefloe reads, the dataset would be empty. "
                "Name another."
            )
        stems = {same_name(path.stem): path for path in images.values()}
        return dict(sorted(stems.items(), key=lambda item: natural_key(item[0])))

    def _other_files(self) -> Iterator[Path]:
        taken = set(self.images.values())
        folders = dict.fromkeys([self.source, *self.image_folders, *self.label_folders])
        for path in _files(folders):
            if path not in taken and not _is_index_of_series(path):
                yield path

    def _is_mask(self, path: Path, in_labels: bool) -> bool:
        is_named = in_labels or LABEL_WORD.search(path.stem) is not None
        is_of_image = len(self._matching(path.stem)) == 1
        if path.suffix.lower() in (*SUFFIXES, *LOSSY):
            return is_named or (PERHAPS_LABEL.search(path.stem) is not None and is_of_image)
        # Whatever is named as an image's mask is meant as one, and refused when it is read.
        return is_named and path.suffix.lower() not in PROSE and is_of_image

    def _image_of(self, label: Path) -> str:
        matching = self._matching(label.stem)
        if len(matching) != 1:
            reason = "no image" if not matching else f"{len(matching)} images ({', '.join(matching)})"
            raise IcefloeError(f"{label}: {reason} to go with this label. Name it as its image is named.")
        return matching[0]

    def _matching(self, stem: str) -> list[str]:
        stem = same_name(stem)
        for name in (stem, LABEL_WORD.sub("", stem)):
            if name in self.images:
                return [name]
        return [image for image in self.images if _bare(image) == _bare(stem)]

    def _take_annotations(
        self, path: Path, found: dict[str, tuple[Path, Annotation]], unlabelled: set[str]
    ) -> None:
        annotations = read_annotations(path)
        if annotations is None:
            self._leave("JSON of something other than labels", path)
            return
        names: dict[str, str] = {}
        for stem, annotation in self._by_image(path, annotations):
            if stem in names:
                raise IcefloeError(
                    f"{path}: '{shown(names[stem])}' and '{shown(annotation.file_name)}' are both "
                    f"{self.images[stem].name}. Remove one of them."
                )
            names[stem] = annotation.file_name
            if not annotation.regions:
                unlabelled.add(stem)
                continue
            other, _ = found.setdefault(stem, (path, annotation))
            if other != path:
                raise IcefloeError(f"{path}: {other.name} has polygons of {stem!r} too. Remove one of them.")
        if not names:
            self._leave("labels of no image that is here", path)

    def _by_image(self, path: Path, annotations: list[Annotation]) -> Iterator[tuple[str, Annotation]]:
        own = self._matching(path.stem)
        if len(annotations) == 1 and len(own) == 1:
            yield own[0], annotations[0]
            return
        for annotation in annotations:
            stem = same_name(stem_of(annotation.file_name))
            if stem in self.images:
                yield stem, annotation
            elif annotation.regions:
                raise IcefloeError(
                    f"{path}: polygons for '{shown(annotation.file_name)}', which is not here. "
                    "Add it or remove them."
                )

    def _leave(self, reason: str, path: Path) -> None:
        self.left_out.setdefault(reason, []).append(path)


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def stem_of(file_name: str) -> str:
    """The stem in a name that some tool wrote, perhaps with folders and either slash."""
    return PurePosixPath(file_name.replace("\\", "/")).stem


def _entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not is_litter(path.name))


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from (path for path in _entries(folder) if path.is_file())


def _is_index_of_series(path: Path) -> bool:
    # TIA writes run.emi beside run_1.ser, run_2.ser; both would read as the same images.
    return path.suffix.lower() == ".emi" and any(path.parent.glob(f"{glob.escape(path.stem)}_*.ser"))


def _bare(stem: str) -> str:
    """`image_7` and `label_7` without the word that tells them apart."""
    return PERHAPS_LABEL.sub("", KIND_WORD.sub("", same_name(stem))).strip(" _.-").lower()
