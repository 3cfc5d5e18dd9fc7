"""The study's page: verdicts first, then the tables behind them."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from icefloe.statistics.interval import Interval
from icefloe.statistics.repetitions import over_seeds
from studies.label_cost.contenders import BASELINES
from studies.label_cost.curves import Array, Curves
from studies.label_cost.labour import LOOK_MINUTES, SCRATCH_MINUTES, TOLERANCE
from studies.label_cost.verdicts import signed

if TYPE_CHECKING:
    from studies.label_cost.study import LabelCostStudy

UNIFORM, BY_FOREGROUND = BASELINES

AREAS = """\
Area under Dice over the logarithm of the number of labels, divided by its width, mean over the arriving
datasets. Differences are taken seed by seed; their intervals (t, Bonferroni) hold at 95 % for all
strategies together."""

SAVED = """\
How many labels fewer than a baseline a strategy needs for the Dice that the baseline reaches with {asked}
labels. Read off the mean curves, made to rise, along straight lines. Below zero it needs more; where it
never gets there, the largest number tried counts, so that a loss is at least what is said. Intervals
over seeds, the wider of a bootstrap's and a jackknife's: 95 % for each dataset; those of the last column
hold for all strategies together."""

MINUTES = """\
To reach the Dice above on all arriving datasets, {uniform}'s with {asked} labels. From scratch an image
takes {scratch:g} min (the paper's figure). Correcting is **an estimate, not a measurement**: a look of
{look:g} min (assumed), and of the {scratch:g} min the share of the outline that the newest version drew
wrong, farther off than two people's outlines of one image hardly ever are ({tolerance:.1f} of 960 px, the
95th percentile of their distances on the published images with two labels). {measured} An image of the
first round, drawn by a version that knows nothing of the dataset, takes {first:.1f} min, one of the last
round {last:.1f} min."""

SCORES = """\
Test images' pixels pooled. Mean and 95 % t interval over seeds: it covers first weights, draws and what is
tested on, not the choice of datasets."""

HOW = """\
- {setup}
- Of each arriving dataset three images in ten are held out for testing, in blocks of time that begin
  elsewhere with each seed; where there are 20 images, those beside a block are left out. Everybody chooses
  from the same rest, which has one of each group of duplicates.
- A round's labels are chosen with the version of the round before. Each retraining starts from the first
  version's weights, on standard datasets and all labels so far, so that the same labels make the same
  version.
- {uniform} and {by_foreground} (chances in proportion to the predicted foreground) draw freely. Strategies
  keep apart in time (`spread: {spread:g}`); random-spread does so too and nothing else.
- A pixel is foreground from a mean probability of 0.5 on. Gate, pruning and promotion are left out:
  versions that would be refused count as well. Labels are the reference masks, without a person's errors."""


def page(study: "LabelCostStudy") -> str:
    """Markdown without the heading."""
    return "\n\n".join(
        [
            "\n".join(f"- {line}" for line in study.verdicts()),
            "![Dice against labels, a panel for each arriving dataset](label-cost-curves.png)",
            "## Area under the learning curve",
            AREAS,
            _areas(study),
            "## Labels saved",
            SAVED.format(asked=_asked(study)),
            *(_saved(study, baseline) for baseline in BASELINES),
            "![Labels saved by each strategy](label-cost-saved.png)",
            "## A person's minutes",
            _minutes_in_words(study),
            _minutes(study),
            "![Dice against a person's minutes](label-cost-minutes.png)",
            "## Dice and IoU",
            SCORES,
            *(part for curves in study.arrivals for part in _scores(curves)),
            "## What was chosen",
            "![How often each image was chosen](label-cost-picked.png)",
            "## How",
            HOW.format(
                setup=study.setup.sentence(),
                uniform=UNIFORM,
                by_foreground=BY_FOREGROUND,
                spread=study.setup.spread,
            ),
        ]
    )


def _areas(study: "LabelCostStudy") -> str:
    gains = {(each.strategy, each.baseline): signed(each.gain) for each in study.comparisons}
    rows = [
        [
            _emphasised(name, study.best),
            str(over_seeds(areas)),
            *(gains.get((name, baseline), "") for baseline in BASELINES),
        ]
        for name, areas in zip(study.contenders, study.areas, strict=True)
    ]
    return _table(["strategy", "area", *(f"less {baseline}'s" for baseline in BASELINES)], rows)


def _saved(study: "LabelCostStudy", baseline: str) -> str:
    names = [curves.dataset for curves in study.arrivals]
    rows = [
        [
            _emphasised(each.strategy, study.best),
            *(signed(each.saved_by_dataset[name], 1) for name in names),
            f"{signed(each.saved, 1)}: {each.verdict}",
        ]
        for each in study.comparisons
        if each.baseline == baseline
    ]
    asked = sum(curves.asked for curves in study.arrivals)
    return _table([f"against {baseline}", *names, f"together, of {asked}"], rows)


def _minutes_in_words(study: "LabelCostStudy") -> str:
    first, last = study.minutes_an_image
    measured = "Nobody's time was measured."
    if study.n_measured:
        measured = (
            f"For {study.n_measured} images the time that a person took was measured and counts instead."
        )
    return MINUTES.format(
        uniform=UNIFORM,
        asked=_asked(study),
        scratch=SCRATCH_MINUTES,
        look=LOOK_MINUTES,
        tolerance=960 * TOLERANCE,
        measured=measured,
        first=first,
        last=last,
    )


def _minutes(study: "LabelCostStudy") -> str:
    rows = [
        [_emphasised(name, study.best), _to_a_tenth(scratch), _to_a_tenth(correcting)]
        for name, (scratch, correcting) in study.minutes.items()
    ]
    return _table(["strategy", "from scratch, min", "correcting, min"], rows)


def _scores(curves: Curves) -> list[str]:
    trivial = ", ".join(f"{name} {dice:.3f}" for name, dice in curves.trivial.items())
    header = [f"{count} label{'' if count == 1 else 's'}" for count in curves.labels]
    return [
        f"### {curves.dataset}, after {_listed(curves.standard)}",
        f"{curves.n_test:.0f} images to test on, {curves.n_pool:.0f} to choose from (mean over seeds). "
        f"Dice with all of these labelled: {over_seeds(curves.ceiling)}. Without learning: {trivial}.",
        _table(["Dice", *header], _by_contender(curves.contenders, curves.dice)),
        _table(["IoU", *header], _by_contender(curves.contenders, curves.iou)),
    ]


def _by_contender(contenders: Sequence[str], values: Array) -> list[list[str]]:
    return [
        [name, *(str(over_seeds(column)) for column in of_one.T)]
        for name, of_one in zip(contenders, values, strict=True)
    ]


def _asked(study: "LabelCostStudy") -> str:
    return _listed(f"{curves.asked} ({curves.dataset})" for curves in study.arrivals)


def _to_a_tenth(estimate: Interval) -> str:
    bounds = "" if estimate.n < 2 else f" [{estimate.low:.1f}, {estimate.high:.1f}]"
    return f"{estimate.mean:.1f}{bounds}"


def _emphasised(name: str, best: str) -> str:
    return f"**{name}**" if name == best else name


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
