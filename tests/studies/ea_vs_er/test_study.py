"""The page and its numbers, of ensembles of made-up networks whose scores are known."""

import json
import re

import numpy as np
import pytest

from icefloe.models.spec import MemberSpec
from icefloe.params import DEFAULT_PARAMS, load_params
from icefloe.training.config import TrainingConfig
from icefloe.training.pruning import PruningRule
from studies.ea_vs_er.claims import HERE, HOLDS
from studies.ea_vs_er.design import EA
from studies.ea_vs_er.maps import Example
from studies.ea_vs_er.results import FamilyScores
from studies.ea_vs_er.scoring import Fitted, Scores, error_counts
from studies.ea_vs_er.study import EaVsErStudy


@pytest.fixture(scope="module")
def study(design, versions, parts, infos, validation, tests) -> EaVsErStudy:
    first = {name: FamilyScores.of(family, validation, tests) for name, family in design.families.items()}
    compared = [EA, "ER resnet18", "ER mobilenet_v2"]
    return EaVsErStudy(
        design=design,
        config=TrainingConfig(members=tuple(design.architectures.values())),
        infos=infos,
        parts=parts,
        n_labels=2,
        pruning=PruningRule(),
        versions=versions,
        first=first,
        ea=(first[EA], first[EA]),
        baselines={name: {"all background": {"pca": 0.9, "iou": 0.0, "dice": 0.0}} for name in tests},
        errors={name: error_counts(seen) for name, seen in tests.items()},
        examples={name: Example.of(seen, first, compared) for name, seen in tests.items()},
    )


def claim(study, text, test):
    (found,) = [claim for claim in study.claims if (claim.text, claim.test) == (text, test)]
    return found


def test_networks_that_err_apart_beat_networks_that_err_together(study):
    # An architecture's seeds share nine tenths of their noise's variance, which only an EA averages away.
    found = claim(study, "EA beats every ER on pCA", "D3")
    assert found.word in (HOLDS, HERE)
    assert [effect.published for effect in found.effects] == [pytest.approx(0.964 - 0.872), None]


def test_uncertainty_of_weaker_logits_rises_and_the_papers_ratio_stands_beside(study):
    found = claim(study, "UQ rises on new data", "D3")
    assert found.word == HOLDS
    (effect,) = found.effects
    assert effect.published == pytest.approx(0.027 / 0.015)
    scores = study.first[EA]
    ratios = [np.log(one.tests["D3"].pooled["uq"] / one.tests["D1-D2"].pooled["uq"]) for one in scores.all]
    assert effect.seeds.mean == pytest.approx(np.mean(ratios))


def test_a_version_that_learned_nothing_leaves_retraining_undecided(study):
    found = claim(study, "UQ falls after retraining on it", "D3")
    assert found.word == "undecided"
    assert found.effects[0].published == pytest.approx(0.010 / 0.027)


def test_pairs_of_one_architecture_err_more_alike(study):
    diversity = study.to_dict()["diversity"]["D3"]
    different = diversity["different architectures"]["error_correlation"]
    for name in study.design.architectures:
        assert diversity[f"seeds of {name}"]["error_correlation"]["low"] > different["high"]
    assert claim(study, "Architectures err less alike than seeds of any one", "D3").word == HOLDS


def test_an_ensemble_score_is_the_mean_over_its_sets_of_seeds(study, design, validation, tests):
    family = study.first["ER resnet18"]
    expected = []
    for (networks,) in design.er("resnet18").values():
        fitted = Fitted.on(validation, networks)
        expected.append(Scores.of(tests["D3"], networks, fitted).pooled["iou"])
    assert family.estimate("D3", "iou").mean == pytest.approx(np.mean(expected))


def test_the_page_places_every_figure_and_leaves_nothing_to_fill_in(study):
    text = study.to_markdown()
    placed = re.findall(r"\(ea-vs-er-(\w+)\.png\)", text)
    assert sorted(placed) == sorted(study.figures())
    assert not re.search(r"\{|\}|nan", text)


def test_every_table_row_has_as_many_cells_as_its_head(study):
    for table in re.findall(r"(?:^\|.*\n?)+", study.to_markdown(), re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1, table


def test_the_page_says_what_a_seed_varies_what_is_twin_and_what_would_be_pruned(study):
    text = " ".join(study.to_markdown().split())
    assert "All weights are random at first" in text
    assert "3 of D1-D2 (2 different ones), 4 of D3" in text
    assert "- T1: 1 of 6: resnet18-unet-s1 (pCA 0.900)" in text
    assert "- D1: a microscope - D3: source unknown; departs from the standard by dose" in text


def test_given_encoder_weights_are_said_to_fix_the_encoder(study):
    from dataclasses import replace

    from studies.ea_vs_er.design import Design

    members = [MemberSpec(encoder=name, weights="imagenet") for name in study.design.architectures]
    given = replace(study, design=Design.of(members, 3))
    assert "Encoders start from given weights (imagenet)" in given.to_markdown()


def test_the_numbers_are_json_with_a_value_a_seed(study):
    content = json.loads(json.dumps(study.to_dict()))
    assert len(content["scores"]["ER resnet18"]["D3"]["iou"]["per_seed"]) == 3
    assert content["scores"]["all networks"]["D3"]["iou"]["low"] is None
    assert content["images"]["drawn"]["T2"]["0"] == ["D3/image_8", "D3/image_9"]
    assert content["networks"]["T1"]["resnet18-unet-s1"]["refused"] == "accuracy 0.9000 is not above 0.97"


def test_the_preset_made_for_it_has_distinct_architectures():
    preset = load_params(DEFAULT_PARAMS, "study")
    assert len({member.encoder for member in preset.training.members}) == len(preset.training.members)
