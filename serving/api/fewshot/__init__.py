"""Few-shot classification: images, sessions of chips and support sets, what comes of them, series."""

from fastapi import APIRouter

from serving.api.fewshot import classification, comparison, exports, images, series, sessions

router = APIRouter(prefix="/fewshot", tags=["few-shot"])
for part in (classification, sessions, images, exports, comparison, series):
    router.include_router(part.router)
