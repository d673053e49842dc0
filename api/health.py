"""Whether the processes live, and whether this one can work."""

from fastapi import APIRouter

from api.auth import ServicesHere
from api.responses import RESPONSES

PATHS = frozenset({"/healthz", "/readyz"})

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Tell that the process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses=RESPONSES)
def readyz(services: ServicesHere) -> dict[str, str]:
    """Tell that the database answers, too; 503 when it does not."""
    services.database.check()
    return {"status": "ok"}
