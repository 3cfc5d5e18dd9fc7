"""Which versions a withdrawn label has trained, by a real registry's lineages."""

import pytest

from icefloe.datasets.withdrawal import WithdrawnLabel
from icefloe.registry.withdrawn import trained_by, untouched_start


def withdrawn(key, author="ada", labelled_at="2026-01-01"):
    return WithdrawnLabel(key, author, labelled_at, "ben", "2026-02-01", "wrong")


@pytest.fixture
def three_versions(registry, first, tmp_path, evaluation_of, save_ensemble, lineage_of):
    """EA-T1 of D1 and D2; EA-T2 from it with D3; EA-T3 from that, of D1 and D2 again."""
    evaluation = evaluation_of({"D1": (0.95, 8), "D2": (0.94, 8)})
    parent = registry.show("EA-T1").lineage
    for number, datasets in ((2, ["D1", "D2", "D3"]), (3, ["D1", "D2"])):
        ensemble = save_ensemble(tmp_path / f"T{number}", number)
        lineage = lineage_of(ensemble, datasets, parent, f"EA-T{number - 1}")
        registry.register(ensemble, lineage, evaluation)
        parent = registry.show(f"EA-T{number}").lineage
    return registry


def test_a_label_has_trained_the_versions_that_list_it_and_those_that_started_from_them(three_versions):
    label = withdrawn("D3/train_0")
    assert trained_by(three_versions, [label]) == {"EA-T2": ("D3/train_0",), "EA-T3": ("D3/train_0",)}


@pytest.mark.parametrize(
    "other",
    [
        withdrawn("D3/train_1"),
        withdrawn("D3/train_0", author="cy"),
        withdrawn("D3/train_0", labelled_at="2026-01-02"),
        withdrawn("D3/train_0", None, None),
    ],
)
def test_another_label_even_of_the_same_image_has_trained_nothing(three_versions, other):
    assert trained_by(three_versions, [other]) == {}


def test_a_training_starts_from_the_newest_version_that_knows_of_none(three_versions):
    assert untouched_start(three_versions, "EA-T3", {"EA-T2", "EA-T3"}) == "EA-T1"
    assert untouched_start(three_versions, "EA-T3", {"EA-T2"}) == "EA-T3"
    assert untouched_start(three_versions, "EA-T3", {"EA-T1", "EA-T2", "EA-T3"}) is None
