"""Numbers for Prometheus."""

from fastapi import APIRouter, Request, Response

from serving.metrics import MEDIA_TYPE, exposition

router = APIRouter(tags=["health"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}, "description": "Prometheus' text format"}},
)
def metrics(request: Request) -> Response:
    """Requests, jobs, queue, workers and free disk space, for Prometheus."""
    return Response(exposition(request.app), media_type=MEDIA_TYPE)
