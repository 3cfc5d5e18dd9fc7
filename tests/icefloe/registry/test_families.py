"""Another learning system's versions beside the EA versions, here of saved ensembles under another prefix."""

from dataclasses import replace

import mlflow
import numpy as np
import pytest
from mlflow.tracking import MlflowClient

from icefloe.ensemble.ensemble import Ensemble
from icefloe.ensemble.guarantees import CalibrationExperiment, ExperimentScores, fit_guarantees
from icefloe.errors import IcefloeError
from icefloe.evaluation.compare import compare
from icefloe.evaluation.rule import PromotionRule
from icefloe.registry.families import EA, Family, add_family, families, family_named
from icefloe.registry.loading import load_ensemble, load_version
from icefloe.registry.registry import Registry

RULE = PromotionRule(n_resamples=1000)


class Plain:
    """A segmenter that is not an `Ensemble`: it has one and shows no more than the protocol."""

    def __init__(self, ensemble, guarantees):
        self._ensemble, self.guarantees = ensemble, guarantees or ensemble.guarantees

    def __getattr__(self, name):
        if name in ("name", "classes", "threshold", "temperature", "preprocessing", "predict"):
            return getattr(self._ensemble, name)
        raise AttributeError(name)


def check_classes(folder, lineage):
    EA.check(folder, lineage)
    if "ice" not in (folder / "ensemble.yaml").read_text():
        raise IcefloeError(f"{folder}: it has no class ice.")


@pytest.fixture(scope="module")
def tiny():
    """The family TINY, known from here on."""
    return add_family(
        Family(
            prefix="TINY",
            title="small ensembles",
            load=lambda folder, guarantees: Plain(Ensemble.load(folder), guarantees),
            model_code=EA.model_code,
            check=check_classes,
        )
    )


@pytest.fixture
def tiny_registry(settings, tiny):
    return Registry(settings, tiny)


@pytest.fixture
def register_tiny(tiny_registry, real_ensemble, tmp_path, lineage_of, evaluation_of):
    """Register the ensemble under a threshold, judged against a champion (None: a first version)."""

    def register(threshold, dice, champion=None):
        manifest = real_ensemble.manifest.model_copy(update={"threshold": threshold})
        folder = tmp_path / f"tiny-{threshold}"
        real_ensemble.with_manifest(manifest).save(folder)
        before = evaluation_of({"D1": (0.80, 8)}) if champion else None
        evaluation = evaluation_of({"D1": (dice, 8)}, seed=1)
        report = compare(evaluation, before, RULE, champion_version=champion)
        return tiny_registry.register(folder, lineage_of(folder, ["D1"]), evaluation, report)

    return register


@pytest.fixture
def two_tiny(register_tiny, tiny_registry):
    """TINY-T1, and TINY-T2, which is the champion."""
    register_tiny(0.4, 0.80)
    tiny_registry.promote("TINY-T1", by="ada")
    register_tiny(0.6, 0.95, champion="TINY-T1")
    tiny_registry.promote("challenger", by="lise")


def test_each_family_has_its_own_numbers_champion_and_registered_model(
    settings, registry, retrain, two_tiny, tiny_registry
):
    retrain(2)
    assert [(v.name, v.aliases) for v in tiny_registry.list()] == [
        ("TINY-T1", ("previous",)),
        ("TINY-T2", ("champion",)),
    ]
    assert [v.name for v in registry.list()] == ["EA-T1", "EA-T2"]
    assert (registry.champion().name, tiny_registry.champion().name) == ("EA-T1", "TINY-T2")
    assert [entry.champion for entry in registry.history()] == ["EA-T1"]
    assert [entry.champion for entry in tiny_registry.history()] == ["TINY-T1", "TINY-T2"]
    models = {model.name for model in MlflowClient(settings.tracking_uri).search_registered_models()}
    assert {settings.registered_model, f"{settings.registered_model}-tiny"} <= models


def test_a_name_is_found_in_its_own_family_from_any_registry(registry, two_tiny):
    details = registry.show("TINY-T2")
    assert details.version.name == "TINY-T2"
    assert details.report.challenger == "TINY-T2"
    assert details.lineage.keys() == ["D1/train_0"]
    assert [entry.champion for entry in details.history] == ["TINY-T2"]
    assert registry.promote("TINY-T2") is None  # it is that family's champion already


def test_promotion_and_rollback_are_judged_within_the_family(two_tiny, registry, tiny_registry):
    assert tiny_registry.rollback(reason="It misses thin ice.", by="ada").champion == "TINY-T1"
    assert tiny_registry.champion().name == "TINY-T1"
    registry.promote("TINY-T2", by="lise")
    assert tiny_registry.champion().name == "TINY-T2"
    assert registry.champion() is None


def test_a_download_has_the_same_bytes_and_predicts_the_same(
    settings, registry, two_tiny, tiny_registry, tmp_path, samples
):
    folder = registry.download("TINY-T2", tmp_path / "copy")
    original = {path.name: path.read_bytes() for path in (tmp_path / "tiny-0.6").iterdir()}
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == original

    loaded = load_version(settings, "TINY-T2")
    assert isinstance(loaded, Plain)
    assert (loaded.threshold, loaded.guarantees) == (0.6, None)
    expected = [prediction.mean for _, prediction in Ensemble.load(folder).predict(samples)]
    found = [prediction.mean for _, prediction in loaded.predict(samples)]
    assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))
    assert tiny_registry.load("champion").threshold == 0.6


def test_guarantees_go_with_a_version_of_any_family(settings, registry, two_tiny):
    scores = [
        ExperimentScores(
            CalibrationExperiment(name="D7", origin="new", n_images=2), np.ones((2, 1)), np.ones(2)
        )
    ]
    guarantees = fit_guarantees(scores * 12, ("background", "ice"))
    registry.attach_guarantees("TINY-T2", guarantees)
    assert load_version(settings, "TINY-T2").guarantees == guarantees


def test_work_that_needs_an_ensemble_refuses_another_kind_by_name(settings, two_tiny):
    with pytest.raises(IcefloeError) as error:
        load_ensemble(settings, "TINY-T2")
    assert str(error.value) == "TINY-T2: it is not an ensemble of networks. Name a version EA-Tn."


def test_mlflow_serves_the_version(settings, two_tiny, samples):
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(settings.tracking_uri)
    try:
        served = mlflow.pyfunc.load_model(f"models:/{settings.registered_model}-tiny@champion")
    finally:
        mlflow.set_tracking_uri(before)
    assert served.predict(samples[0].pixels)["mask"][0].shape == samples[0].pixels.shape


def test_the_familys_own_check_refuses_files(
    tiny_registry, save_ensemble, lineage_of, evaluation_of, tmp_path
):
    folder = save_ensemble(tmp_path / "other", 1)
    with pytest.raises(IcefloeError, match="other: it has no class ice"):
        tiny_registry.register(folder, lineage_of(folder, ["D1"]), evaluation_of({"D1": (0.9, 2)}))
    assert tiny_registry.list() == []


def test_a_name_of_an_unknown_family_is_no_version(registry, first):
    with pytest.raises(IcefloeError, match=r"ELIT-T2: study-\d+ has no such version\. There are EA-T1;"):
        registry.show("ELIT-T2")


def test_the_table_knows_families_by_the_names_of_their_versions(tiny):
    assert {EA, tiny} <= set(families())
    assert (family_named("EA-T12"), family_named("TINY-T1")) == (EA, tiny)
    assert [family_named(name) for name in ("champion", "EA", "EA-T", "EA-Tx", "ea-T1", "EA-T1 ")] == [
        None
    ] * 6


def test_a_second_family_of_one_prefix_is_refused(tiny):
    with pytest.raises(IcefloeError) as error:
        add_family(replace(tiny, title="another"))
    assert str(error.value) == "TINY: a family has this prefix already. Choose another prefix."


@pytest.mark.parametrize("prefix", ["ea", "", "EA-T", "É", "1A"])
def test_a_prefix_that_cannot_be_told_from_a_number_is_refused(tiny, prefix):
    with pytest.raises(IcefloeError) as error:
        add_family(replace(tiny, prefix=prefix))
    assert str(error.value) == f"{prefix!r}: not a valid prefix of versions. Use capital letters and digits."


@pytest.mark.parametrize(
    ("study", "ea", "elit"),
    [("icefloe-ea", "icefloe-ea", "icefloe-elit"), ("melting", "melting", "melting-elit")],
)
def test_the_registered_model_of_the_ea_versions_is_the_studys(tiny, study, ea, elit):
    assert EA.registered_model(study) == ea
    assert replace(tiny, prefix="ELIT").registered_model(study) == elit
