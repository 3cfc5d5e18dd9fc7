"""`icefloe study`: the papers' tables and figures, and further ones, on the workspace's datasets."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icefloe.cli.context import bold, progress, say, settings

if TYPE_CHECKING:
    from icefloe.progress import Progress
    from icefloe.settings import Settings
    from studies.kit.study import StudyResult

app = typer.Typer(
    help="Studies: tables and figures with intervals, on the workspace's datasets.", no_args_is_help=True
)

Output = Annotated[Path, typer.Option(help="Folder for the page, its figures and its numbers.")]
STUDIES = Path("studies")


def _run(study: Callable[[Settings, Progress], StudyResult], output: Path) -> None:
    """Run a study; print its findings and where its page is."""
    from studies.kit.study import run_study

    command = shlex.join(["icefloe", *sys.argv[1:]])
    with progress() as bars:
        result, page = run_study(study, settings(), output, command, bars)
    for line in result.findings():
        say(line)
    say("Page with figures: ", bold(page))


@app.command("label-cost")
def label_cost(
    standard: Annotated[
        list[str] | None,
        typer.Option(help="Dataset of the first version; repeat for more. Default: all labelled ones."),
    ] = None,
    arriving: Annotated[
        list[str] | None,
        typer.Option(
            help="Dataset that arrives without labels; repeat for more. Default: all with labels held back, "
            "and each labelled one after those before it, the first after the second."
        ),
    ] = None,
    strategy: Annotated[
        list[str] | None,
        typer.Option(help="A further strategy to choose images by, beside the preset's; repeat for more."),
    ] = None,
    seconds: Annotated[
        str, typer.Option(help="A person's seconds on a dataset by the end of each round.")
    ] = "15,30,60",
    seeds: Annotated[int, typer.Option(help="Repetitions.", min=1)] = 4,
    preset: Annotated[str, typer.Option(help="Preset of params.yaml.")] = "light",
    output: Output = STUDIES,
) -> None:
    """Label cost: images and regions, at random and by strategy, at equal seconds of a person."""
    from studies.label_cost.run import run_label_cost

    _run(
        partial(
            run_label_cost,
            standard=standard or (),
            arriving=arriving or (),
            strategies=strategy or (),
            seconds=seconds,
            n_seeds=seeds,
            preset=preset,
        ),
        output,
    )


@app.command("ea-vs-er")
def ea_vs_er(
    standard: Annotated[
        list[str] | None,
        typer.Option(help="Dataset of the first version; repeat for more. Default: all labelled ones."),
    ] = None,
    arriving: Annotated[
        list[str] | None,
        typer.Option(
            help="Dataset that arrives later, in order; repeat for more. Default: all with labels held back."
        ),
    ] = None,
    preset: Annotated[
        str, typer.Option(help="A preset of params.yaml; its members are the architectures.")
    ] = "study",
    seeds: Annotated[int, typer.Option(help="Networks of each architecture, at least 3.")] = 6,
    output: Output = STUDIES,
) -> None:
    """Ensembles of architectures against ensembles of seeds: Baskaran et al. 2022, tables 4 to 6."""
    from studies.ea_vs_er.run import run_ea_vs_er

    _run(
        partial(
            run_ea_vs_er,
            standard=standard or (),
            arriving=arriving or (),
            preset=preset,
            n_seeds=seeds,
        ),
        output,
    )


@app.command()
def uncertainty(
    ensemble: Annotated[
        Path | None, typer.Option(help="A saved ensemble. Default: the workspace's champion.")
    ] = None,
    experiments: Annotated[int, typer.Option(help="Number of simulated experiments.")] = 240,
    seed: Annotated[int, typer.Option(help="Seed of the experiments and of random splits.")] = 0,
    output: Output = STUDIES,
) -> None:
    """Uncertainty: coverage of intervals, calibration, ranking of errors, abstaining."""
    from studies.uncertainty.run import run_uncertainty

    _run(partial(run_uncertainty, ensemble=ensemble, n_experiments=experiments, seed=seed), output)


@app.command()
def gate(
    ensemble: Annotated[
        Path | None, typer.Option(help="A saved ensemble. Default: the workspace's champion.")
    ] = None,
    standard: Annotated[
        int, typer.Option(min=11, help="Number of standard experiments, for false alarms.")
    ] = 200,
    repeats: Annotated[int, typer.Option(min=2, help="Experiments of each cause and strength.")] = 12,
    per_day: Annotated[float, typer.Option(min=0, help="Experiments checked per day.")] = 4.0,
    processes: Annotated[int, typer.Option(min=1, help="Processes that simulate experiments.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the experiments.")] = 0,
    output: Output = STUDIES,
) -> None:
    """Drift gate: false alarms per month, smallest shifts detected, and whether the cause named is right."""
    from studies.gate.run import run_gate

    _run(
        partial(
            run_gate,
            ensemble=ensemble,
            n_standard=standard,
            repeats=repeats,
            per_day=per_day,
            processes=processes,
            seed=seed,
        ),
        output,
    )


@app.command("predicted-dice")
def predicted_dice(
    ensemble: Annotated[
        Path | None, typer.Option(help="A saved ensemble. Default: the workspace's champion.")
    ] = None,
    standard: Annotated[int, typer.Option(min=11, help="Number of standard experiments.")] = 200,
    repeats: Annotated[int, typer.Option(min=2, help="Experiments of each cause and strength.")] = 12,
    processes: Annotated[int, typer.Option(min=1, help="Processes that simulate experiments.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the experiments.")] = 0,
    output: Output = STUDIES,
) -> None:
    """Dice predicted before labels: coverage of its intervals, and correlation with the truth."""
    from studies.predicted_dice.run import run_predicted_dice

    _run(
        partial(
            run_predicted_dice,
            ensemble=ensemble,
            n_standard=standard,
            repeats=repeats,
            processes=processes,
            seed=seed,
        ),
        output,
    )


@app.command()
def promotion(
    worlds: Annotated[int, typer.Option(min=1, help="First versions, each of its own experiments.")] = 12,
    arrivals: Annotated[int, typer.Option(min=1, help="Experiments that arrive at each.")] = 20,
    processes: Annotated[int, typer.Option(min=1, help="Processes that simulate and train.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the experiments.")] = 0,
    output: Output = STUDIES,
) -> None:
    """Promotion gate: what it promotes after two labels, how often wrongly, and what it misses."""
    from studies.promotion.run import run_promotion

    _run(
        partial(run_promotion, worlds=worlds, arrivals=arrivals, processes=processes, seed=seed),
        output,
    )


@app.command()
def transfer(
    standard: Annotated[
        list[str] | None,
        typer.Option(
            help="Dataset whose labels train and test; repeat for more. Default: all labelled ones."
        ),
    ] = None,
    arriving: Annotated[
        list[str] | None,
        typer.Option(
            help="Dataset with a curve of its own; repeat for more. Default: all with labels held back."
        ),
    ] = None,
    encoder: Annotated[
        list[str] | None,
        typer.Option(help="Encoder of the zoo; repeat for more. Default: efficientnet-lite0."),
    ] = None,
    preset: Annotated[
        str, typer.Option(help="Preset of params.yaml; its training, and its first member's decoder.")
    ] = "study",
    seeds: Annotated[int, typer.Option(min=1, help="Repetitions.")] = 4,
    frozen: Annotated[bool, typer.Option(help="Also train pre-trained encoders' decoders alone.")] = False,
    output: Output = STUDIES,
) -> None:
    """Pre-trained weights: scratch, sim, imagenet and image-sim at 2, 5, 10 and 20 labels (figure 6)."""
    from studies.transfer.run import run_transfer

    _run(
        partial(
            run_transfer,
            standard=standard or (),
            arriving=arriving or (),
            encoders=encoder or ("efficientnet-lite0",),
            preset=preset,
            n_seeds=seeds,
            frozen=frozen,
        ),
        output,
    )
