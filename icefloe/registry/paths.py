"""Names of datasets as MLflow can keep them: in artifacts' paths, and as metrics."""

import re

_UNSAFE_IN_PATH = re.compile(r"[~%#?;]|(?:^|(?<=/)) | (?=/|$)")
_ESCAPED = re.compile(r"~([0-9a-f]{2})")
_UNSAFE_IN_METRIC = re.compile(r"[^\w.\- /]")
_METRIC_CODE = re.compile(r":([0-9a-f]+):")


def artifact_path(path: str) -> str:
    """A path whose characters MLflow takes for themselves; it would decode %20 and stop at # and ?."""
    return _UNSAFE_IN_PATH.sub(lambda match: f"~{ord(match[0]):02x}", path)


def plain_path(artifact: str) -> str:
    """The path that `artifact_path` was given."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), artifact)


def metric_name(name: str) -> str:
    """A name that MLflow takes for a metric: characters that it refuses as their code, `°` as `:b0:`."""
    return _UNSAFE_IN_METRIC.sub(lambda match: f":{ord(match[0]):x}:", name)


def plain_metric(metric: str) -> str:
    """The name that `metric_name` was given."""
    return _METRIC_CODE.sub(lambda match: chr(int(match[1], 16)), metric)
