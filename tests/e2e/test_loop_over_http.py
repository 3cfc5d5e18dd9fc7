"""The loop as people run it: operators and labelers use the service, and nobody knows the truth.

Pipelines are asked for over HTTP and done by a worker; masks are leased and handed in over HTTP by a script.
What it hands in is not the truth, so that nothing else could have put the same masks into the data.
"""

import time

import numpy as np
import pytest
import requests
import yaml

from benchmarks.service.running import serving, tokens_of
from icefloe.active.uploads import decode_png, encode_png
from icefloe.datasets.dataset import Dataset, DatasetInfo
from icefloe.datasets.versions import diff, snapshot
from icefloe.registry.registry import Registry
from icefloe.settings import load_settings
from icefloe.simulate.ice import simulate_experiment
from icefloe.simulate.standard import standard_datasets
from icefloe.simulate.workspace import experiment_seed, write_dataset
from icefloe.typing import IGNORE
from serving.auth.roles import Role
from tests.e2e.test_loop import PRESETS, succeed

pytestmark = [pytest.mark.integration, pytest.mark.timeout(5400)]

ARRIVING = ("D3", "D4", "D5")
LONGEST = 1800  # s a run


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """The demo's D1 to D5 at a quarter of their pixels."""
    folder = tmp_path_factory.mktemp("http") / "workspace"
    succeed("init", folder)
    (folder / "params.yaml").write_text(yaml.safe_dump({"presets": PRESETS}), encoding="utf-8")
    for index, dataset in enumerate(standard_datasets()[:5]):
        spec = dataset.spec.changed(size_px=128, pixel_size_nm=2 * dataset.spec.pixel_size_nm)
        experiment = simulate_experiment(spec, experiment_seed(0, index))
        info = DatasetInfo(name=dataset.name, experiment=dataset.name, preprocessing=["stacked"])
        write_dataset(experiment, folder / "data" / dataset.name, info, labelled=dataset.labelled)
    succeed("-C", folder, "data", "commit", "-m", "D1 to D5")
    return folder


class Caller:
    """Somebody with a token."""

    def __init__(self, url, token):
        self._api = f"{url}/api/v1"
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method, path, **given):
        answer = self._session.request(method, f"{self._api}/{path}", **given)
        assert answer.ok, answer.text
        return answer

    def run(self, path, **wanted):
        """Ask for a run and wait until it is done; what came of it in words."""
        job = f"jobs/{self.ask('POST', path, json=wanted).headers['location'].rpartition('/')[2]}"
        deadline = time.monotonic() + LONGEST
        while (state := self.ask("GET", job).json())["state"] in ("waiting", "running"):
            assert time.monotonic() < deadline, state
            time.sleep(1)
        assert state["state"] == "done", state["problem"]
        print(path, wanted, state["result"], flush=True)
        return state["result"]["sentence"]

    def label(self, correct):
        """Label until no image waits; the masks by image."""
        sent = {}
        while (answer := self.ask("POST", "queue/leases", json={})).status_code == 201:
            lease = answer.json()
            item = f"queue/items/{lease['item']['id']}"
            begun = decode_png(self.ask("GET", f"{item}/presegmentation").content)
            mask = correct(lease["item"], begun)
            headers = {"Icefloe-Lease": lease["token"], "Icefloe-Seconds": "60", "Content-Type": "image/png"}
            self.ask("PUT", f"{item}/label", data=encode_png(mask), headers=headers)
            sent[f"{lease['item']['dataset']}/{lease['item']['stem']}"] = mask
        return sent


def test_what_labelers_hand_in_is_what_the_next_versions_are_trained_on(workspace, tmp_path):
    settings, registry = load_settings(workspace), Registry(load_settings(workspace))
    chance = np.random.default_rng(0)

    def correct(item, begun):
        truth = {each.stem: each for each in Dataset.load(settings.data / item["dataset"]).samples}
        mask = truth[item["stem"]].truth().copy()
        assert begun.shape == mask.shape
        mask[chance.random(mask.shape) < 0.01] = IGNORE  # pixels that nobody can tell
        return mask

    with serving(settings, workers=1) as running:
        (operator,) = (Caller(running.url, each) for each in tokens_of(settings, ["Oda"], Role.OPERATOR))
        (labeler,) = (Caller(running.url, each) for each in tokens_of(settings, ["Lea"]))
        operator.run("runs", kind="train", preset="tiny", datasets=["D1", "D2"])
        labelled = 0
        for number, name in enumerate(ARRIVING, 2):
            before = registry.get(f"EA-T{number - 1}")
            assert "shifted" in operator.run("drift", dataset=name)
            sent = labeler.label(correct)
            assert sent
            assert all(key.startswith(f"{name}/") for key in sent)
            labelled += len(sent)
            operator.run("runs", kind="retrain", dataset=name, preset="tiny")
            after = registry.get(f"EA-T{number}")

            assert set(diff(workspace, before.data_rev, after.data_rev).labels_added) == set(sent)
            snapshot(workspace, None, after.data_rev, tmp_path / after.name)
            arrived = Dataset.load(tmp_path / after.name / name).labelled
            assert {sample.key for sample in arrived} == set(sent)
            for sample in arrived:
                assert np.array_equal(sample.mask(), sent[sample.key])
            images = registry.show(after.name).lineage.images
            authors = {image.key: (image.author, image.source) for image in images}
            assert {key: authors[key] for key in sent} == dict.fromkeys(sent, ("Lea", "service"))
        progress = labeler.ask("GET", "queue").json()
        assert (progress["imported"], progress["waiting"], progress["refused_labels"]) == (labelled, 0, 0)
    assert [version.name for version in registry.list()] == ["EA-T1", "EA-T2", "EA-T3", "EA-T4"]
