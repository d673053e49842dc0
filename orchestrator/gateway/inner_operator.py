"""What a gateway does with what its operator asks at the inner door."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Protocol

from websockets.asyncio.server import ServerConnection

from orchestrator.gateway.facts import GatewayFacts
from orchestrator.gateway.inner_door import Answer
from orchestrator.gateway.inner_words import Done, Drain, Looked, Request, Status


class Operated(Protocol):
    """The gateway's side."""

    def facts(self) -> GatewayFacts:
        """Return what an operator wants to know of this moment."""
        ...

    def leave(self, *, within: timedelta) -> None:
        """Begin to close."""
        ...


class OperatorAnswers:
    """Answers for one gateway."""

    def __init__(self, gateway: Operated) -> None:
        self._gateway = gateway

    def table(self) -> Mapping[type[Request], Answer]:
        """Return what answers which request."""
        return MappingProxyType({Status: self._status, Drain: self._drain})

    async def _status(self, connection: ServerConnection, _request: Request) -> None:
        await connection.send(Looked(facts=self._gateway.facts()).model_dump_json())

    async def _drain(self, connection: ServerConnection, request: Request) -> None:
        assert isinstance(request, Drain)
        # Told first: without sessions it ends at once, and its door with it.
        await connection.send(Done().model_dump_json())
        self._gateway.leave(within=timedelta(seconds=request.seconds))
