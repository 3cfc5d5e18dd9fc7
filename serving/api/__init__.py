"""The HTTP API, one router a resource."""

from fastapi import APIRouter

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

router = APIRouter(prefix="/api/v1")
# Routes are tried one after the other: those that fifty labelers ask for every second come first.
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
for resource in RESOURCES:
    router.include_router(resource.router)
