"""What a run says of its trainings while they go on."""

import pytest

from icefloe.progress import Lines, rough_time
from icefloe.training.progress import AllEpochs, epoch_progress
from icefloe.training.records import EpochRecord


class Heard:
    def __init__(self):
        self.steps, self.told = [], []

    def advance(self, what, done, total=None, detail=""):
        self.steps.append((what, done, total, detail))

    def tell(self, line):
        self.told.append(line)


def record(epoch, seconds):
    return EpochRecord(
        epoch=epoch,
        train_loss=0.5,
        val_loss=0.6,
        val_pca=0.9,
        val_iou=0.7,
        val_dice=0.8,
        lr=1e-3,
        seconds=seconds,
    )


def run(listener, name, epochs, seconds):
    for epoch in epochs:
        listener.on_epoch(name, record(epoch, 60.0 if epoch == 1 else seconds))


@pytest.fixture
def epochs():
    """Three members of 40 epochs, of which two run at once."""
    return AllEpochs(Heard(), dict.fromkeys("abc", 40), n_at_once=2)


def test_nothing_is_said_of_the_time_before_a_few_epochs(epochs):
    run(epochs, "a", [1, 2], 5.0)
    assert epochs.seconds_left() is None
    assert epochs._progress.steps[-1] == ("Training 3 networks", 2, 120, "")


def test_the_time_left_counts_the_members_that_wait(epochs):
    run(epochs, "a", range(1, 11), 5.0)
    run(epochs, "b", range(1, 11), 9.0)
    # a ends after 30 x 5 s; then c, which takes as long an epoch as the mean of a and b, begins.
    assert epochs.seconds_left() == 30 * 5 + 40 * 7
    assert epochs._progress.steps[-1] == ("Training 3 networks", 20, 120, "about 7 min left")


def test_side_by_side_the_slowest_member_decides():
    epochs = AllEpochs(Heard(), {"a": 40, "b": 20}, n_at_once=2)
    run(epochs, "a", range(1, 11), 2.0)
    run(epochs, "b", range(1, 11), 3.0)
    assert epochs.seconds_left() == 30 * 2


def test_an_early_stop_saves_its_epochs(epochs):
    run(epochs, "a", range(1, 11), 5.0)
    run(epochs, "b", range(1, 11), 5.0)
    epochs.on_finished("a", None)
    assert epochs.seconds_left() == 40 * 5
    assert epochs._progress.steps[-1][1:3] == (50, 120)


def test_at_the_end_nothing_is_left(epochs):
    for name in "abc":
        run(epochs, name, range(1, 41), 5.0)
        epochs.on_finished(name, None)
    assert epochs._progress.steps[-1] == ("Training 3 networks", 120, 120, "")


def test_few_members_are_shown_each_and_together_many_only_together():
    for n_members, n_shown in ((2, 3), (13, 1)):
        heard = Heard()
        names = [str(number) for number in range(n_members)]
        listeners = epoch_progress(heard, dict.fromkeys(names, 2), n_at_once=1)
        for name in names:
            for listener in listeners:
                listener.on_epoch(name, record(1, 1.0))
        assert len({what for what, *_ in heard.steps}) == n_shown
        assert heard.steps[-1][:3] == (f"Training {n_members} networks", n_members, 2 * n_members)


def test_a_log_has_a_line_with_the_time_left():
    lines = []
    epochs = AllEpochs(Lines(lines.append, seconds=0.0), {"a": 100}, n_at_once=1)
    run(epochs, "a", range(1, 11), 4.0)
    assert lines[-1] == "Training 1 network: 10 of 100, about 6 min left"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "10 s"), (44, "40 s"), (89, "90 s"), (91, "2 min"), (430, "7 min"), (9000, "2.5 h")],
)
def test_a_rough_time_is_as_one_says_it(seconds, said):
    assert rough_time(seconds) == said
