"""The claims of the paper, and the objections to it, each as effects measured on the test sets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from icefloe.scoring.diversity import ErrorCounts
from studies.ea_vs_er.claims import FALLS, RISES, Claim, Effect
from studies.ea_vs_er.design import EA, Design, er_name
from studies.ea_vs_er.pairs import DIFFERENT, diversity, same
from studies.ea_vs_er.published import published, published_effect
from studies.ea_vs_er.results import FamilyScores, Values

NAMES = {"pca": "pCA", "iou": "IoU", "uq": "UQ", "uq_boundary": "UQ per boundary"}


@dataclass(frozen=True)
class _Who:
    """An ensemble with the name by which the paper knows it."""

    name: str
    scores: FamilyScores


def measure_claims(
    first: Mapping[str, FamilyScores],
    ea: Sequence[FamilyScores],
    architectures: Sequence[str],
    tests: Sequence[str],
) -> list[Claim]:
    """Every claim on every test set it speaks of.

    Parameters
    ----------
    first
        Families of T1 by name.
    ea
        The EA of T1, T2, ...
    architectures
        Names of the ERs' architectures.
    tests
        Test sets, the standard one first, then in the order in which they arrived.
    """
    versions = [_Who(f"EA-T{number}", scores) for number, scores in enumerate(ea, 1)]
    ers = [_Who(er_name(name), first[er_name(name)]) for name in architectures]
    return [
        *_ea_beats_er(_Who("EA-T1", first[EA]), ers, tests),
        *_uncertainty_rises(versions, tests),
        *_retraining_helps(versions, tests),
        *_blind([*ers, versions[0]], tests),
        *_forgets(versions, tests),
    ]


def architectures_differ(errors: Mapping[str, ErrorCounts], design: Design) -> Iterator[Claim]:
    """What an EA rests on: different architectures err less alike than seeds of one."""
    for test, counts in errors.items():
        values = {kind: of["error_correlation"] for kind, of in diversity(counts, design).items()}
        effects = (
            Effect(
                what=f"correlation of errors: {DIFFERENT} - {same(name)}",
                expected=FALLS,
                per_seed=_tuple(values[DIFFERENT] - values[same(name)]),
            )
            for name in design.architectures
        )
        yield Claim("Architectures err less alike than seeds of any one", test, tuple(effects))


def _ea_beats_er(ea: _Who, ers: Sequence[_Who], tests: Sequence[str]) -> Iterator[Claim]:
    for metric in ("pca", "iou"):
        for place, test in enumerate(tests):
            effects = (_between(ea, er, test, place, metric, RISES) for er in ers)
            yield Claim(f"EA beats every ER on {NAMES[metric]}", test, tuple(effects))


def _uncertainty_rises(versions: Sequence[_Who], tests: Sequence[str]) -> Iterator[Claim]:
    for metric in ("uq", "uq_boundary"):
        for place, test in enumerate(tests[1:], 1):
            # T1 on every new dataset; and the version that meets it, which has learned those before it.
            meeting = {version.name: version for version in (versions[0], versions[place - 1])}
            effects = (_over_tests(who, tests, place, metric, RISES) for who in meeting.values())
            yield Claim(f"{NAMES[metric]} rises on new data", test, tuple(effects))


def _retraining_helps(versions: Sequence[_Who], tests: Sequence[str]) -> Iterator[Claim]:
    for metric, expected in (("uq", FALLS), ("pca", RISES), ("iou", RISES)):
        for place, test in enumerate(tests[1:], 1):
            effect = _between(versions[place], versions[place - 1], test, place, metric, expected)
            goes = "falls" if expected == FALLS else "rises"
            yield Claim(f"{NAMES[metric]} {goes} after retraining on it", test, (effect,))


def _blind(ensembles: Sequence[_Who], tests: Sequence[str]) -> Iterator[Claim]:
    for who in ensembles:
        for place, test in enumerate(tests[1:], 1):
            effects = (_over_tests(who, tests, place, metric, FALLS) for metric in ("uq", "pca"))
            yield Claim(f"{who.name} is blind: surer, yet less accurate", test, tuple(effects))


def _forgets(versions: Sequence[_Who], tests: Sequence[str]) -> Iterator[Claim]:
    for metric in ("pca", "iou"):
        for place, test in enumerate(tests[:-1]):
            # An arriving dataset is learned with the version of its place, and may be forgotten from then on.
            effect = _between(versions[-1], versions[place], test, place, metric, FALLS)
            yield Claim(f"{NAMES[metric]} falls in later retraining (forgetting)", test, (effect,))


def _between(after: _Who, before: _Who, test: str, place: int, metric: str, expected: int) -> Effect:
    """One ensemble against another on the same images; uncertainties as ratios."""
    is_ratio = metric == "uq"
    scale = np.log if is_ratio else np.asarray
    return Effect(
        what=f"{after.name} {'/' if is_ratio else '-'} {before.name}",
        expected=expected,
        per_seed=_tuple(
            scale(after.scores.per_seed(test, metric)) - scale(before.scores.per_seed(test, metric))
        ),
        per_image=_tuple(
            scale(after.scores.per_image(test, metric)) - scale(before.scores.per_image(test, metric))
        ),
        is_ratio=is_ratio,
        published=published_effect(metric, published(after.name, place), published(before.name, place)),
    )


def _over_tests(who: _Who, tests: Sequence[str], place: int, metric: str, expected: int) -> Effect:
    """One ensemble on a new test set against the standard one; other images, so none over images."""
    standard, test = tests[0], tests[place]
    is_ratio = metric != "pca"
    if is_ratio:
        per_seed = who.scores.log_ratio_per_seed(metric, test, standard)
    else:
        per_seed = who.scores.per_seed(test, metric) - who.scores.per_seed(standard, metric)
    return Effect(
        what=f"{who.name}, {NAMES[metric]}: {test} {'/' if is_ratio else '-'} {standard}",
        expected=expected,
        per_seed=_tuple(per_seed),
        is_ratio=is_ratio,
        published=published_effect(metric, published(who.name, place), published(who.name, 0)),
    )


def _tuple(values: Values) -> tuple[float, ...]:
    return tuple(values.tolist())
