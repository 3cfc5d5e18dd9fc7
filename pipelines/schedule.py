"""Recurring runs on Kubeflow: made, changed and removed by name."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import kfp_server_api as api

from icefloe.errors import IcefloeError
from icefloe.settings import Settings
from pipelines.cron import Cron
from pipelines.kubeflow import Kubeflow
from pipelines.named import dataset_arguments, version_argument
from pipelines.names import PipelineName
from pipelines.submit import Prepared, prepare

MARGIN = timedelta(seconds=10)
"""How far a change keeps from a time at which a run is due: Kubeflow may start it that much later."""


@dataclass(frozen=True)
class Schedule:
    """A recurring run.

    Attributes
    ----------
    name
        Name of the pipeline and what it runs on, such as `drift_check D7`.
    cron
        When, as typed; in Kubeflow's time zone.
    arguments
        What is run.
    change
        What the call that returned it did: `new`, `changed`, or empty if nothing.
    """

    name: str
    cron: str
    arguments: dict[str, Any]
    change: str = ""


def schedule_pipeline(
    settings: Settings,
    kubeflow: Kubeflow,
    name: PipelineName,
    cron: Cron,
    preset: str,
    datasets: Sequence[str] = (),
    version: str | None = None,
) -> Schedule:
    """Let Kubeflow run a pipeline again and again.

    Called again with nothing changed, it does nothing. Where times, parameters or image have changed, a new
    recurring run takes the place of the old one, since Kubeflow can't change one (kubeflow/pipelines#3789):
    it is made switched off, and switched on when the old one is off, while neither is due. Killed on the way,
    the next call ends it.

    Parameters
    ----------
    settings, kubeflow
        The study, and where it runs.
    name, preset, datasets, version
        As for `pipelines.submit.submit_pipeline`.
    cron
        When.

    Raises
    ------
    IcefloeError
        If a dataset or the preset is missing, the image is not an exact one, or Kubeflow refuses.
    """
    named = dataset_arguments(name, datasets, (), settings.data) | version_argument(settings, name, version)
    title = _title(name, datasets)
    prepared = prepare(settings, kubeflow, name, preset, named)
    wanted = _recurring(title, cron, prepared, settings)
    there = kubeflow.recurring_runs(prepared.experiment_id, title)
    account = settings.pods.service_account
    same = [one for one in there if _content(one, account) == _content(wanted, account)]
    kept = next((one for one in same if _is_on(one)), None) or next(iter(same), None)
    others = [one for one in there if one is not kept]
    is_on = kept is not None and _is_on(kept)
    kept_id = kept.recurring_run_id if kept else kubeflow.make_recurring_run(wanted)
    running = [one for one in others if _is_on(one)]
    if running:
        _wait_until_none_is_due([cron, *_crons(running)])
    for one in running:
        kubeflow.disable(one.recurring_run_id)
    if not is_on:
        kubeflow.enable(kept_id)
    for one in others:
        kubeflow.remove(one.recurring_run_id)
    change = "" if is_on and not others else "changed" if there else "new"
    return Schedule(title, cron.expression, named, change)


def list_schedules(settings: Settings, kubeflow: Kubeflow) -> list[Schedule]:
    """The study's schedules that are on, by name."""
    experiment = kubeflow.experiment_id(settings.experiment)
    found = [
        Schedule(one.display_name, _expression(one), _arguments(one))
        for one in kubeflow.recurring_runs(experiment)
        if _is_on(one) and one.trigger and one.trigger.cron_schedule
    ]
    return sorted(found, key=lambda schedule: schedule.name)


def unschedule_pipeline(
    settings: Settings, kubeflow: Kubeflow, name: PipelineName, datasets: Sequence[str] = ()
) -> str:
    """Remove the schedule of a pipeline on datasets; a run of it that goes on is let end. Return its name.

    Raises
    ------
    IcefloeError
        If there is none.
    """
    title = _title(name, datasets)
    experiment = kubeflow.experiment_id(settings.experiment)
    there = kubeflow.recurring_runs(experiment, title)
    if not there:
        known = ", ".join(one.name for one in list_schedules(settings, kubeflow)) or "none"
        raise IcefloeError(f"{title}: no such schedule. There are: {known}.")
    for one in there:
        kubeflow.remove(one.recurring_run_id)
    return title


def _title(name: PipelineName, datasets: Sequence[str]) -> str:
    return " ".join([name, *datasets])


def _recurring(title: str, cron: Cron, prepared: Prepared, settings: Settings) -> api.V2beta1RecurringRun:
    """A recurring run that is off, starts one run at a time, and makes up for no run that was missed."""
    return api.V2beta1RecurringRun(
        display_name=title,
        experiment_id=prepared.experiment_id,
        pipeline_version_reference=prepared.reference,
        runtime_config=prepared.runtime,
        trigger=api.V2beta1Trigger(cron_schedule=api.V2beta1CronSchedule(cron=cron.for_kubeflow)),
        mode=api.RecurringRunMode.DISABLE,
        max_concurrency="1",
        no_catchup=True,
        service_account=settings.pods.service_account or None,
    )


def _content(one: api.V2beta1RecurringRun, account: str) -> str:
    """All that a change of schedule could change, in a form that can be compared.

    Without an account in the settings Kubeflow puts in its own, which is no change.
    """
    reference = one.pipeline_version_reference
    content = [
        reference and reference.pipeline_version_id,
        _arguments(one),
        one.trigger and one.trigger.cron_schedule and one.trigger.cron_schedule.cron,
        one.max_concurrency and str(one.max_concurrency),
        bool(one.no_catchup),
        account and one.service_account,
    ]
    return json.dumps(content, sort_keys=True)


def _arguments(one: api.V2beta1RecurringRun) -> dict[str, Any]:
    parameters: Mapping[str, Any] = (one.runtime_config and one.runtime_config.parameters) or {}
    return dict(parameters)


def _is_on(one: api.V2beta1RecurringRun) -> bool:
    return bool(one.mode == api.RecurringRunMode.ENABLE)


def _expression(one: api.V2beta1RecurringRun) -> str:
    """Its times without the seconds, which Kubeflow has first."""
    return str(one.trigger.cron_schedule.cron).partition(" ")[2]


def _crons(recurring: Sequence[api.V2beta1RecurringRun]) -> Iterator[Cron]:
    """Their times, but for what a person made on Kubeflow's pages in another form."""
    for one in recurring:
        if one.trigger and one.trigger.cron_schedule:
            with suppress(IcefloeError):
                yield Cron.parse(_expression(one))


def _wait_until_none_is_due(crons: Sequence[Cron]) -> None:
    """Where a run is due now, let it start first: it would else start twice, or not at all."""
    while True:
        now = datetime.now(UTC)
        if not any(cron.is_due(now - MARGIN, now + MARGIN) for cron in crons):
            return
        time.sleep(1)
