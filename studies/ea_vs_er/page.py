"""The page: verdicts first, then what they rest on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from studies.ea_vs_er.claims import HERE, HOLDS, NOT, UNDECIDED, effects_table, matrix
from studies.ea_vs_er.tables import ambiguity_table, diversity_table, scores_table

if TYPE_CHECKING:
    from icefloe.datasets.dataset import DatasetInfo
    from studies.ea_vs_er.study import EaVsErStudy

PAGE = """
{n_networks} networks: {architectures}, each with {n_seeds} seeds, at {pixels} px.
**EA**: one network each of {size} architectures, all of one seed{choices}.
**ER-i**: {size} seeds of architecture i. Both are made of the same networks and of the same size, so only the
choice of architectures differs. {what_a_seed_varies}

T1 is trained on {n_train} images of {standard}; {n_validation} more validate it and set temperature and
threshold. For each of {arriving} in turn, {n_labels} images are drawn at random and labelled, anew for each
seed, and the networks go on from the version before (T2, ...). ERs stay at T1, as in the paper. Scores are
taken on images that nothing is trained on: {test_sets}. Of an arriving dataset, labels are drawn from some
blocks of time and scores taken on others.

{datasets}

## What holds on this data

{verdicts}

{failing}

- **{HOLDS}**: the 95 % interval over seeds lies on the claim's side, and so does the one over images, where
  both sides of a comparison are of the same images.
- **{HERE}**: the one over seeds does, the one over images does not: other images might turn it.
- **{NOT}**: the interval over seeds lies on the other side. Where a claim makes several comparisons, one of
  them does, at a level shared among them.
- **{UNDECIDED}**: none of these.

![Scores of T1 with intervals over seeds, the paper's beside](ea-vs-er-scores.png)

## The paper's tables 4 to 6

Pixels of a test set are pooled; UQ is the mean over images. ± is half the 95 % t interval over {n_seeds}
seeds. EAs of different seeds share no network. ERs do, so their interval is that of jackknife
pseudo-values, which count each seed once and err on the wide side. The interval covers first weights and,
after T1, which images were drawn; not the order of images in training, which all networks share, nor the
choice of datasets or test images. "one ..." is a network alone, "all networks" one ensemble of all. The
threshold is each ensemble's best Dice on the validation images (the paper's: .4). The paper's columns are of
its own D1-D2, D3 and D4, in this order.

{tables}

![Scores over the versions, the paper's beside](ea-vs-er-versions.png)

## Every effect

Differences, and ratios of uncertainties (×), with 95 % intervals over seeds, and over images for the mean
of single images' scores; the paper's from its tables.

{effects}

## Calibration (the paper's figure 5)

T1, the pixels of all ensembles of a kind together. Above: how often pixels of a predicted probability are
foreground; on the diagonal probabilities are what they say. Below: the paper's curve, the share of those
pixels that is classified right, which tells where errors are and not whether probabilities are calibrated.
Mean temperature and threshold: {fits}.

![Reliability, and accuracy by predicted probability](ea-vs-er-calibration.png)

## Maps (the paper's figures 3 and 4)

The middle image of each test set by T1. Left: outlines of the EA's mask (blue) and of the reference
(amber). Right: standard deviation over members, one colour scale for all.

![Outlines and uncertainty of EA and ERs](ea-vs-er-maps.png)

## Diversity

Pairs of T1's networks, each cut at probability 1/2 (Kuncheva and Whitaker 2003). Disagreement: share of
pixels on which two masks differ. Correlation of errors, and Yule's Q: 0 where two err independently, 1
where they err alike.

{diversity}

![Disagreement and correlation of errors of every pair](ea-vs-er-diversity.png)

Averaging takes the members' ambiguity, their mean squared distance from their mean, off their mean Brier
score (Krogh and Vedelsby 1995), at the ensemble's temperature.

{ambiguity}

## Networks that pruning would have left out

None is left out here, so that EA and ER are of one size. The preset's rule on the validation images refuses

{pruning}
"""
RANDOM = """All weights are random at first, so a seed varies encoder and decoder; in the paper it varies
the decoder on a pre-trained encoder."""
GIVEN = """Encoders start from given weights ({weights}), so a seed varies the decoder only, as in the
paper."""


def text(study: EaVsErStudy) -> str:
    """Markdown."""
    design, parts = study.design, study.parts
    standard, *arriving = study.tests
    compared = {name: study.first[name] for name in study.compared}
    n_choices = len(design.ea[(0,)])
    weights = sorted({member.weights for member in design.architectures.values()})
    fits = {name: family.mean_fit for name, family in compared.items()}
    return PAGE.format(
        n_networks=len(design.specs),
        architectures=", ".join(design.architectures),
        n_seeds=design.n_seeds,
        pixels=study.config.preprocessing.size,
        size=design.size,
        choices="" if n_choices == 1 else f", {n_choices} choices of them averaged",
        what_a_seed_varies=RANDOM if weights == ["none"] else GIVEN.format(weights=", ".join(weights)),
        n_train=len(parts.train),
        n_validation=len(parts.validation),
        standard=standard,
        arriving=", ".join(arriving),
        n_labels=study.n_labels,
        datasets="\n".join(map(_dataset, study.infos)),
        test_sets=", ".join(_test_set(study, name) for name in study.tests),
        verdicts=matrix(study.claims, study.tests),
        failing="\n".join(_failing(study)) or "No claim is contradicted.",
        HOLDS=HOLDS,
        HERE=HERE,
        NOT=NOT,
        UNDECIDED=UNDECIDED,
        tables="\n\n".join(_tables(study)),
        effects=effects_table(study.claims),
        fits="; ".join(f"{name}: {fit.temperature:.2f}, {fit.threshold:.2f}" for name, fit in fits.items()),
        diversity=diversity_table(study.errors, design),
        ambiguity=ambiguity_table(compared, study.tests),
        pruning="\n".join(_pruning(study)),
    )


def _dataset(info: DatasetInfo) -> str:
    departs = f"; departs from the standard by {', '.join(info.shifts)}" if info.shifts else ""
    return f"- {info.name}: {info.source or 'source unknown'}{departs}"


def _test_set(study: EaVsErStudy, name: str) -> str:
    n, distinct = len(study.parts.tests[name]), study.parts.distinct(name)
    twice = f" ({distinct} different ones)" if distinct < n else ""
    return f"{n} of {name}{twice}"


def _failing(study: EaVsErStudy) -> Iterator[str]:
    """A sentence a claim that the data contradict."""
    for claim in dict.fromkeys(claim.text for claim in study.claims):
        tests = [each.test for each in study.claims if each.text == claim and each.word == NOT]
        if tests:
            yield f'- Contradicted on {", ".join(tests)}: "{claim}".'


def _tables(study: EaVsErStudy) -> Iterator[str]:
    for place, test in enumerate(study.tests):
        yield f"### {test}"
        yield scores_table(study.families, study.baselines[test], test, place)


def _pruning(study: EaVsErStudy) -> Iterator[str]:
    for version in study.versions:
        refusals = {
            name: study.pruning.refusal(network.receipt.val_pca, network.receipt.val_iou)
            for name, network in version.networks.items()
        }
        named = [
            f"{name} (pCA {version.networks[name].receipt.val_pca:.3f})"
            for name, reason in refusals.items()
            if reason
        ]
        yield f"- {version.name}: {len(named)} of {len(refusals)}{': ' * bool(named)}{', '.join(named)}"
