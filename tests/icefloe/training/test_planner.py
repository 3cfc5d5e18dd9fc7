"""The plan of a first version: what follows from the data, the machine and the time."""

import pytest

from icefloe.datasets.fingerprint import ClassPrint, Fingerprint
from icefloe.training.plan import Machine
from icefloe.training.plan_length import MOST_STEPS, STEPS_PER_EPOCH
from icefloe.training.planner import plan_training
from icefloe.training.speed import StepTime

TWO_CORES = Machine(cores=2, gpu=None)


def a_step_of(seconds, precision="fp32"):
    return lambda *_: StepTime(seconds, precision)


def found(width=156.0, largest=(894, 960), n_labelled=20, pixel_sizes=(None, None), name="ice", n_objects=20):
    return Fingerprint(
        datasets={"D1": n_labelled - n_labelled // 2, "D2": n_labelled // 2},
        largest=largest,
        pixel_sizes_nm=dict(zip(("D1", "D2"), pixel_sizes, strict=True)),
        background="background",
        classes=(ClassPrint(name=name, share=0.1, width=width, n_objects=n_objects),),
    )


def plan(data=None, machine=TWO_CORES, minutes=10.0, seconds=1.5):
    return plan_training(data or found(), machine, minutes, timing=a_step_of(seconds))


def why(plan, what):
    (decision,) = [decision for decision in plan.decisions if decision.what == what]
    return f"{decision.choice}: {decision.why}"


def test_objects_that_fill_the_image_are_seen_whole():
    made = plan()

    assert (made.training.preprocessing.view, made.training.preprocessing.size) == ("whole", 192)
    assert why(made, "view") == (
        "whole images at 192 px: ice is about 156 px wide in 960 px images, 31 px in the square"
    )


@pytest.mark.parametrize(
    ("width", "gpu", "size"), [(128, None, 192), (110, None, 224), (60, None, 256), (60, "H200", 416)]
)
def test_the_square_is_as_large_as_objects_need(width, gpu, size):
    made = plan(found(width=width, largest=(1024, 1024)), Machine(cores=2, gpu=gpu))

    assert made.training.preprocessing.size == size


def test_a_crack_that_would_vanish_in_the_square_is_seen_in_tiles():
    made = plan(found(width=6.7, largest=(1024, 1024), name="crack"))

    assert made.training.preprocessing.view == "tiles"
    assert made.training.preprocessing.downsampling == 1
    assert why(made, "view") == (
        "tiles of 256 px at native resolution: crack is about 6.7 px wide in 1024 px images; scaled to 256 "
        "px it would be 1.7, less than the 6 that networks need"
    )


def test_a_wide_lattice_in_a_large_image_keeps_the_resolution_that_it_needs():
    made = plan(found(width=40, largest=(4096, 4096)))

    assert made.training.preprocessing.downsampling == 3
    assert "1/3 of the native resolution" in made.sentence()


def test_experiments_of_different_magnification_are_brought_to_one_pixel_size():
    made = plan(found(width=8, largest=(2048, 2048), pixel_sizes=(0.2, 0.1)))

    assert made.training.preprocessing.pixel_size_nm == 0.2


def test_a_small_image_is_never_tiled():
    assert plan(found(width=3, largest=(200, 256))).training.preprocessing.view == "whole"


@pytest.mark.parametrize("minutes", [5, 10, 30])
def test_the_time_is_used_and_kept(minutes):
    made = plan(minutes=minutes)

    assert made.minutes == pytest.approx(minutes, rel=0.1)


def test_epochs_are_longer_where_validation_sees_large_images_whole():
    small, large = plan(), plan(found(width=6.7, largest=(2048, 2048), name="crack"))

    assert small.training.draws_per_epoch == STEPS_PER_EPOCH * 4
    assert large.training.draws_per_epoch > 10 * small.training.draws_per_epoch
    assert large.minutes == pytest.approx(10, rel=0.3)


def test_a_slow_machine_is_told_that_the_time_is_too_short():
    made = plan(seconds=30)

    assert made.minutes > 40
    assert "; 10 min allow 11 steps, and fewer than 60 teach little" in why(made, "length")


def test_a_fast_one_stops_where_more_steps_add_little():
    made = plan(machine=Machine(cores=32, gpu="H200"), seconds=0.01)

    assert made.training.epochs * STEPS_PER_EPOCH == pytest.approx(MOST_STEPS, rel=0.01)
    assert made.minutes < 10


def test_a_busy_machine_is_told_that_more_steps_would_fit_without_the_others():
    busy = plan(machine=Machine(cores=2, gpu=None, load=6.5))

    assert "; other programs are at work (load 6.5): without them more steps would fit" in why(busy, "length")
    assert "other programs" not in why(plan(machine=Machine(cores=2, gpu=None, load=0.8)), "length")


def test_few_labels_are_divided_into_folds_and_many_are_not():
    assert plan(found(n_labelled=20)).split.folds == 3
    assert plan(found(n_labelled=200)).split.folds == 0


def test_few_objects_are_varied_in_every_way_and_many_learned_as_they_are():
    few, many = plan(found(n_objects=20)).training, plan(found(n_objects=180, name="particle")).training

    assert (few.simulated_share, many.simulated_share) == (0.5, 0)
    assert few.augmentation.contrast > many.augmentation.contrast
    assert few.augmentation.rotation_deg == many.augmentation.rotation_deg
    assert few.learning_rate < many.learning_rate
    assert few.retraining.learning_rate < many.retraining.learning_rate
    assert why(plan(found(n_objects=180, name="particle")), "simulated images") == (
        "none: 20 labelled images show 180 objects of particle, which teach more than simulated ones"
    )


def test_a_long_series_of_one_crystal_shows_no_variety():
    made = plan(found(n_labelled=300, n_objects=310))

    assert made.training.simulated_share == 0.5
    assert why(made, "simulated images").endswith(
        "300 labelled images show 310 objects of ice, too few or too much alike to tell what others look like"
    )


def test_half_of_each_batch_is_simulated_where_there_is_one_kind_of_object():
    data = found()
    several = data.model_copy(update={"classes": (*data.classes, data.classes[0])})

    assert plan(data).training.simulated_share == 0.5
    assert plan(several).training.simulated_share == 0
    assert plan(several).training.draws_per_epoch == STEPS_PER_EPOCH * 8
    assert plan(several).training.learning_rate > plan(data).training.learning_rate
    assert why(plan(several), "simulated images").endswith("one kind of object, and the data have 2")


def test_the_faster_number_format_is_used():
    assert plan_training(found(), TWO_CORES, timing=a_step_of(1, "bf16")).training.precision == "bf16"


def test_a_plan_read_back_is_the_one_made():
    made = plan()

    assert type(made).model_validate_json(made.model_dump_json()) == made


def test_a_plan_shows_its_reasons_in_a_table_and_a_figure():
    made = plan(found(width=6.7, largest=(1024, 1024), name="crack"))

    assert "because" not in made.table().markdown()
    assert "crack" in made.table().markdown()
    (axis,) = made.figure().axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["crack"]
