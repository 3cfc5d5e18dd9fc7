"""The HTTP API, one router a resource."""

from serving.api import (
    data,
    datasets,
    fewshot,
    images,
    jobs,
    models,
    people,
    queue,
    results,
    runs,
    segmentations,
    sessions,
    tokens,
    uploads,
)

PREFIX = "/api/v1"
# Routes are tried one after the other: those that fifty labelers ask for every second come first. FastAPI
# looks through a router within a router anew at each level, which takes longer than a statement.
RESOURCES = (
    queue,
    sessions,
    tokens,
    datasets,
    data,
    images,
    uploads,
    segmentations,
    fewshot,
    results,
    models,
    runs,
    jobs,
    people,
)
