"""What can be asked for: kind of a job -> seconds after which it is ended."""

from typing import Literal

Kind = Literal["planes", "maps"]

LIMITS: dict[str, float] = {"planes": 60.0, "maps": 900.0}
