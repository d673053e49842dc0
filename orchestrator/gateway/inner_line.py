"""Asking one gateway at its inner door."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from core.errors import Fault, PoligonError
from orchestrator.gateway.doors import Door
from orchestrator.gateway.inner_words import (
    LARGEST_FRAME,
    TOLD,
    List,
    Listed,
    Request,
    Told,
)

_ANSWER_SECONDS = 5
_LARGEST_ANSWER = 4 * 1024 * 1024  # the list of some thousand sessions


class GatewayAwayError(PoligonError):
    """No gateway answers: nobody can enter a host now."""

    code = "gateway.away"
    fault = Fault.UPSTREAM


async def listed(door: Door, request: List) -> Listed | None:
    """Return what a gateway has, or None of one that does not answer."""
    try:
        answer = await ask(door, request)
    except GatewayAwayError:
        return None
    return answer if isinstance(answer, Listed) else None


async def ask(door: Door, request: Request) -> Told:
    """Return the answer to what has one; raises GatewayAwayError."""
    async with asking(door, request) as connection:
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                return TOLD.validate_json(await connection.recv())
        except (ConnectionClosed, TimeoutError, ValidationError) as error:
            raise away() from error


@contextlib.asynccontextmanager
async def asking(door: Door, request: Request) -> AsyncIterator[ClientConnection]:
    """Lend a connection on which something was asked; raises GatewayAwayError."""
    async with contextlib.AsyncExitStack() as held:
        try:
            connected = await held.enter_async_context(door.opened())
            connection = await unix_connect(
                sock=connected,
                uri="ws://gateway/",
                open_timeout=_ANSWER_SECONDS,
                compression=None,
                ping_interval=None,
                max_size=_LARGEST_ANSWER,
                write_limit=LARGEST_FRAME,
            )
            await held.enter_async_context(connection)
            await connection.send(request.model_dump_json())
        except (OSError, TimeoutError, InvalidHandshake, ConnectionClosed) as error:
            raise away() from error
        yield connection


def away() -> GatewayAwayError:
    """Return the error of a site whose gateways do not answer."""
    return GatewayAwayError(
        "no gateway answers, so hosts cannot be entered just now",
        hint="Try again in a minute; the operator starts one with: poligon gateway",
    )
