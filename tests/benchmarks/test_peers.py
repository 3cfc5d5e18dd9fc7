"""The comparison with peers: who sees what, and whether all are scored alike."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.peers import nnunet, ours
from benchmarks.peers.cases import CASES, prepare
from benchmarks.peers.cells import Method, baseline_cell, run_cell, score
from benchmarks.peers.jobs import Job, save_prediction
from benchmarks.peers.ours import with_weights
from benchmarks.peers.smp_unet import FLIPS, augment, build, predict, train
from benchmarks.peers.table import interval, pooled, write_comparison
from benchmarks.peers.variants import VARIANTS, with_entries
from icefloe.datasets.fingerprint import ClassPrint, Fingerprint, fingerprint
from icefloe.ensemble.prediction import Prediction
from icefloe.errors import IcefloeError
from icefloe.models.weights import weights_file
from icefloe.params import DEFAULT_PARAMS, load_params
from icefloe.scoring.tally import Tally
from icefloe.training.plan import Machine
from icefloe.training.planner import ENCODERS, plan_training
from icefloe.training.speed import StepTime


@pytest.fixture
def ice(tmp_path):
    """D1 and D2 as published: a bright disc that grows; in D2 stack_9 is stack_6 with other labels."""
    folder = tmp_path / "real" / "ice"
    for name, stems in (("D1", (1, 2, 3)), ("D2", (5, 6, 9))):
        (folder / name).mkdir(parents=True)
        for stem in stems:
            radius = 6 + (6 if stem == 9 else stem)
            distance = np.hypot(*np.mgrid[-24:24, -20:20])
            image = np.where(distance < radius, 180, 90) + np.random.default_rng(6).integers(0, 20, (48, 40))
            mask = np.where(distance < radius + (stem == 9), 255, 0)
            Image.fromarray(image.astype(np.uint8)).save(folder / name / f"stack_{stem}.png")
            Image.fromarray(mask.astype(np.uint8)).save(folder / name / f"stack_{stem}_label.png")
    return folder.parent


@pytest.fixture
def prepared(ice, tmp_path):
    return prepare(CASES["ice-d1-d2"], ice, tmp_path / "prepared")


def job_of(prepared, folder, **options):
    return Job(
        prepared.source, prepared.train.path, prepared.test.path, folder, 0, 0.02, threads=1, options=options
    )


def test_the_test_images_come_without_masks_and_each_picture_once(prepared):
    assert [sample.stem for sample in prepared.train.labelled] == ["stack_1", "stack_2", "stack_3"]
    assert [sample.stem for sample in prepared.test.samples] == ["stack_5", "stack_6"]
    assert not any(sample.has_reference for sample in prepared.test.samples)
    assert [sample.stem for sample in prepared.truth.labelled] == ["stack_5", "stack_6"]
    assert not (prepared.test.path / "masks").exists() or not any((prepared.test.path / "masks").iterdir())


def test_data_that_are_not_there_are_asked_for(tmp_path):
    with pytest.raises(IcefloeError, match=r"no such folder\. Name the folder of the real data with --data"):
        prepare(CASES["ice-d1-d2"], tmp_path, tmp_path / "prepared")


def test_pooled_scores_are_those_of_the_products_evaluation(prepared):
    predictions, tally = {}, Tally(2)
    for sample in prepared.truth.samples:
        members = np.stack([sample.image() > level for level in (150, 100)]).astype(np.float32)
        prediction = Prediction.from_members(members, 0.5, np.zeros(1, np.float32))
        tally.add(sample.mask(), prediction.mean, prediction.mask, prediction.uncertainty)
        predictions[sample.stem] = prediction.mean, prediction.mask
    found, expected = pooled(score(prepared.truth, predictions.__getitem__)), tally.pooled()
    for name in ("pca", "iou", "dice", "brier", "ece"):
        assert found[name] == pytest.approx(expected[name], abs=1e-9)
    cell = baseline_cell("Otsu, foreground bright", prepared)
    assert 0.8 < pooled(cell["images"])["iou"] < 0.95  # Otsu takes the brightest of the background


def test_flips_and_rotations_move_the_mask_with_its_image():
    torch.manual_seed(0)
    masks = torch.zeros(16, 64, 64)
    masks[:, 10:30, 5:40] = 1
    images, moved = augment(masks[:, None].expand(-1, 3, -1, -1), masks)
    assert (images[:, 0].round() == moved).float().mean() > 0.99
    assert len({tuple(each.flatten().tolist()) for each in moved}) > 8


def test_an_encoder_has_the_weights_of_its_package(rng):
    network = build("lite0", 2).eval()
    random = build("lite0", 2).encoder.state_dict()
    assert network.encoder.state_dict()["bn1.running_var"].std() > 0.1
    assert torch.equal(random["conv_stem.weight"], network.encoder.state_dict()["conv_stem.weight"])
    image = rng.normal(size=(40, 56)).astype(np.float32)
    probability = predict([network], image)
    assert probability.shape == (40, 56)
    # The mean over flips of a flipped image is the flipped mean: none is left out.
    np.testing.assert_allclose(predict([network], image[::-1])[::-1], probability, atol=1e-4)
    assert len(FLIPS) == 4


def test_the_plain_script_tells_several_classes_apart(rng):
    class TwoSteps:
        shares = iter((0.0, 0.0, 0.5, 1.0))

        @property
        def share(self):
            return next(self.shares)

    masks = torch.zeros(2, 256, 256)
    masks[:, 64:128], masks[:, 128:] = 1, 2
    network, n_steps = train(build("lite0", 3), masks[:, None].expand(-1, 3, -1, -1), masks, TwoSteps(), 1.0)
    probability = predict([network], rng.normal(size=(40, 56)).astype(np.float32))
    assert n_steps == 2
    np.testing.assert_allclose(probability.sum(axis=0), np.ones((40, 56)), atol=1e-5)


def test_the_plain_script_ends_where_its_time_was_over_before_it_began(rng):
    class Late:
        share = 1.5

    masks = torch.zeros(2, 256, 256)
    masks[:, 64:128] = 1
    _, n_steps = train(build("lite0", 2), masks[:, None].expand(-1, 3, -1, -1), masks, Late(), 1.0)
    assert n_steps == 1


def test_a_cell_of_the_plain_script_is_trained_scored_and_timed(prepared, tmp_path):
    job = job_of(prepared, tmp_path / "job", encoders=["lite0"])
    cell = run_cell(Method("smp", "smp_unet", {}), prepared, job)
    assert [image["stem"] for image in cell["images"]] == ["stack_5", "stack_6"]
    assert cell["steps"][0] >= 1
    assert cell["training_s"] >= 60 * job.minutes
    assert cell["training_cpu_s"] > 0


@pytest.mark.integration
def test_nnunet_is_installed_trained_and_scored(prepared, tmp_path):
    job = job_of(
        prepared,
        tmp_path / "job",
        environment=str(tmp_path / "nnunet"),
        classes=prepared.train.info.classes,
        gpu_memory_gb=1,
    )
    cell = run_cell(Method("nnU-Net", "nnunet", {}), prepared, job)
    assert [image["stem"] for image in cell["images"]] == ["stack_5", "stack_6"]
    assert cell["steps"] == [1]
    assert cell["training_cpu_s"] > 0 < cell["prediction_cpu_s"]


def test_nnunet_refuses_masks_that_leave_pixels_out(prepared, tmp_path, monkeypatch):
    path = next((prepared.train.path / "masks").iterdir())
    mask = np.asarray(Image.open(path)).clip(0, 1)
    mask[0, 0] = 255
    Image.fromarray(mask).save(path)
    (tmp_path / "job").mkdir()
    monkeypatch.setattr(nnunet, "environment", lambda folder: tmp_path)
    with pytest.raises(IcefloeError, match="the mask leaves pixels out"):
        nnunet.main(job_of(prepared, tmp_path / "job", environment=""))


def test_a_method_that_fails_leaves_its_reason(prepared, tmp_path):
    job = job_of(prepared, tmp_path / "job", encoders=["lite9"])
    cell = run_cell(Method("smp", "smp_unet", {}), prepared, job)
    assert "images" not in cell
    assert "lite9" in cell["error"]


def test_minutes_may_be_counted_in_cpu_time(prepared, tmp_path):
    (tmp_path / "job").mkdir()
    content = {**job_of(prepared, tmp_path / "job").__dict__, "minutes": 1e-4, "by_cpu": True}
    clock = Job(**content).clock()
    while clock.share < 1:
        sum(range(10_000))
    clock.trained()
    clock.predicted(steps=1)
    assert json.loads((tmp_path / "job" / "about.json").read_text())["training_s"] > 0


def test_a_prediction_without_a_mask_takes_the_likeliest_class(prepared, tmp_path):
    job = job_of(prepared, tmp_path)
    save_prediction(job, "a", np.array([[0.2, 0.5]], np.float32))
    save_prediction(job, "b", np.array([[[0.2]], [[0.5]], [[0.3]]], np.float32))
    assert np.load(tmp_path / "a.npz")["mask"].tolist() == [[0, 1]]
    assert np.load(tmp_path / "b.npz")["mask"].tolist() == [[1]]


def test_first_weights_take_encoders_that_have_them():
    training = load_params(DEFAULT_PARAMS, "small").training
    scratch, sim, photographs = (with_weights(training, name) for name in ("none", "sim", "imagenet"))
    assert [spec.encoder for spec in scratch.members] == [spec.encoder for spec in training.members]
    assert [spec.weights for spec in sim.members] == ["sim"] * 3
    assert {spec.encoder for spec in photographs.members} == set(ENCODERS)
    for spec in photographs.members:
        assert weights_file(spec.encoder, spec.weights).is_file()


def test_the_plan_is_for_the_networks_that_are_trained_and_the_cores_they_get(prepared, monkeypatch):
    timed = []

    def step_time(member, size, batch, n_classes, threads):
        timed.append((member.encoder, member.weights, threads))
        return StepTime(seconds=1.0, precision="fp32")

    monkeypatch.setattr(ours, "step_time", step_time)
    found = fingerprint([prepared.train])
    plans = {name: ours.plan_for(found, name, 1, 10) for name in ("none", "sim", "imagenet")}
    assert [weights for _, weights, _ in timed] == ["none", "sim", "imagenet"]
    assert {threads for *_, threads in timed} == {1}
    assert timed[1][0] in {spec.encoder for spec in with_weights(plans["sim"].training, "sim").members}
    assert plans["imagenet"].minutes == pytest.approx(10, abs=1)


def test_the_table_shows_intervals_over_images_and_seeds_and_what_failed(prepared, tmp_path):
    cell = baseline_cell("Otsu, foreground bright", prepared) | {"case": "ice-d1-d2", "training_s": 60.0}
    worse = baseline_cell("all background", prepared) | {"case": "ice-d1-d2", "training_s": 60.0}
    cells = [
        cell | {"method": "ours-sim", "seed": 0},
        worse | {"method": "ours-sim", "seed": 1},
        worse | {"method": "smp-lite0", "seed": 0},
        {"case": "ice-d1-d2", "method": "smp-lite0", "seed": 1, "error": "killed"},
    ]
    methods = {"ours-sim": Method("Icefloe, sim", "ours"), "smp-lite0": Method("smp, lite0", "smp_unet")}
    text = write_comparison(tmp_path / "out", cells, CASES, methods, "the command")
    assert "- ice-d1-d2, smp-lite0, seed 1: killed" in text
    seeds = interval(cells[:2], "iou")
    mean = np.mean([pooled(each["images"])["iou"] for each in cells[:2]])
    assert seeds.mean == pytest.approx(mean)
    assert seeds.high - seeds.mean > interval(cells[:1], "iou").high - interval(cells[:1], "iou").mean
    assert f"{mean:.3f}" in text
    assert (tmp_path / "out" / "peers.md").read_text() == text


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_differs_from_the_plan_in_its_own_entries_and_no_others(name):
    found = Fingerprint(
        datasets={"D1": 10},
        largest=(894, 960),
        pixel_sizes_nm={"D1": None},
        background="water",
        classes=(ClassPrint(name="ice", share=0.1, width=150, n_objects=10),),
    )
    timing = StepTime(1.0, "fp32")
    planned = plan_training(found, Machine(cores=2, gpu=None), timing=lambda *_: timing).training

    varied = with_entries(planned, VARIANTS[name])

    changed = {entry for entry, value in varied if value != getattr(planned, entry)}
    assert changed <= {"members" if entry == "decoder_channels" else entry for entry in VARIANTS[name]}
    assert changed
