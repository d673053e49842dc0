"""Frames between a page and a gateway, each waiting for the other side."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from enum import IntEnum
from typing import Any

import structlog
from fastapi import WebSocket, WebSocketDisconnect
from pydantic import ValidationError
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from core.background import spawn
from core.errors import Fault, PoligonError
from orchestrator.gateway.inner_words import LARGEST_FRAME, Refused, Resize

_log = structlog.get_logger()

_LOOK_EVERY_SECONDS = 10

Check = Callable[[], Awaitable[object]]


class Close(IntEnum):
    """How a WebSocket ends, for the page: RFC 6455 and the registry of IANA; 4xxx are ours."""

    DONE = 1000
    GOING_AWAY = 1001
    NOT_UNDERSTOOD = 1007
    TRY_AGAIN = 1013
    REFUSED = 4403


async def typing(page: WebSocket, gateway: ClientConnection) -> None:
    """Pass on what is typed, and the terminal's size, until the page goes."""
    while True:
        message = await page.receive()
        if message["type"] == "websocket.disconnect":
            return
        data = message.get("bytes")
        if data:
            for start in range(0, len(data), LARGEST_FRAME):
                await gateway.send(data[start : start + LARGEST_FRAME])
        elif message.get("text"):
            await gateway.send(Resize.model_validate_json(message["text"]).model_dump_json())


async def looking(page: WebSocket, _gateway: ClientConnection) -> None:
    """Return when the page goes; what it sends reaches nobody."""
    while (await page.receive())["type"] != "websocket.disconnect":
        pass


async def relay(
    page: WebSocket,
    gateway: ClientConnection,
    *,
    upwards: Callable[[WebSocket, ClientConnection], Coroutine[Any, Any, None]],
    still_may: Check,
) -> None:
    """Carry frames until one side ends; `still_may` raises once the page may stay no longer."""
    going = [
        spawn(upwards(page, gateway)),
        spawn(_show(page, gateway)),
        spawn(_keep_asking(still_may)),
    ]
    try:
        done, _ = await asyncio.wait(going, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    except ValidationError:
        await close(page, Close.NOT_UNDERSTOOD, "the page sent what no terminal sends")
    except PoligonError as error:
        await refuse(page, error)
    except (ConnectionClosed, WebSocketDisconnect):
        pass
    finally:
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)
    await close(page, Close.GOING_AWAY, "the connection to the gateway ended")


async def refuse(page: WebSocket, error: PoligonError) -> None:
    """Say why in a frame, because a close code has no room for a sentence, and close."""
    told = Refused(code=error.code, sentence=str(error))
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await page.send_text(told.model_dump_json())
    later = error.fault is Fault.UPSTREAM
    await close(page, Close.TRY_AGAIN if later else Close.REFUSED, error.code)


async def close(page: WebSocket, code: Close, reason: str) -> None:
    """Close the page's side, if it is open still."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await page.close(code, reason)


async def _show(page: WebSocket, gateway: ClientConnection) -> None:
    async for message in gateway:
        if isinstance(message, str):
            await page.send_text(message)
        else:
            await page.send_bytes(message)
    # The gateway says the last word and closes; one that dies does neither.
    await close(page, Close.DONE, "ended")


async def _keep_asking(still_may: Check) -> None:
    while True:
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
        await still_may()
