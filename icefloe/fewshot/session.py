"""A session: image, grid, support sets, choices and result, in one JSON file."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, model_validator

from icefloe.errors import IcefloeError
from icefloe.fewshot.embedding_spec import EmbeddingSpec
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.result import Classification
from icefloe.fewshot.rule import Rule
from icefloe.fewshot.sets import SupportSets
from icefloe.fewshot.source import ImageReference
from icefloe.files import write_text_atomic
from icefloe.validation import validated

VERSION = 1


class Session(BaseModel):
    """All that makes a classification, and the classification; every change gives a new session.

    Attributes
    ----------
    version
        Of the file's format.
    image
        The image.
    grid
        Its chips.
    sets
        Support sets of these chips.
    embedding
        How chips become vectors.
    encoder_sha256
        Hash of the encoder that the result was made with; empty without a result.
    rule
        When a chip is unsure, and the level of intervals.
    result
        None until classified, and after any change.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = VERSION
    image: ImageReference
    grid: Grid
    sets: SupportSets = SupportSets()
    embedding: EmbeddingSpec = EmbeddingSpec()
    encoder_sha256: str = ""
    rule: Rule = Rule()
    result: Classification | None = None

    @model_validator(mode="after")
    def _parts_fit(self) -> "Session":
        if self.version != VERSION:
            raise IcefloeError(
                f"A session of version {self.version}, not {VERSION}. Use the Icefloe that wrote it."
            )
        if (self.grid.height, self.grid.width) != (self.image.height, self.image.width):
            raise IcefloeError("The grid is of an image of another size. Make a grid for this image.")
        self.sets.require_on(self.grid)
        if self.result is not None and self.result.grid != self.grid:
            raise IcefloeError("The result is of another grid. Classify again.")
        return self

    def with_grid(self, grid: Grid) -> "Session":
        """With another grid: the sets stay, their chips are released."""
        return self._changed(grid=grid, sets=self.sets.emptied())

    def with_sets(self, sets: SupportSets) -> "Session":
        """With other support sets.

        Raises
        ------
        IcefloeError
            If a chip is outside the grid.
        """
        return self._changed(sets=sets)

    def with_embedding(self, embedding: EmbeddingSpec) -> "Session":
        """With another way to vectors."""
        return self._changed(embedding=embedding)

    def with_rule(self, rule: Rule) -> "Session":
        """With another rule."""
        return self._changed(rule=rule)

    def with_result(self, result: Classification, encoder_sha256: str) -> "Session":
        """Classified."""
        return self._changed(result=result, encoder_sha256=encoder_sha256)

    def save(self, path: Path) -> None:
        """Write the JSON file."""
        write_text_atomic(path, self.model_dump_json() + "\n")

    @classmethod
    def load(cls, path: Path) -> "Session":
        """Read it.

        Raises
        ------
        IcefloeError
            If the file is missing, or no session.
        """
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise IcefloeError(f"{path}: no such file. Check the name.") from error
        return validated(cls, content, path, "Save the session again.")

    def _changed(self, **entries: object) -> "Session":
        unclassified = {"result": None, "encoder_sha256": ""}
        return Session(**{**dict(self), **unclassified, **entries})
