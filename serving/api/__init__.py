"""The HTTP API, one router a resource."""

from fastapi import APIRouter

from serving.api import datasets, images, jobs, people, queue, sessions, tokens

router = APIRouter(prefix="/api/v1")
for resource in (sessions, tokens, datasets, images, queue, jobs, people):
    router.include_router(resource.router)
