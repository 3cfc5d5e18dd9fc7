"""The HTTP API, one router a resource."""

from fastapi import APIRouter

from serving.api import datasets, images, jobs, people, queue, segmentations, sessions, tokens, uploads

router = APIRouter(prefix="/api/v1")
for resource in (sessions, tokens, datasets, images, uploads, segmentations, queue, jobs, people):
    router.include_router(resource.router)
