"""`icefloe pipeline submit` and `schedule`, against a server that keeps what it is told."""

import socket
from datetime import UTC, datetime

import kfp_server_api as api
import numpy as np
import pytest
import tifffile

from benchmarks.service.untrained import register_untrained
from icefloe.datasets.dataset import DatasetInfo
from icefloe.datasets.labels import write_mask
from icefloe.datasets.versions import commit, init_workspace
from icefloe.drift.report import GateReport
from icefloe.params import DEFAULT_PARAMS
from icefloe.registry.runs import RunRecord
from icefloe.settings import load_settings
from pipelines.kubeflow import TOKEN_VARIABLE
from tests.pipelines.kubeflow_server import kubeflow_server
from tests.stores import new_store

REPORT = GateReport(
    outcome="inconclusive",
    dataset="D7",
    decided_by=(),
    evidence=(),
    noise=None,
    n_images=3,
    reference_experiments=("D1",),
    alpha=0.05,
    reason="3 images are too few [5]",
)
AT_FIVE = ("schedule", "drift_check", "--cron", "0 5 * * *", "-d", "D7")


@pytest.fixture
def server(monkeypatch):
    with kubeflow_server() as server:
        monkeypatch.setenv("ICEFLOE_PIPELINES_HOST", server.address)
        monkeypatch.setenv("ICEFLOE_IMAGE", "registry.example.org/icefloe:1")
        monkeypatch.setattr("pipelines.submit.POLL_S", 0.01)
        yield server


@pytest.fixture(scope="module")
def study(make_ensemble, tmp_path_factory):
    """A workspace with a data version, and a champion that nobody trained."""
    folder = tmp_path_factory.mktemp("study") / "workspace"
    init_workspace(folder, DEFAULT_PARAMS.read_text(encoding="utf-8"))
    new_store(folder / ".icefloe")
    for name in ("D1", "D7"):
        images = folder / "data" / name / "images"
        images.mkdir(parents=True)
        image = np.random.default_rng(0).integers(0, 60_000, (64, 64)).astype(np.uint16)
        tifffile.imwrite(images / "a.tif", image)
        write_mask(folder / "data" / name / "masks" / "a.png", (image > 30_000).astype(np.uint8))
        DatasetInfo(name=name, experiment=name).save(images.parent)
    commit(folder, "D1, D7")
    register_untrained(folder, make_ensemble()).promote("EA-T1", force=True, reason="for the test")
    return folder


@pytest.fixture
def pipeline(cli, study, server):
    """Run `icefloe pipeline ...` in the study."""
    return lambda *arguments: cli("-C", study, "pipeline", *arguments)


def ended(state, step="check-drift", pod="pod-3"):
    """A run that has ended, with one step, as Kubeflow shows it: the step, and below it its pod."""
    at = datetime(2026, 11, 30, tzinfo=UTC)
    tasks = [
        api.V2beta1PipelineTaskDetail(
            display_name=step,
            pod_name="node-2",
            state=state,
            start_time=at,
            child_tasks=[api.PipelineTaskDetailChildTask(pod_name=pod)],
        ),
        api.V2beta1PipelineTaskDetail(display_name="executor", pod_name=pod, state=state, start_time=at),
    ]
    return api.V2beta1Run(state=state, run_details=api.V2beta1RunDetails(task_details=tasks))


def test_a_version_is_uploaded_once_and_again_when_its_content_differs(pipeline, server, monkeypatch):
    first = pipeline("submit", "train", "-d", "D1")
    pipeline("submit", "train", "-d", "D7")
    monkeypatch.setenv("ICEFLOE_IMAGE", "registry.example.org/icefloe:2")
    pipeline("submit", "train", "-d", "D1")

    assert (first.code, first.err) == (0, "")
    (run_id, *_) = server.runs
    assert first.out.splitlines()[-1] == f"Run: {server.address}/#/runs/details/{run_id}"
    assert [one.display_name for one in server.pipelines.values()] == ["icefloe-train"]
    assert len({version.name for version in server.versions.values()}) == 2
    used = [run.pipeline_version_reference.pipeline_version_id for run in server.runs.values()]
    assert used[0] == used[1] != used[2]
    assert [run.runtime_config.parameters for run in server.runs.values()] == [
        {"datasets": ["D1"]},
        {"datasets": ["D7"]},
        {"datasets": ["D1"]},
    ]
    assert {run.experiment_id for run in server.runs.values()} == set(server.experiments)


def test_waiting_ends_as_a_run_here_does(pipeline, server, study):
    settings = load_settings(study)

    def judge(run_id):
        RunRecord.start(settings, "drift_check", "D7", key=run_id).write_json("gate/D7.json", REPORT)

    server.steps = judge
    server.progress = [ended("RUNNING"), ended("SUCCEEDED")]
    server.logs = {"pod-3": "icefloe: looked at 3 images\n"}
    outcome = pipeline("submit", "drift_check", "-d", "D7", "--wait", "--logs")

    assert (outcome.code, outcome.err) == (5, "")
    assert outcome.out.splitlines()[-4:] == [
        "check drift",
        "check drift: done",
        "  icefloe: looked at 3 images",
        REPORT.sentence(),
    ]


def test_a_step_that_complains_ends_the_wait_with_its_one_line(pipeline, server):
    server.progress = [ended("FAILED")]
    server.logs = {"pod-3": "Traceback\nicefloe.errors.IcefloeError: D7/a: too dark. Take it again.\n"}

    assert pipeline("submit", "drift_check", "-d", "D7", "--wait").refusal == "D7/a: too dark. Take it again."


def test_a_step_whose_log_is_gone_is_named(pipeline, server):
    server.progress = [ended("FAILED")]

    refusal = pipeline("submit", "drift_check", "-d", "D7", "--wait").refusal
    assert refusal == (
        "drift_check: the step check-drift failed. Read why in its log: "
        f"{server.address}/#/runs/details/{next(iter(server.runs))}"
    )


def test_an_image_that_may_change_its_content_is_not_submitted(pipeline, server, monkeypatch):
    monkeypatch.setenv("ICEFLOE_IMAGE", "icefloe:latest")

    assert pipeline("submit", "train").refusal.startswith("image: icefloe:latest: Kubeflow reuses results by")
    assert pipeline(*AT_FIVE).refusal.startswith("image: icefloe:latest: Kubeflow reuses results by")
    assert server.changes() == []


def test_an_image_that_may_change_its_content_is_not_compiled_for_a_cluster(
    cli, workspace, monkeypatch, tmp_path
):
    for name, value in {
        "PROFILE": "cluster",
        "DATA_REPO": "https://git.example.org/study",
        "TRACKING_URI": "https://mlflow.example.org",
        "CHECKPOINTS": "s3://study/checkpoints",
    }.items():
        monkeypatch.setenv(f"ICEFLOE_{name}", value)
    output = tmp_path / "packages"

    refusal = cli("-C", workspace, "pipeline", "compile", "--output", output).refusal
    assert refusal.startswith("image: icefloe:latest: Kubeflow reuses results by the image's name")
    assert not output.exists()


def test_a_schedule_is_made_once_and_listed(pipeline, server):
    assert pipeline(*AT_FIVE).out == "drift_check D7: scheduled, 0 5 * * *.\n"
    made = len(server.changes())
    assert pipeline(*AT_FIVE).out == "drift_check D7: as before, 0 5 * * *.\n"

    assert len(server.changes()) == made
    (one,) = server.recurring.values()
    assert one.trigger.cron_schedule.cron == "0 0 5 * * *"
    assert (one.mode, one.max_concurrency, one.no_catchup) == ("ENABLE", "1", True)
    listed = pipeline("schedules").out
    assert "drift_check D7" in listed
    assert "0 5 * * *" in listed
    assert "dataset D7" in listed


@pytest.mark.parametrize("change", ["cron", "image", "parameter"])
def test_a_changed_schedule_takes_the_old_ones_place_without_a_double(
    pipeline, server, study, monkeypatch, change
):
    pipeline(*AT_FIVE)
    (before,) = server.recurring
    server.enabled.clear()
    arguments = list(AT_FIVE)
    if change == "cron":
        arguments[3] = "30 6 * * 1-5"
    elif change == "image":
        monkeypatch.setenv("ICEFLOE_IMAGE", "registry.example.org/icefloe:2")
    else:
        text = DEFAULT_PARAMS.read_text(encoding="utf-8")
        (study / "params.yaml").write_text(text.replace("  light:", "    gate: {alpha: 0.01}\n\n  light:"))
        arguments += ["--preset", "study"]
    outcome = pipeline(*arguments)

    assert outcome.out == f"drift_check D7: changed, {arguments[3]}.\n"
    (after,) = server.recurring
    # Made while the old one goes on; off and on in two requests, one after the other; then the old one goes.
    assert server.enabled == [[before], [], [after], [after]]
    assert server.policies == ["ORPHAN"]  # a run of the old one that goes on is let end


def test_two_datasets_have_two_schedules(pipeline, server):
    pipeline(*AT_FIVE)
    pipeline("schedule", "drift_check", "--cron", "0 5 * * *", "-d", "D1")

    assert sorted(one.display_name for one in server.recurring.values()) == [
        "drift_check D1",
        "drift_check D7",
    ]


@pytest.mark.parametrize("changes", range(4))
def test_a_change_that_was_stopped_half_way_is_ended_by_the_next_call(pipeline, server, changes):
    pipeline(*AT_FIVE)
    changed = [*AT_FIVE[:3], "30 6 * * *", *AT_FIVE[4:]]
    server.fail_after = len(server.changes()) + changes
    assert "the server was stopped" in pipeline(*changed).refusal
    assert all(len(on) <= 1 for on in server.enabled)
    server.fail_after = 10**6

    pipeline(*changed)

    (one,) = server.recurring.values()
    assert (one.mode, one.trigger.cron_schedule.cron) == ("ENABLE", "0 30 6 * * *")
    assert all(len(on) <= 1 for on in server.enabled)


def test_a_schedule_is_removed_by_name(pipeline, server):
    pipeline(*AT_FIVE)

    assert pipeline("unschedule", "drift_check", "-d", "D1").refusal == (
        "drift_check D1: no such schedule. There are: drift_check D7."
    )
    assert pipeline("unschedule", "drift_check", "-d", "D7").out == "drift_check D7: no longer scheduled.\n"
    assert server.recurring == {}
    assert server.policies == ["ORPHAN"]


def test_a_token_is_read_again_before_every_request(pipeline, server, monkeypatch, tmp_path):
    token = tmp_path / "token"
    token.write_text("first\n")
    monkeypatch.setenv(TOKEN_VARIABLE, str(token))
    server.tokens = {"first"}

    def expire(_run_id):
        token.write_text("second\n")  # as Kubernetes does before the first expires
        server.tokens = {"second"}

    server.steps = expire
    server.progress = [ended("SUCCEEDED", "write-report")]
    outcome = pipeline("submit", "train", "-d", "D1", "--wait")

    assert (outcome.code, outcome.err) == (0, "")


def test_a_token_from_settings_is_sent_and_never_shown(pipeline, server, monkeypatch, tmp_path):
    (tmp_path / "token").write_text("hush-5\n")
    monkeypatch.setenv("ICEFLOE_PIPELINES_TOKEN_FILE", str(tmp_path / "token"))
    server.tokens = {"hush-5"}
    assert pipeline("schedules").code == 0
    server.tokens = {"another"}
    assert "hush-5" not in pipeline("schedules").refusal


def test_a_server_for_many_is_asked_for_the_namespace(pipeline, server):
    server.multi_user = True

    assert pipeline(*AT_FIVE).code == 0
    assert {one.namespace for one in server.experiments.values()} == {"kubeflow"}


def test_errors_are_one_line_each(pipeline, server, study, monkeypatch):
    def refusal(*arguments):
        return pipeline(*arguments).refusal

    assert refusal("schedule", "drift_check", "--cron", "0 25 * * *", "-d", "D7") == (
        "--cron: '25' is no hour. Write *, or numbers from 0 to 23, such as 0, 0-23, 0,23 or */2."
    )
    assert refusal("schedule", "drift_check", "--cron", "daily", "-d", "D7") == (
        "--cron: 'daily' has 1 fields, not five. "
        'Write minute, hour, day, month and weekday, such as "0 5 * * *".'
    )
    assert refusal(*AT_FIVE[:-1], "D9") == f"{study / 'data' / 'D9'}: no such dataset. There are: D1, D7."
    assert refusal("submit", "train", "--preset", "auto").startswith("A package has no data and no machine")
    server.tokens = set()
    assert refusal("schedules") == (
        f"{server.address}: the token is missing, wrong or expired (Request header error: there is no valid "
        "token). Put a new one in the file that ICEFLOE_PIPELINES_TOKEN_FILE names."
    )
    server.tokens, server.forbidden = None, "experiments"
    assert refusal("schedules") == (
        f"{server.address}: this account may not do that (User 'ann' is not authorized with reason: no role "
        "in namespace kubeflow). Ask for the right in the namespace, or set ICEFLOE_PIPELINES_NAMESPACE to "
        "one where you have it."
    )
    monkeypatch.setenv("ICEFLOE_PIPELINES_HOST", f"{server.address}/elsewhere")
    assert refusal("schedules").startswith(f"{server.address}/elsewhere: there is no such thing (")
    assert server.changes() == []


def test_a_wrong_host_is_named(pipeline, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setattr("pipelines.kubeflow.BACKOFF_S", 0)
    monkeypatch.setenv("ICEFLOE_PIPELINES_HOST", address)
    refusal = pipeline("schedules").refusal
    assert refusal.startswith(f"{address}: Kubeflow Pipelines does not answer there (")
    assert refusal.endswith("Check ICEFLOE_PIPELINES_HOST, and that this machine reaches it.")

    monkeypatch.setenv("ICEFLOE_PIPELINES_HOST", "kubeflow.example.org")
    assert pipeline("schedules").refusal == (
        "pipelines_host: kubeflow.example.org. Set ICEFLOE_PIPELINES_HOST to the address of Kubeflow "
        "Pipelines, such as https://kubeflow.example.org/pipeline."
    )
