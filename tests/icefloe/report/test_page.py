"""The report of a run, from a record in a real MLflow store whose results come of small synthetic images."""

import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure
from skimage.draw import disk

from icefloe.active.sampler import Selected, Selection
from icefloe.drift.benchmark import Benchmark
from icefloe.drift.evidence import measure_evidence
from icefloe.drift.gate import check
from icefloe.ensemble.prediction import Prediction
from icefloe.ensemble.rows import ImageRow
from icefloe.evaluation.compare import compare
from icefloe.evaluation.evaluate import evaluate
from icefloe.evaluation.rule import PromotionRule
from icefloe.evaluation.temperature import check_temperature
from icefloe.registry.history import HistoryEntry
from icefloe.registry.registry import Registry
from icefloe.registry.runs import RunRecord
from icefloe.registry.submission import Submission
from icefloe.registry.version import Version
from icefloe.report.figures import SegmentedImage, gallery, html_page, png
from icefloe.report.page import write_page
from icefloe.training.pruning import PruningResult
from icefloe.training.rule import PruningRule
from tests.stores import new_store

SHAPE = (48, 64)


class Disc:
    """A sample: a dark disc in noise."""

    def __init__(self, dataset, index, contrast=80.0):
        rng = np.random.default_rng(index)
        self.dataset, self.index, self.stem, self.key = dataset, index, f"s{index}", f"{dataset}/s{index}"
        self.label = np.zeros(SHAPE, np.uint8)
        self.label[disk((24, 32), 10 + index % 5)] = 1
        self.pixels = (200 - contrast * self.label + rng.normal(0, 10, SHAPE)).astype(np.float32)

    def image(self):
        return self.pixels

    def reference(self):
        return self.label


class Guesser:
    """Predicts the label with errors: as good an ensemble as `skill`, its predictions real ones."""

    def __init__(self, skill):
        self.name, self.classes, self.threshold, self.temperature = "challenger", ("rest", "ice"), 0.5, 0.7
        self.skill = skill

    def predict(self, samples, uncalibrated=False):
        for sample in samples:
            rng = np.random.default_rng(100 + sample.index)
            truth = sample.reference() * 0.8 + 0.1
            noise = rng.normal(0, 1 - self.skill, (3, *SHAPE))
            members = np.clip(truth + noise, 0, 1).astype(np.float32)
            prediction = Prediction.from_members(members, 0.5, np.ones(4, np.float32))
            yield sample, replace(prediction, uncalibrated=0.5 + 0.7 * (prediction.mean - 0.5))


def rows(dataset, contrast=80.0, uncertainty=0.02):
    samples = [Disc(dataset, index, contrast) for index in range(8)]
    return [
        ImageRow(
            dataset,
            sample.stem,
            sample.index,
            {
                **{"uq_mean": 0.3 * uncertainty, "uq_foreground": uncertainty * (1 + 0.01 * sample.index)},
                **measure_evidence(sample.image()).to_features(),
            },
        )
        for sample in samples
    ]


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mlflow")
    return SimpleNamespace(
        tracking_uri=new_store(folder),
        artifact_uri=(folder / "files").as_uri(),
        registered_model="icefloe-ea",
        experiment="icefloe",
    )


@pytest.fixture(scope="module")
def results():
    """T1 and T2 on D1 and D3, the gate's report on D3 and the promotion gate's on T2."""
    samples = [Disc(dataset, index) for dataset in ("D1", "D3") for index in range(8)]
    before, after = evaluate(Guesser(0.5), samples), evaluate(Guesser(0.8), samples)
    return SimpleNamespace(
        before=before,
        after=after,
        gate=check(Benchmark.from_rows(rows("D1") + rows("D2")), rows("D3", 30.0, uncertainty=0.3)),
        promotion=compare(
            after,
            before,
            PromotionRule(n_resamples=1000),
            new_dataset="D3",
            champion_version="EA-T1",
        ),
    )


def second_version():
    """EA-T2, trained from EA-T1."""
    return Version(
        **{"name": "EA-T2", "number": 2, "aliases": ("champion",), "created": "2026-01-01T00:00:00+00:00"},
        **{"parent": "EA-T1", "data_rev": "r", "data_md5": "m", "git_sha": "c", "verdict": "pass"},
        **{"compared_with": "EA-T1", "metrics": {}, "run_id": "1"},
    )


@pytest.fixture(scope="module")
def page(settings, results, tmp_path_factory):
    """The page's text, of a run in which D3 came, was labelled twice and led to EA-T2."""
    picture = png(gallery([SegmentedImage("x", Disc("D3", 0).pixels, Disc("D3", 0).label, np.zeros(SHAPE))]))
    selected = tuple(
        Selected(
            dataset="D3",
            stem=f"s{rank}",
            score=0.5,
            strategy="mean-uq",
            rank=rank,
            reason=f"mean uncertainty <0.{rank}> & more",
        )
        for rank in (1, 2)
    )
    receipt = {
        **{"name": "resnet18-unet-s0", "accuracy": 0.981, "iou": 0.91, "dice": 0.95, "brier": 0.01},
        **{"ece": 0.02, "seconds": 61.0, "kept": True, "reason": "passes"},
    }
    record = RunRecord.start(settings, "loop")
    record.write_json("gate/D3.json", results.gate.model_dump(mode="json"))
    record.write_json(
        "selection/D3.json",
        Selection(items=selected, strategy="mean-uq", requested=2, available=8).model_dump(),
    )
    record.write_png("selection/D3.png", picture)
    record.write_json("labels/D3.json", {"keys": ["D3/s1", "D3/s2"], "seconds": 360.0})
    record.write_version(
        Submission(version=second_version(), report=results.promotion, promoted=True, champion="EA-T2"),
        results.after,
        ("EA-T1", results.before),
        {
            "rule": {"min_accuracy": 0.97, "min_iou": None},
            "receipts": [receipt, {**receipt, "name": "vgg19", "kept": False}],
            "disagreement_before": 0.02,
            "disagreement_after": None,
            "warnings": ["Few are left."],
        },
        picture,
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    assert write_page(RunRecord(settings, record.run_id), Registry(settings), path) == "none"
    return path.read_text(encoding="utf-8")


class Reader(HTMLParser):
    """Table rows as lists of cell texts, and every address the page mentions."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.addresses, self._cell = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name in ("src", "href", "data", "srcset")]
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self._cell = ""

    def handle_data(self, data):
        if self._cell is not None:
            self._cell += data

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.rows[-1].append(self._cell.strip())
            self._cell = None


def test_the_page_needs_no_other_file_and_no_network(page):
    addresses = Reader(page).addresses

    assert addresses
    assert [address for address in addresses if not address.startswith(("data:image/png;base64,", "#"))] == []
    assert re.findall(r"@import|url\(|<script|<link", page) == []


def test_every_link_inside_the_page_leads_somewhere(page):
    targets = [address[1:] for address in Reader(page).addresses if address.startswith("#")]

    assert targets
    assert all(f'id="{target}"' in page for target in targets)


def test_the_page_begins_with_a_few_lines_that_can_be_read_aloud(page, results):
    begin = page.index("What happened</h2>")
    lines = re.findall(r"<li>(.*)</li>", page[begin : page.index("</ol>", begin)])
    change = next(c for c in results.promotion.comparisons if (c.dataset, c.metric) == ("D3", "dice"))

    assert begin < page.index("Scores on held-out images</h2>")
    assert lines == [
        "D3 arrived and was found shifted. 2 images of D3 were labelled in 6 min. EA-T2, trained on them, "
        f"has a Dice of {change.challenger:.3f} there, EA-T1 {change.reference:.3f}. It stays a challenger.",
        "There is no champion yet.",
    ]


def test_the_table_holds_every_version_and_the_trivial_baselines_of_every_dataset(page, results):
    rows = Reader(page).rows
    names = [(row[0], row[1]) for row in rows if len(row) == 9 and row[0] in ("D1", "D3")]

    baselines = list(results.after.baselines["D1"])
    assert len(baselines) >= 2
    assert names == [(d, who) for d in ("D1", "D3") for who in ("EA-T1", "EA-T2", *baselines)]


def test_the_numbers_are_those_of_the_evaluations(page, results):
    scores = results.after.datasets["D3"]
    expected = [scores.pca, scores.iou, scores.dice, scores.brier, scores.ece, scores.uq]

    assert ["D3", "EA-T2", "8", *(f"{number:.4f}" for number in expected)] in Reader(page).rows
    background = results.after.baselines["D3"]["all background"]
    numbers = [f"{number:.4f}" for number in (background.pca, background.iou, background.dice)]
    assert ["D3", "all background", "8", *numbers, "–", "–", "–"] in Reader(page).rows


def test_the_page_says_of_every_version_where_its_temperature_helps(page, results):
    for version, evaluation in (("EA-T1", results.before), ("EA-T2", results.after)):
        found = check_temperature(evaluation)
        assert f"{version}{found.sentence().removeprefix('challenger')}" in page
        for change in found.changes:
            assert change.interval.text(4, signed=True) in page


def test_the_page_tells_gate_selection_cost_promotion_and_pruning(page, results):
    from markupsafe import escape

    assert f'D3 <span class="tag shifted">{results.gate.outcome}</span>' in page
    assert str(escape(results.gate.sentence())) in page
    rows = Reader(page).rows
    for table in (results.gate.table(), results.promotion.table()):
        assert [list(row) for row in table.rows] == [row for row in rows if tuple(row) in table.rows]
    assert all(str(escape(note)) in page for note in results.gate.notes())
    assert ["1", "D3/s1", "mean uncertainty <0.1> & more"] in Reader(page).rows
    assert re.search(r"Label cost: 2 images,\s+6 minutes", page)
    assert str(escape(results.promotion.sentence())) in page
    scores = ["0.9810", "0.9100", "0.9500", "0.0100", "0.0200", "–", "–"]
    assert ["resnet18-unet-s0", *scores, "61", "yes", "passes"] in Reader(page).rows
    assert "Warning: Few are left." in page
    assert "There is no champion yet." in page


def test_a_provisional_champion_says_so_and_why_wherever_the_page_names_it(settings, results, tmp_path):
    few = evaluate(Guesser(0.5), [Disc("D1", 0)])
    report = compare(few, None, PromotionRule(n_resamples=1000), challenger_version="EA-T1")
    assert report.verdict == "inconclusive"
    first = second_version().model_copy(
        update={"name": "EA-T1", "number": 1, "parent": None, "verdict": "inconclusive"}
        | {"provisional": report.provisional}
    )
    record = RunRecord.start(settings, "train")
    submission = Submission(version=first, report=report, promoted=True, champion="EA-T1")
    pruning = PruningResult(
        **{"rule": PruningRule(), "receipts": (), "disagreement_before": None, "disagreement_after": None},
        **{"warnings": ("Few are left.",), "provisional": "Only 1 of 3 members passes the bar."},
    )
    record.write_version(submission, few, None, pruning, png(Figure(figsize=(1, 1))))
    promoted = HistoryEntry(
        **{"action": "promote", "champion": "EA-T1", "replaced": None, "by": "ada", "reason": "few"},
        **{"at": "2026-01-01T00:00:00.000000Z", "verdict": "inconclusive"},
    )
    registry = SimpleNamespace(champion=lambda: first, list=lambda: [first], history=lambda: (promoted,))

    assert write_page(record, registry, tmp_path / "report.html") == "EA-T1"

    text = html.unescape((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "EA-T1 was trained on D1 and promoted provisionally: Dice on held-out images" in text
    assert f"The champion is now EA-T1, provisionally: {report.provisional}" in text
    assert '<span class="tag provisional">provisional</span>' in text
    assert f"<p>EA-T1 is provisional: {report.provisional}</p>" in text
    assert text.count(report.provisional) == 2
    assert "Only 1 of 3 members passes the bar." in text
    assert any(row[5:6] == ["inconclusive, provisional"] for row in Reader(text).rows)


def test_a_retraining_shows_its_label_cost_though_it_has_no_gate(settings, tmp_path):
    record = RunRecord.start(settings, "retrain")
    record.write_json("labels/D3.json", {"keys": ["D3/s1", "D3/s2", "D4/s7"], "seconds": 540.0})
    write_page(record, Registry(settings), tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()

    assert "<h3>D3</h3>" in text
    assert re.search(r"Label cost: 3 images,\s+9 minutes", text)
    assert "Gate:" not in text


def test_a_run_that_found_nothing_still_gives_a_page(settings, tmp_path):
    record = RunRecord.start(settings, "train")

    assert write_page(record, Registry(settings), tmp_path / "report.html") == "none"
    text = (tmp_path / "report.html").read_text()
    assert "No version is registered yet." in text
    assert 'id="scores"' not in text


def test_the_flat_numbers_are_those_of_the_objects(results):
    numbers = results.after.numbers()

    assert numbers["D3.dice"] == results.after.datasets["D3"].dice
    assert numbers["mean_dice"] == pytest.approx((numbers["D1.dice"] + numbers["D3.dice"]) / 2)
    assert results.before.mean_dice < results.after.mean_dice
    gate = results.gate.numbers()
    assert gate["uncertainty.p_value"] == results.gate.result("uncertainty").p_value
    assert all(isinstance(value, int | float) for value in {**numbers, **gate}.values())


def test_roc_points_run_from_strict_to_lenient_thresholds(results):
    points = np.array(results.after.roc_points())

    assert points.shape[1] == 3
    assert (np.diff(points[:, 2]) < 0).all()
    assert (np.diff(points[:, :2], axis=0) >= 0).all()


def test_the_promotion_figure_has_a_panel_for_every_metric(results):
    figure = results.promotion.figure()

    assert len(figure.axes) == len({c.metric for c in results.promotion.comparisons})


def test_a_gallery_shows_an_outline_and_an_uncertainty_map_for_every_image():
    items = [
        SegmentedImage(f"image {n}", Disc("D1", n).pixels, Disc("D1", n).label, np.zeros(SHAPE, np.float32))
        for n in range(5)
    ]
    figure = gallery(items, columns=3)

    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles == [item.title for item in items]
    assert png(figure).startswith(b"\x89PNG")


@pytest.mark.parametrize("value", [0, 1], ids=["all background", "all ice"])
def test_an_image_without_an_outline_is_drawn_all_the_same(value):
    mask = np.full(SHAPE, value, np.uint8)

    assert png(gallery([SegmentedImage("flat", np.ones(SHAPE, np.float32), mask, np.zeros(SHAPE), mask)]))


def test_a_small_page_escapes_what_it_is_told():
    text = html_page("D3 <b>", Figure(figsize=(1, 1)), text="a < b & c")

    assert "<h2>D3 &lt;b&gt;</h2>" in text
    assert "<p>a &lt; b &amp; c</p>" in text
    assert 'src="data:image/png;base64,' in text


def test_the_page_says_which_images_only_some_members_judged(settings, results, tmp_path):
    alone = {"uq": None, "uq_boundary": None, "uq_foreground": None}
    partly = results.after.model_copy(
        update={
            "images": tuple(
                image.model_copy(update={"n_members": 1, "n_left_out": 2, **alone})
                for image in results.after.images
            ),
            "datasets": {
                name: scores.model_copy(update=alone) for name, scores in results.after.datasets.items()
            },
            "n_unjudged": 3,
        }
    )
    record = RunRecord.start(settings, "train")
    record.write_json("evaluation/EA-T1.json", partly)
    write_page(RunRecord(settings, record.run_id), Registry(settings), tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"EA-T1: {partly.judges_note()}" in html.unescape(page)
    assert "16 of the 16 images are judged by 1 of the 3 members" in partly.judges_note()
    assert [row[-1] for row in Reader(page).rows if row[:2] == ["D3", "EA-T1"]] == ["–"]
