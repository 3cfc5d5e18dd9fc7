"""What can be asked for: kind of a job -> seconds after which it is ended."""

from typing import Literal

Kind = Literal["planes", "maps", "segment", "unpack"]

LIMITS: dict[str, float] = {"planes": 60.0, "maps": 900.0, "segment": 24 * 3600.0, "unpack": 15.0}
