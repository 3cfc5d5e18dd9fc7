"""Datasets that join a version's benchmark: with a real small ensemble in a real registry."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile

from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.drift.benchmark import Benchmark, predicted_rows
from icefloe.drift.report import GateReport
from icefloe.ensemble.ensemble import Ensemble
from icefloe.errors import IcefloeError
from icefloe.evaluation.compare import compare
from icefloe.evaluation.evaluate import evaluate
from icefloe.evaluation.rule import PromotionRule
from icefloe.registry.lineage import DataState, LabelledImage, Lineage, member_hashes
from icefloe.registry.registry import Registry
from icefloe.settings import load_settings
from icefloe.workflow.drift import accept_experiment
from tests.stores import new_store


@pytest.fixture
def settings(tmp_path, rng):
    """A workspace with D6, eight images like those of the benchmark, and D7, whose noise is another."""
    (tmp_path / "icefloe.toml").touch()
    for name, noise in (("D6", 20), ("D7", 90)):
        folder = tmp_path / "data" / name
        (folder / "images").mkdir(parents=True)
        DatasetInfo(name=name, experiment=name).save(folder)
        for index in range(8):
            tifffile.imwrite(folder / "images" / f"s{index}.tif", disk_image(rng, noise))
    settings = load_settings(tmp_path)
    new_store(settings.state)
    return settings


def disk_image(rng, noise):
    rows, columns = np.mgrid[:80, :60]
    disk = (rows - rng.uniform(35, 45)) ** 2 + (columns - 30) ** 2 < 15**2
    return (300 - 80 * disk + rng.normal(0, noise, (80, 60))).astype(np.float32)


@pytest.fixture
def registry(settings, ensemble, samples, rng, tmp_path):
    """EA-T1, benchmarked on two experiments."""
    held_out = [
        replace(
            samples[0],
            dataset=name,
            stem=f"b{index}",
            index=index,
            pixels=disk_image(rng, 20),
            experiment=name,
        )
        for name in ("D1", "D2")
        for index in range(8)
    ]
    benchmarked = ensemble.with_benchmark(predicted_rows(ensemble.predict(held_out)))
    benchmarked.save(tmp_path / "EA-T1")
    image = LabelledImage(key="D6/s0", role="train", image_sha256="0" * 64, mask_sha256="0" * 64)
    lineage = Lineage(
        **{"data": DataState(rev="r", md5="m"), "git_sha": "", "parameters": {}, "seeds": {}, "packages": {}},
        images=(image,),
        weights_sha256=member_hashes(tmp_path / "EA-T1"),
        created="2026-01-01T00:00:00+00:00",
    )
    registry = Registry(settings)
    registry.register(tmp_path / "EA-T1", lineage, evaluate(ensemble, samples))
    return registry


def test_an_accepted_dataset_joins_without_the_images_that_were_trained_on(settings, registry):
    report = accept_experiment(settings, "D6", "EA-T1", "more of the same")
    rows = registry.accepted_rows("EA-T1")
    assert report.reference_experiments == ("D1", "D2")
    assert [row.key for row in rows] == [f"D6/s{index}" for index in range(1, 8)]
    grown = Benchmark(registry.load("EA-T1").manifest.benchmark).accept(rows)
    assert grown.experiments == ("D1", "D2", "D6")


def test_accepted_again_it_is_judged_with_itself_and_its_rows_are_replaced(settings, registry):
    accept_experiment(settings, "D6", "EA-T1", "more of the same")
    again = accept_experiment(settings, "D6", "EA-T1", "once more")
    assert again.reference_experiments == ("D1", "D2", "D6")
    assert len(registry.accepted_rows("EA-T1")) == 7


def test_what_the_gate_does_not_accept_needs_a_reason(settings, registry):
    with pytest.raises(IcefloeError, match=r"^D7 is .*say why with --reason, and it joins\.$"):
        accept_experiment(settings, "D7", "EA-T1")
    assert registry.accepted_rows("EA-T1") == ()
    assert accept_experiment(settings, "D7", "EA-T1", "another camera, checked").outcome != "accept"
    assert len(registry.accepted_rows("EA-T1")) == 8


def test_a_dataset_of_nothing_but_training_images_is_refused(settings, registry):
    for path in list((settings.data / "D6" / "images").iterdir())[0:]:
        if path.stem != "s0":
            path.unlink()
    assert len(Dataset.load(settings.data / "D6").samples) == 1
    with pytest.raises(IcefloeError, match=r"^D6: EA-T1 was trained on all of its images\. Name another"):
        accept_experiment(settings, "D6", "EA-T1")


def test_a_benchmark_of_images_that_trained_some_members_is_said_to_be_one(
    settings, registry, ensemble, member_weights, tmp_path
):
    rows = registry.load("EA-T1").manifest.benchmark
    members = tuple(
        member.model_copy(update={"trained_on": (rows[0].key, rows[1].key)})
        for member in ensemble.manifest.members
    )
    manifest = ensemble.manifest.model_copy(update={"members": members, "benchmark": rows, "name": "EA-T2"})
    Ensemble(manifest, member_weights(2), device="cpu").save(tmp_path / "EA-T2")
    lineage = registry.show("EA-T1").lineage.model_copy(
        update={"weights_sha256": member_hashes(tmp_path / "EA-T2"), "git_sha": "other"}
    )
    name = registry.register(tmp_path / "EA-T2", lineage, registry.evaluation("EA-T1")).name
    assert accept_experiment(settings, "D6", "EA-T1", "more of the same").warnings == ()
    report = accept_experiment(settings, "D6", name, "more of the same")
    assert report.warnings[0].startswith("Of the benchmark's 16 images, 2 trained some of the members")
    assert report.warnings[0] in report.to_markdown()


def test_a_report_of_a_provisional_version_says_so(settings, registry, evaluation_of):
    verdict = compare(evaluation_of({"D1": (0.5, 1)}), None, PromotionRule(n_resamples=1000))
    registry.attach_report("EA-T1", verdict)
    report = accept_experiment(settings, "D6", "EA-T1", "more of the same")
    assert report.sentence().endswith(" EA-T1 is provisional.")
    assert report.notes()[0] == f"EA-T1 is provisional: {verdict.provisional}"
    assert report.notes()[0] in report.to_markdown()
    assert GateReport.model_validate_json(report.model_dump_json()) == report
