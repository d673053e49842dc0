"""What Prometheus is told: the figures of the site's gateways."""

from fastapi import APIRouter, Depends
from fastapi.responses import PlainTextResponse

from api.auth import ServicesHere, metrics_reader
from api.gateways import gateways_of
from api.responses import RESPONSES
from orchestrator.gateway.facts import prometheus

PATH = "/metrics"

router = APIRouter(tags=["health"], dependencies=[Depends(metrics_reader)])


class _Exposition(PlainTextResponse):
    media_type = "text/plain; version=0.0.4"


@router.get(PATH, response_class=_Exposition, responses=RESPONSES)
async def metrics(services: ServicesHere) -> _Exposition:
    """Tell the figures of every gateway that is found, in Prometheus' text format."""
    return _Exposition(prometheus(await gateways_of(services.settings).status()))
