"""Which steps of a second run are the first run's, and which a change makes anew: no more, no fewer."""

import pytest
import yaml

from icefloe.params import DEFAULT_PARAMS, load_params
from icefloe.pods import Pods
from pipelines.backend import fit_for_cluster
from pipelines.catalogue import PIPELINES
from pipelines.packages import compile_package
from tests.pipelines.reuse import step_keys

ARGUMENTS = {
    "train": {"datasets": ["D1", "D2"]},
    "drift_check": {"dataset": "D3"},
    "retrain": {"dataset": "D3"},
}
FOUND = {"resolve.data": "1f3a", "resolve.version": "EA-T1", "check-drift.Output": "shifted"}
NOT_OF_THE_DATA = {"start-run", "resolve", "collect-labels", "write-report", "close-run"}
TRAINED = {"train-members", "prune-members", "assemble-ensemble", "evaluate-ensemble", "register-version"}
CHECKED = {"predict-images", "check-drift", "select-images"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    sections = load_params(DEFAULT_PARAMS, "demo").sections()
    return {
        name: next(
            yaml.safe_load_all(
                compile_package(
                    PIPELINES[name], sections, folder / f"{name}.yaml", "icefloe:1", Pods()
                ).read_text("utf-8")
            )
        )
        for name in ARGUMENTS
    }


@pytest.fixture(params=sorted(ARGUMENTS))
def name(request):
    return request.param


def keys(packages, name, run="first", found=FOUND, **arguments):
    return step_keys(packages[name], ARGUMENTS[name] | arguments, found, run)


def changed(before, after):
    assert set(before) == set(after)
    return {step for step in before if before[step] != after[step]}


def test_a_second_run_with_nothing_changed_has_the_same_inputs_in_every_step(packages, name):
    assert changed(keys(packages, name), keys(packages, name, run="second")) == set()


@pytest.mark.parametrize(
    ("name", "made_anew"),
    [
        ("train", {"get-data", *TRAINED}),
        ("retrain", {"get-data", *TRAINED}),
        ("drift_check", {"get-data", *CHECKED}),
    ],
)
def test_a_new_label_makes_anew_what_comes_of_the_data(packages, name, made_anew):
    after = keys(packages, name, found=FOUND | {"resolve.data": "77e0"})
    assert changed(keys(packages, name), after) == made_anew


@pytest.mark.parametrize(
    ("name", "made_anew"),
    [("train", set()), ("retrain", {"get-ensemble", *TRAINED}), ("drift_check", {"get-ensemble", *CHECKED})],
)
def test_a_new_champion_makes_anew_what_comes_of_it(packages, name, made_anew):
    after = keys(packages, name, found=FOUND | {"resolve.version": "EA-T2"})
    assert changed(keys(packages, name), after) == made_anew


@pytest.mark.parametrize(
    ("name", "section", "made_anew"),
    [
        ("train", "split", {"get-data", *TRAINED}),
        ("train", "training", TRAINED),
        ("train", "pruning", TRAINED - {"train-members"}),
        ("train", "promotion", {"register-version"}),
        ("retrain", "training", TRAINED),
        ("drift_check", "gate", {"check-drift"}),
        ("drift_check", "sampling", {"select-images"}),
    ],
)
def test_another_preset_makes_anew_what_its_sections_reach(packages, name, section, made_anew):
    assert changed(keys(packages, name), keys(packages, name, **{section: {"other": 1}})) >= made_anew
    assert changed(keys(packages, name), keys(packages, name, **{section: {"other": 1}})) <= made_anew


def test_another_image_makes_everything_anew(packages, name):
    before = keys(packages, name)
    fit_for_cluster(packages[name], "icefloe:2", Pods())
    after = keys(packages, name)
    fit_for_cluster(packages[name], "icefloe:1", Pods())

    assert changed(before, after) == set(before)


def test_another_dataset_is_another_data_bundle(packages):
    after = keys(packages, "drift_check", dataset="D4")
    assert changed(keys(packages, "drift_check"), after) == {"start-run", "get-data", *CHECKED}
