"""SIGKILL at any statement of an import leaves the queue as it was or with all labels; it can be repeated."""

import itertools
import json
import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

from icefloe.active.exchange.transfer import import_labels
from icefloe.active.queue import Queue

PROCESSES = multiprocessing.get_context("fork")


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """A labelme folder with an outline in each of two images."""
    for name, right in (("c_1", 40), ("c_2", 50)):
        shape = {"label": "ice", "points": [[10, 8], [right, 8], [right, 30]], "shape_type": "polygon"}
        path = tmp_path / "tasks" / "Q" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps({"shapes": [shape], "imagePath": "x", "imageHeight": 64, "imageWidth": 80})
        )
    return tmp_path / "tasks"


def state(queue: Queue) -> tuple[object, ...]:
    happened = [(event.item_id, event.what) for event in queue.history()]
    masks = [(label.item_id, label.png) for label in queue.labels()]
    return masks, [item.state for item in queue.items()], happened, queue.refused_labels()


def import_until(statement: int, queue: Queue, source: Path) -> int:
    """Import in a process that is killed before its n-th statement, or as its transaction has ended."""

    def run() -> None:
        done = itertools.count(2)

        def count(*_: object) -> None:
            if next(done) >= statement:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(Engine, "before_cursor_execute", count)
        event.listen(Pool, "checkin", count)  # after COMMIT
        import_labels(queue, source, "labelme", "Ana")

    process = PROCESSES.Process(target=run)
    process.start()
    process.join(60)
    assert process.exitcode is not None
    return process.exitcode


def test_an_import_killed_at_any_statement_is_whole_or_not_at_all(make_queue, labelled):
    whole = make_queue()
    untouched = state(whole)
    import_labels(whole, labelled, "labelme", "Ana")
    complete = state(whole)
    outcomes = []
    for statement in itertools.count(2):
        queue = make_queue()
        if import_until(statement, queue, labelled) == 0:
            break
        outcomes.append(state(queue))
        assert outcomes[-1] in (untouched, complete)
        for _ in range(2):
            assert len(import_labels(queue, labelled, "labelme", "Ana").labels) == 2
            assert state(queue) == complete
    assert len(outcomes) > 20
    assert untouched in outcomes
    assert complete in outcomes
