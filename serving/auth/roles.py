"""Roles, and the role that each route needs: the one table of both."""

from enum import StrEnum


class Role(StrEnum):
    """What a person may do; each may do what those before it may."""

    VIEWER = "viewer"
    LABELER = "labeler"
    OPERATOR = "operator"
    ADMIN = "admin"

    def includes(self, needed: "Role") -> bool:
        """Whether this role may do what `needed` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


NEEDED: dict[tuple[str, str], Role | None] = {
    ("GET", "/"): Role.VIEWER,
    ("GET", "/overview"): Role.VIEWER,
    ("GET", "/models"): Role.VIEWER,
    ("GET", "/models/{version}"): Role.VIEWER,
    ("GET", "/data"): Role.VIEWER,
    ("GET", "/queue"): Role.VIEWER,
    ("GET", "/label"): Role.LABELER,
    ("GET", "/results"): Role.VIEWER,
    ("GET", "/account"): Role.VIEWER,
    ("GET", "/people"): Role.ADMIN,
    ("GET", "/api"): Role.VIEWER,
    ("GET", "/sign-in"): None,
    ("GET", "/welcome"): None,
    ("GET", "/healthz"): None,
    ("GET", "/readyz"): None,
    ("GET", "/api/v1/openapi.json"): Role.VIEWER,
    ("POST", "/api/v1/sessions"): None,
    ("DELETE", "/api/v1/sessions/current"): Role.VIEWER,
    ("POST", "/api/v1/passwords"): None,
    ("GET", "/api/v1/me"): Role.VIEWER,
    ("GET", "/api/v1/tokens"): Role.VIEWER,
    ("POST", "/api/v1/tokens"): Role.VIEWER,
    ("DELETE", "/api/v1/tokens/{token_id}"): Role.VIEWER,
    ("GET", "/api/v1/datasets"): Role.VIEWER,
    ("GET", "/api/v1/datasets/{dataset}"): Role.VIEWER,
    ("GET", "/api/v1/datasets/{dataset}/images"): Role.VIEWER,
    ("GET", "/api/v1/images/{dataset}/{stem}"): Role.VIEWER,
    ("GET", "/api/v1/images/{dataset}/{stem}/pixels"): Role.VIEWER,
    ("GET", "/api/v1/images/{dataset}/{stem}/label"): Role.VIEWER,
    ("GET", "/api/v1/images/{dataset}/{stem}/maps"): Role.VIEWER,
    ("GET", "/api/v1/images/{dataset}/{stem}/maps/{name}"): Role.VIEWER,
    ("GET", "/api/v1/data/versions"): Role.VIEWER,
    ("GET", "/api/v1/data/audit"): Role.VIEWER,
    ("POST", "/api/v1/data/audit"): Role.OPERATOR,
    ("GET", "/api/v1/models"): Role.VIEWER,
    ("GET", "/api/v1/models/comparison"): Role.VIEWER,
    ("GET", "/api/v1/models/{version}"): Role.VIEWER,
    ("POST", "/api/v1/models/{version}/promote"): Role.OPERATOR,
    ("POST", "/api/v1/models/rollback"): Role.OPERATOR,
    ("GET", "/api/v1/runs"): Role.VIEWER,
    ("POST", "/api/v1/runs"): Role.OPERATOR,
    ("GET", "/api/v1/drift"): Role.VIEWER,
    ("POST", "/api/v1/drift"): Role.OPERATOR,
    ("POST", "/api/v1/uploads"): Role.LABELER,
    ("POST", "/api/v1/segmentations"): Role.LABELER,
    ("GET", "/api/v1/segmentations/{job_id}"): Role.VIEWER,
    ("GET", "/api/v1/segmentations/{job_id}/table"): Role.VIEWER,
    ("GET", "/api/v1/results/{dataset}"): Role.VIEWER,
    ("GET", "/api/v1/results/{dataset}/table"): Role.VIEWER,
    ("GET", "/api/v1/results/{dataset}/series"): Role.VIEWER,
    ("GET", "/api/v1/results/{dataset}/series/table"): Role.VIEWER,
    ("GET", "/api/v1/results/{dataset}/figures/{name}"): Role.VIEWER,
    ("GET", "/api/v1/jobs"): Role.VIEWER,
    ("GET", "/api/v1/jobs/{job_id}"): Role.VIEWER,
    ("GET", "/api/v1/jobs/{job_id}/events"): Role.VIEWER,
    ("DELETE", "/api/v1/jobs/{job_id}"): Role.OPERATOR,
    ("POST", "/api/v1/jobs/{job_id}/retry"): Role.OPERATOR,
    ("GET", "/api/v1/queue"): Role.VIEWER,
    ("GET", "/api/v1/queue/items"): Role.VIEWER,
    ("GET", "/api/v1/queue/items/{item_id}"): Role.VIEWER,
    ("GET", "/api/v1/queue/items/{item_id}/history"): Role.VIEWER,
    ("GET", "/api/v1/queue/items/{item_id}/presegmentation"): Role.VIEWER,
    ("GET", "/api/v1/queue/items/{item_id}/draft"): Role.LABELER,
    ("PUT", "/api/v1/queue/items/{item_id}/draft"): Role.LABELER,
    ("PUT", "/api/v1/queue/items/{item_id}/label"): Role.LABELER,
    ("POST", "/api/v1/queue/items/{item_id}/skip"): Role.LABELER,
    ("POST", "/api/v1/queue/items/{item_id}/reopen"): Role.OPERATOR,
    ("GET", "/api/v1/queue/leases"): Role.LABELER,
    ("POST", "/api/v1/queue/leases"): Role.LABELER,
    ("PUT", "/api/v1/queue/leases/current"): Role.LABELER,
    ("DELETE", "/api/v1/queue/leases/current"): Role.LABELER,
    ("GET", "/api/v1/people"): Role.ADMIN,
    ("POST", "/api/v1/people"): Role.ADMIN,
    ("GET", "/api/v1/people/{person_id}"): Role.ADMIN,
    ("PATCH", "/api/v1/people/{person_id}"): Role.ADMIN,
    ("POST", "/api/v1/people/{person_id}/links"): Role.ADMIN,
    ("GET", "/api/v1/audit"): Role.ADMIN,
}
"""Method and path -> least role; None: everybody. A route that is not here cannot be served."""
