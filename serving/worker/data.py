"""Jobs on the workspace's data: labels become data or are taken back, and what is wrong is found."""

import time
from collections.abc import Mapping
from typing import Any

from icefloe.files import write_text_atomic
from icefloe.workflow.data import audit_data
from icefloe.workflow.labels import collect_labels
from icefloe.workflow.withdrawal import withdraw_labels
from serving.audited import AuditResult, audit_file
from serving.worker.context import Arguments, Context


def collect(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Write all submitted labels into the datasets, as a new data version."""
    return {"sentence": collect_labels(context.settings).sentence()}


def withdraw(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Take labels back, and say which versions they have trained."""
    found = withdraw_labels(
        context.settings,
        arguments["keys"],
        arguments["labeler"],
        reason=arguments["reason"],
        by=arguments["by"],
    )
    context.snapshots.update()
    return {"sentence": found.sentence()}


def audit(context: Context, arguments: Arguments) -> Mapping[str, Any]:
    """Look for what is wrong or remarkable in the data."""
    began = time.time()
    report = audit_data(context.settings)
    result = AuditResult.of(report, began)
    path = audit_file(context.settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text_atomic(path, result.model_dump_json())
    return {"sentence": result.sentence}
