"""The HTTP API, one router a resource."""

from fastapi import APIRouter

from serving.api import people, queue, sessions, tokens

router = APIRouter(prefix="/api/v1")
for resource in (sessions, tokens, queue, people):
    router.include_router(resource.router)
