"""Items and labels for tests of the queue, and looks past its rules."""

import numpy as np

from icefloe.active.items import NewItem, OutsideLabel, Purpose
from icefloe.active.queue import Queue
from icefloe.active.uploads import encode_png

SHAPE = (12, 16)


def new_item(stem: str = "stack_1", round: str = "EA-T1", rank: int = 1, **changes) -> NewItem:
    fields = {
        "dataset": "D3",
        "stem": stem,
        "round": round,
        "shape": SHAPE,
        "classes": ("background", "ice"),
        "purpose": Purpose("mean-uq", 0.031, rank, "mean uncertainty 0.031, rank 1 of 30 images"),
    }
    return NewItem(**{**fields, **changes})


def mask(value: int = 1) -> np.ndarray:
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[2:9, 3:12] = value
    return drawn


PNG = encode_png(mask())


def outside(item_id: int, labeler: str = "ann", token: str = "import-1", png: bytes = PNG) -> OutsideLabel:
    return OutsideLabel(item_id, labeler, png, 60.0, 5.0, "labelme", token)


def rows(queue: Queue, statement: str) -> list[tuple]:
    """What raw SQL, past all of the queue's rules, gets from its database."""
    with queue.database.writing() as connection:
        result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []


def whats(queue: Queue) -> list[str]:
    return [event.what for event in queue.history()]
