"""The few-shot benchmark: the truth that comes with it, and that no support is scored."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from typer.testing import CliRunner

from benchmarks.fewshot import reference
from benchmarks.fewshot.__main__ import app
from benchmarks.fewshot.accuracy import accuracy_table, measure_accuracy, nearest_centroid
from benchmarks.fewshot.calibration import FITTED, PLAIN, balanced_bins, measure_calibration
from benchmarks.fewshot.coverage import coverage_table, measure_coverage
from benchmarks.fewshot.draws import draws, labelled, others, predicted, scores, spread
from benchmarks.fewshot.labels import all_outlined, dice, outline_s, outlined, simulated, write_supports
from benchmarks.fewshot.limits import edge_table, measure_edges
from benchmarks.fewshot.missing import missing_table
from benchmarks.fewshot.next_labels import CHOICES, measure_choices
from benchmarks.fewshot.reference import read_reference
from benchmarks.fewshot.scenes import Scene, Segmented, joined
from benchmarks.fewshot.series import peak_mib, series_table
from benchmarks.fewshot.times import embedding_table, noise, step_table
from benchmarks.fewshot.vectors import PLAIN as PLAIN_VECTORS
from icefloe.errors import IcefloeError
from icefloe.fewshot.grid import Grid
from icefloe.fewshot.support_files import sets_from_table
from icefloe.scoring.calibration import confidence_bins
from icefloe.scoring.metrics import confusion_matrix
from icefloe.typing import IGNORE


@pytest.fixture
def scene(rng):
    """144 chips of 8 px of three grey levels: 100 of one, 30 of another, and 14 of the last."""
    classes = rng.permutation(np.repeat([0, 1, 2], [100, 30, 14]))
    grid = Grid(height=96, width=96, edge=8)
    image = grid.painted(classes.astype(np.float32), 0) + rng.normal(0, 0.2, (96, 96))
    return Scene(image.astype(np.float32), grid, ("dark", "grey", "light"), classes)


@pytest.fixture
def embeddings(scene, rng):
    """Vectors whose classes are apart, but for a few chips."""
    vectors = rng.normal(0, 1, (scene.grid.n_chips, 6))
    vectors[np.arange(len(vectors)), scene.classes] += 4
    return vectors.astype(np.float32)


def test_every_chip_of_fig2_c_has_a_class_of_both_passes():
    found = read_reference("fig2_c")
    assert found.names == ("background", "edge", "flat")
    assert found.passes.shape == (2, 256)
    assert np.bincount(found.settled).tolist() == [205, 10, 41]
    agree = found.passes[0] == found.passes[1]
    assert found.agreement == agree.mean()
    assert (found.settled[agree] == found.passes[0][agree]).all()


def test_kappa_is_that_of_the_textbook(tmp_path, monkeypatch):
    rows = ["a,a", "a,a", "a,b", "b,b", "b,b", "b,a", "a,a", "b,b", "a,a", "b,a"]
    table = [f"{chip},{row},{row[0]}" for chip, row in enumerate(rows)]
    (tmp_path / "x.csv").write_text("\n".join(["chip,pass 1,pass 2,settled", *table]))
    monkeypatch.setattr(reference, "FOLDER", tmp_path)
    found = read_reference("x")
    chance = 0.5 * 0.6 + 0.5 * 0.4
    assert found.agreement == 0.7
    assert found.kappa == pytest.approx((0.7 - chance) / (1 - chance))


def test_a_chip_without_a_settled_class_is_refused(tmp_path, monkeypatch):
    (tmp_path / "x.csv").write_text("chip,pass 1,pass 2,settled\n0,a,b,\n")
    monkeypatch.setattr(reference, "FOLDER", tmp_path)
    with pytest.raises(IcefloeError, match="a cell is empty"):
        read_reference("x")


def test_draws_are_of_their_class_and_repeat(scene):
    drawn = draws(scene, 5, 3)
    assert drawn == draws(scene, 5, 3)
    assert drawn[0] != drawn[1]
    for sets in drawn:
        assert sets.names == scene.names
        for position, one in enumerate(sets.sets):
            assert len(one.chips) == 5
            assert (scene.classes[list(one.chips)] == position).all()


def test_a_small_class_keeps_half_of_its_chips_for_scoring(scene):
    sets = draws(scene, 10, 1)[0]
    assert [len(one.chips) for one in sets.sets] == [10, 10, 7]
    assert np.bincount(scene.classes[others(scene, sets)]).tolist() == [90, 20, 7]


def test_a_class_left_out_changes_no_other_draw(scene):
    whole, without = draws(scene, 3, 1)[0], draws(scene, 3, 1, ("grey",))[0]
    assert without.names == ("dark", "light")
    assert [one.chips for one in without.sets] == [whole.one(name).chips for name in without.names]


def test_balanced_accuracy_is_scikit_learns(rng):
    truth, found = rng.integers(0, 3, (2, 200))
    measured = scores(truth, found, 3)
    assert measured.balanced == pytest.approx(balanced_accuracy_score(truth, found))
    confusion = confusion_matrix(truth.astype(np.uint8), found.astype(np.uint8), 3)
    assert measured.accuracy == np.trace(confusion) / 200


def test_supports_are_never_scored(scene):
    """Vectors that say nothing but which chip is a support: all of these would be right."""
    sets = draws(scene, 5, 1)[0]
    vectors = np.zeros((scene.grid.n_chips, 3), np.float32)
    for position, one in enumerate(sets.sets):
        vectors[list(one.chips), position] = 1
    found = nearest_centroid(scene, vectors, sets)
    assert (found[labelled(sets)] == scene.classes[labelled(sets)]).all()
    rest = others(scene, sets)
    assert scores(scene.classes[rest], found[rest], 3).balanced == pytest.approx(1 / 3)


def test_a_class_without_supports_is_never_found(scene, embeddings):
    sets = draws(scene, 5, 1, ("dark",))[0]
    assert set(predicted(scene, embeddings, sets)) == {1, 2}


def test_all_methods_are_scored_on_the_same_draws(scene, monkeypatch):
    monkeypatch.setattr("benchmarks.fewshot.accuracy.SPECS", ())
    found = measure_accuracy(scene, None, 3)
    assert found.taken == {1: (1, 1, 1), 2: (2, 2, 2), 3: (3, 3, 3), 5: (5, 5, 5), 10: (10, 10, 7)}
    assert {name for name, _ in found.scores} == {*PLAIN_VECTORS, "all of the commonest class"}
    commonest = found.scores["all of the commonest class", 5]
    assert {one.accuracy for one in commonest} == {95 / 129}
    by_grey = found.scores["mean and standard deviation", 5]
    assert min(one.balanced for one in by_grey) > 0.95
    assert "0.74 [0.74, 0.74]" in accuracy_table(found, "accuracy").markdown()


def test_joined_classes_are_one(scene):
    two = joined(scene, ("grey", "dark"), "not light")
    assert two.names == ("light", "not light")
    assert np.bincount(two.classes).tolist() == [14, 130]
    assert ((two.classes == 0) == (scene.classes == 2)).all()


def test_balanced_calibration_counts_each_class_as_much(scene, embeddings):
    found = measure_calibration(scene, embeddings, 2)
    bins, balanced = found.bins[FITTED, 5][0], found.balanced[FITTED, 5][0]
    assert bins.count.sum() == 129
    assert balanced.count.sum() == pytest.approx(3 * 129)
    assert found.bins[PLAIN, 5][0].expected_calibration_error != bins.expected_calibration_error


def test_balanced_calibration_of_classes_as_large_is_the_plain_one(scene, embeddings):
    same = np.concatenate([np.flatnonzero(scene.classes == one)[:14] for one in range(3)])
    truth = scene.classes[same].astype(np.uint8)
    values = np.random.default_rng(1).dirichlet((1, 1, 1), len(same))
    plain = confidence_bins(truth, values.T)
    assert balanced_bins(truth, values).expected_calibration_error == pytest.approx(
        plain.expected_calibration_error
    )


def test_coverage_is_the_share_of_intervals_that_hold_the_fraction(scene, embeddings):
    measured = measure_coverage(scene, embeddings, 4, supports=(5,))
    one = next(m for m in measured if (m.rule, m.name) == ("no chip unsure", "dark"))
    assert one.true == 100 / 144
    assert one.bounds.shape == (4, 2)
    by_hand = [low <= 100 / 144 <= high for low, high in one.bounds]
    assert one.holds.tolist() == by_hand
    assert "dark, 69.4%" in coverage_table(measured).markdown()


def test_no_chip_that_is_held_out_is_ever_labelled(scene, embeddings, monkeypatch):
    seen = []

    def spy(choose):
        def chosen(embeddings, classifier, known, held_out, rng):
            picked = choose(embeddings, classifier, known, held_out, rng)
            seen.append((set(picked), set(known), set(held_out.tolist())))
            return picked

        return chosen

    monkeypatch.setattr(
        "benchmarks.fewshot.next_labels.CHOICES", {name: spy(one) for name, one in CHOICES.items()}
    )
    curves = measure_choices(scene, embeddings, 1)
    assert curves.labels[:3] == (6, 11, 16)
    for picked, known, held_out in seen:
        assert len(picked) == 5
        assert not picked & (known | held_out)
        assert not known & held_out
    assert len({frozenset(held_out) for _, _, held_out in seen}) == 1
    first = [of_draws[0][0] for of_draws in curves.scores.values()]
    assert first[0] == first[1]


def test_chips_of_a_missing_class_go_elsewhere(scene, embeddings):
    table = missing_table([(scene, embeddings)], ["light"], 2)
    own = table.columns.index("its chips, light")
    with_supports, without = table.rows
    assert with_supports[1:2] == ("5",)
    assert int(with_supports[own].rstrip("%")) > 0
    assert without[own] == "0%"


def test_a_chip_is_of_the_class_that_most_of_its_pixels_have():
    mask = np.zeros((32, 32), np.uint8)
    mask[:16, :9] = 1
    mask[16:, :7] = 2
    scene = Segmented("x", np.zeros((32, 32), np.float32), mask).cut(16)
    assert scene.classes.tolist() == [1, 0, 0, 0]


def test_the_best_map_has_the_pixels_of_the_commonest_class_right(rng):
    mask = np.zeros((128, 128), np.uint8)
    mask[:, 56:] = 1  # cuts chips of 32 px, but not those of 8
    image = (mask + rng.normal(0, 0.3, mask.shape)).astype(np.float32)
    segmented = Segmented("x", image, mask)
    segmented.__dict__["suggested_edge"] = 32
    outcomes = measure_edges([segmented], None, 1)
    assert outcomes[1.0][0].best == 1 - 8 / 128
    assert outcomes[0.25][0].best == 1
    assert outcomes[0.25][0].pixels <= 1
    told = dict(zip(edge_table(outcomes).columns, edge_table(outcomes).rows[-1], strict=True))
    assert told["edge"] == "0.25 x suggested, 8 px"
    assert told["of mixed chips"] == "–"


def test_spread_holds_most_of_the_draws():
    values = np.arange(101) / 100
    found = spread(values)
    assert (found.mean, found.low, found.high) == pytest.approx((0.5, 0.025, 0.975))


def test_missing_data_are_named(tmp_path):
    result = CliRunner().invoke(app, ["accuracy", "--data", str(tmp_path)])
    assert isinstance(result.exception, IcefloeError)
    assert "--data" in str(result.exception)


def test_outlines_take_the_minutes_that_there_are():
    """Two squares of 40 px in each of three images."""
    mask = np.zeros((256, 256), np.uint8)
    mask[20:60, 20:60] = mask[120:160, 150:190] = 1
    images = {name: Segmented(name, mask.astype(np.float32), mask) for name in "abc"}
    one = outline_s((mask == 1) & (np.arange(256) < 100))
    two = {name: images[name] for name in "ab"}
    assert all_outlined(two).minutes == pytest.approx(2 * all_outlined({"a": images["a"]}).minutes)
    made = outlined(images, all_outlined(two).minutes + 1.1 * one / 60)
    assert list(made.masks) == ["a", "b", "c"]
    assert (made.masks["b"] == mask).all()
    third = made.masks["c"]
    assert (third[:120] == mask[:120]).all()
    assert (third[120:] == IGNORE).all()
    assert dice(made.masks, images) == 1
    assert one > 2.45  # thinking and pointing alone


def test_supports_of_a_session_are_clear_chips(tmp_path):
    image = simulated(1, 0)["field_0"]
    write_supports(image, tmp_path / "supports.csv", np.random.default_rng(0))
    scene = image.cut(16, ("background", "particle"))
    sets = sets_from_table(tmp_path / "supports.csv", scene.grid)
    shares = image.pixels(scene.grid, 2)[:, 1] / 256
    assert shares[list(sets.one("background").chips)].max() == 0
    assert shares[list(sets.one("particle").chips)].min() >= 0.9


def test_unsure_pixels_do_not_count_in_the_dice_of_labels():
    truth = np.array([[1, 1, 0, 0]], np.uint8)
    images = {"a": Segmented("a", truth.astype(np.float32), truth)}
    assert dice({"a": np.array([[1, IGNORE, IGNORE, 0]], np.uint8)}, images) == 1
    assert dice({"a": np.array([[1, 0, 0, 0]], np.uint8)}, images) == pytest.approx(2 / 3)


def test_a_series_is_measured_in_a_process_of_its_own():
    table = series_table((2,))
    row = dict(zip(table.columns, table.rows[0], strict=True))
    assert row["images"] == "2"
    assert float(row["CPU s"]) > 0
    assert float(row["peak memory, MiB"]) > 100


def test_the_peak_is_not_that_of_the_program_that_started_it():
    large = np.ones(2**30, np.uint8)
    told = "from benchmarks.fewshot.series import peak_mib; print(peak_mib())"
    started = subprocess.run([sys.executable, "-c", told], check=True, stdout=subprocess.PIPE, text=True)
    assert peak_mib() > large.nbytes / 2**20
    assert float(started.stdout) < peak_mib() - 256


def test_times_of_every_encoder_and_step_are_told():
    image, grid = noise(12, 16)
    assert grid.n_chips == 12
    assert len(embedding_table(image, grid, 1).rows) == 6
    image, grid = noise(30, 16)
    steps = [row[0] for row in step_table(image, grid, 1).rows]
    assert "classify after one more support" in steps
