"""What Prometheus is told: the figures of the site's gateways, and of results on their way."""

from asyncio import to_thread

from fastapi import APIRouter, Depends
from fastapi.responses import PlainTextResponse

from api.auth import ServicesHere, metrics_reader
from api.bootstrap import Services
from api.gateways import gateways_of
from api.responses import RESPONSES
from core.db import DatabaseUnavailableError
from orchestrator.gateway.facts import prometheus
from scoring.lrs.state import State

PATH = "/metrics"
_STATEMENTS = "poligon_lrs_statements"

router = APIRouter(tags=["health"], dependencies=[Depends(metrics_reader)])


class _Exposition(PlainTextResponse):
    media_type = "text/plain; version=0.0.4"


@router.get(PATH, response_class=_Exposition, responses=RESPONSES)
async def metrics(services: ServicesHere) -> _Exposition:
    """Tell the figures of every gateway that is found, in Prometheus' text format.

    Where results are told to a learning record store, also how many statements are where.
    """
    gateways = prometheus(await gateways_of(services.settings).status())
    return _Exposition(gateways + await to_thread(_statements, services))


def _statements(services: Services) -> str:
    if not services.settings.lrs_url:
        return ""
    try:
        counts = services.outbox.status().counts
    except DatabaseUnavailableError:
        return ""  # what gateways do is worth knowing then
    lines = [f'{_STATEMENTS}{{state="{state}"}} {counts[state]}' for state in State]
    help_ = f"# HELP {_STATEMENTS} Results for the learning record store, by what became of them."
    return "\n".join([help_, f"# TYPE {_STATEMENTS} gauge", *lines]) + "\n"
