"""The page and its numbers, of ensembles of made-up networks whose scores are known."""

import json
import re

import numpy as np
import pytest

from icefloe.statistics.repetitions import over_seeds
from icefloe.training.config import TrainingConfig
from studies.ea_vs_er.claims import HERE, HOLDS, UNDECIDED, ClaimedEffects, architectures_differ, diversity
from studies.ea_vs_er.design import EA, er_name
from studies.ea_vs_er.result import (
    DatasetOrigin,
    Diversity,
    EaVsErResult,
    HeldOutImages,
    LabelledSubset,
    Score,
    TrainedNetwork,
)
from studies.ea_vs_er.scoring import FamilyScores, Fitted, PooledScores


@pytest.fixture(scope="module")
def first(design, validation, tests):
    return {name: FamilyScores.of(family, validation, tests) for name, family in design.families.items()}


@pytest.fixture(scope="module")
def result(design, first, tests) -> EaVsErResult:
    """T1, of which one network is bad, and T2, which is T1 again."""
    ea = {"EA-T1": first[EA], "EA-T2": first[EA]}
    ers = {er_name(name): first[er_name(name)] for name in design.architectures}
    errors = {name: predictions.error_counts() for name, predictions in tests.items()}
    members = tuple(design.architectures.values())
    return EaVsErResult(
        architectures=tuple(design.architectures),
        n_seeds=3,
        size=2,
        n_choices=1,
        weights=("none",),
        n_labels=2,
        training=TrainingConfig(members=members),
        datasets=(
            DatasetOrigin(name="D1", source="a microscope"),
            DatasetOrigin(name="D3", source="", departs_by=("dose",)),
        ),
        train=("D1/a",),
        validation=("D1/b",),
        tests=tuple(
            HeldOutImages(
                name=name, images=tuple(s.key for s in found.images.samples), n_different=n_different
            )
            for (name, found), n_different in zip(tests.items(), (2, 4), strict=True)
        ),
        labelled_subsets=tuple(
            LabelledSubset(version="T2", dataset="D3", seed=seed, images=("D3/image_8", "D3/image_9"))
            for seed in design.seeds
        ),
        networks=tuple(
            TrainedNetwork(
                version=version,
                network=name,
                val_pca=0.9 if (version, name) == ("T1", "resnet18-unet-s1") else 0.99,
                val_iou=0.5,
                best_epoch=1,
                refused="accuracy" if (version, name) == ("T1", "resnet18-unet-s1") else None,
            )
            for version in ("T1", "T2")
            for name in design.specs
        ),
        scores=tuple(
            Score(
                ensemble=name,
                test=test,
                metric=metric,
                per_seed=tuple(family.per_seed(test, metric)),
                single=tuple(scored.tests[test].pooled[metric] for scored in family.all),
            )
            for name, family in (ea | {n: f for n, f in first.items() if n != EA}).items()
            for test in tests
            for metric in family.all[0].tests[test].pooled
        )
        + tuple(
            Score(ensemble="all background", test=test, metric=metric, per_seed=(score,))
            for test in tests
            for metric, score in (("pca", 0.9), ("iou", 0.0), ("dice", 0.0))
        ),
        effects=(*ClaimedEffects(ea | ers, list(tests)).all(), *architectures_differ(errors, design)),
        fits={},
        diversity=tuple(
            Diversity(test=test, pairs=kind, **{name: over_seeds(values) for name, values in found.items()})
            for test, counts in errors.items()
            for kind, found in diversity(counts, design).items()
        ),
    )


def effects(result, claim, test):
    return [effect for effect in result.effects if (effect.claim, effect.test) == (claim, test)]


def test_networks_that_err_apart_beat_networks_that_err_together(result):
    # An architecture's seeds share nine tenths of their noise's variance, which only an EA averages away.
    claim = "EA beats every ER on pCA"
    assert result.verdicts[claim, "D3"] in (HOLDS, HERE)
    published = [effect.published for effect in effects(result, claim, "D3")]
    assert published == [pytest.approx(0.964 - 0.872), None]


def test_uncertainty_of_weaker_logits_rises_and_the_papers_ratio_stands_beside(result, first):
    claim = "UQ rises on new data"
    assert result.verdicts[claim, "D3"] == HOLDS
    (effect,) = effects(result, claim, "D3")
    assert effect.published == pytest.approx(0.027 / 0.015)
    ratios = [np.log(one.tests["D3"].pooled["uq"] / one.tests["D1-D2"].pooled["uq"]) for one in first[EA].all]
    assert effect.interval().mean == pytest.approx(np.mean(ratios))


def test_a_version_that_learned_nothing_leaves_retraining_undecided(result):
    claim = "UQ falls after retraining on it"
    assert result.verdicts[claim, "D3"] == UNDECIDED
    assert effects(result, claim, "D3")[0].published == pytest.approx(0.010 / 0.027)


def test_pairs_of_one_architecture_err_more_alike(result):
    alike = {row.pairs: row.error_correlation for row in result.diversity if row.test == "D3"}
    for name in result.architectures:
        assert alike[f"seeds of {name}"].low > alike["different architectures"].high
    assert result.verdicts["Architectures err less alike than seeds of any one", "D3"] == HOLDS


def test_an_ensemble_score_is_the_mean_over_its_sets_of_seeds(result, design, validation, tests):
    expected = []
    for (networks,) in design.er("resnet18").values():
        fitted = Fitted.on(validation, networks)
        expected.append(PooledScores.of(tests["D3"], networks, fitted).pooled["iou"])
    score = result.score("ER resnet18", "D3", "iou")
    assert score.interval.mean == pytest.approx(np.mean(expected))
    assert score.single == pytest.approx(expected)


def test_the_page_places_every_figure_and_leaves_nothing_to_fill_in(result):
    text = result.page()
    placed = re.findall(r"\(ea-vs-er-(\w+)\.png\)", text)
    assert sorted(placed) == ["calibration", "diversity", "maps", "scores", "versions"]
    assert not re.search(r"\{|\}|nan", text)


def test_every_table_row_has_as_many_cells_as_its_head(result):
    tables = re.findall(r"(?:^\|.*\n?)+", result.page(), re.MULTILINE)
    assert len(tables) == 1 + 2 + 3
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1, table


def test_a_claim_has_a_word_for_every_test_set_and_a_line_for_every_effect(result):
    rows = {row[0]: row[1:] for row in result.table().rows}
    assert rows["UQ rises on new data"] == ("-", HOLDS)
    (effects,) = (
        part for part in result.page().split("\n\n") if part.startswith("| claim") and "over images" in part
    )
    cells = [[cell.strip() for cell in line.split("|")[1:4]] for line in effects.splitlines()[2:]]
    assert len(cells) == len(result.effects)
    assert cells[0][:2] == ["EA beats every ER on pCA", "D1-D2"]
    assert cells[1] == ["", "", "EA-T1 - ER mobilenet_v2"]


def test_the_page_says_what_a_seed_varies_what_is_twin_and_what_would_be_pruned(result):
    text = " ".join(result.page().split())
    assert "All weights are random at first" in text
    assert "3 of D1-D2 (2 different ones), 4 of D3" in text
    assert "- T1: 1 of 6: resnet18-unet-s1 (pCA 0.900)" in text
    assert "- D1: a microscope - D3: source unknown; departs from the standard by dose" in text


def test_given_encoder_weights_are_said_to_fix_the_encoder(result):
    given = result.model_copy(update={"weights": ("imagenet",)})
    assert "Encoders start from given weights (imagenet)" in given.page()


def test_the_outcome_is_counted_over_all_claims(result):
    numbers = [int(number) for number in re.findall(r"\d+", result.sentence())]
    assert numbers[0] == sum(numbers[1:]) == len(result.verdicts)


def test_the_numbers_are_json_with_a_value_a_seed(result):
    content = json.loads(result.model_dump_json())
    scores = {(s["ensemble"], s["test"], s["metric"]): s for s in content["scores"]}
    assert len(scores["ER resnet18", "D3", "iou"]["per_seed"]) == 3
    assert len(scores["all networks", "D3", "iou"]["per_seed"]) == 1
    again = EaVsErResult.model_validate_json(result.model_dump_json())
    assert again.verdicts == result.verdicts
    assert again.page() == result.page()
    assert set(again.figures()) == {"scores", "versions"}
