"""Why a version is only provisional."""

from pydantic import BaseModel, ConfigDict


class Provisional(BaseModel):
    """What has not been shown of a version that is used all the same, and what would settle it.

    Attributes
    ----------
    gate
        Sentences on a first version that is not shown to beat the trivial baselines; empty if it is.
    members
        A sentence on members that were kept although they do not pass pruning; empty if all pass.
    """

    model_config = ConfigDict(frozen=True)

    gate: str = ""
    members: str = ""

    def sentence(self) -> str:
        """Both reasons; empty if the version is not provisional."""
        return f"{self.gate} {self.members}".strip()
