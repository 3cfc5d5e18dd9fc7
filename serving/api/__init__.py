"""The HTTP API, one router a resource."""

from fastapi import APIRouter

from serving.api import data, datasets, images, jobs, models, people, queue, runs, sessions, tokens

router = APIRouter(prefix="/api/v1")
for resource in (sessions, tokens, datasets, data, images, queue, models, runs, jobs, people):
    router.include_router(resource.router)
