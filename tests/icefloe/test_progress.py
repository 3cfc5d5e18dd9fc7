"""Progress told item by item."""

from icefloe.progress import SILENT, tracked


class Heard:
    def __init__(self):
        self.steps = []

    def advance(self, what, done, total=None, detail=""):
        self.steps.append((what, done, total))

    def tell(self, line):
        raise AssertionError(line)


def test_each_item_counts_when_the_next_is_asked_for():
    heard = Heard()
    items = tracked("ab", heard, "Reading")
    assert next(items) == "a"
    assert heard.steps == [("Reading", 0, 2)]
    assert list(items) == ["b"]
    assert heard.steps[1:] == [("Reading", 1, 2), ("Reading", 2, 2)]


def test_a_stream_of_unknown_length_has_no_total_unless_it_is_given():
    heard = Heard()
    assert list(tracked(iter("ab"), heard, "Reading")) == ["a", "b"]
    assert {total for _, _, total in heard.steps} == {None}
    assert list(tracked(iter("ab"), SILENT, "Reading", total=2)) == ["a", "b"]
