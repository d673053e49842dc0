"""The WebSockets of terminals: a trainee's own, one that is watched, one that is joined."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, WebSocket
from pydantic import ValidationError

from api.gateways import gateways_of
from api.live.door import caller_of, comes_from_our_page, services_for
from api.live.relay import Close, close, looking, refuse, relay, typing
from api.roles import runs_exercises
from api.terminals import note, terminal_in
from core.errors import Fault, PoligonError
from core.users.model import User
from orchestrator.gateway.inner_words import Enter, Size

router = APIRouter()

_Exercise = Annotated[str, Path(max_length=80)]
_Session = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


class ReasonMissingError(PoligonError):
    """Somebody joins a terminal and does not say why."""

    code = "terminal.reason_missing"
    fault = Fault.INPUT


@router.websocket("/live/terminal")
async def enter(
    page: WebSocket, host: str = "", session: str = "", columns: int = 80, rows: int = 24
) -> None:
    """Open the reader's terminal on a host, or give them back the one that they left."""
    if not await comes_from_our_page(page):
        return
    await page.accept()
    try:
        user = await caller_of(page)
        size = Size(columns=columns, rows=rows)
        wanted = Enter(login=user.name, host=host, size=size, session=session)
        async with gateways_of(services_for(page).settings).entering(wanted) as gateway:
            await relay(page, gateway, upwards=typing, still_may=lambda: caller_of(page))
    except ValidationError:
        await close(page, Close.NOT_UNDERSTOOD, "the page asked for what no terminal is")
    except PoligonError as error:
        await refuse(page, error)


@router.websocket("/live/watch/{exercise}/{session}")
async def watch(page: WebSocket, exercise: _Exercise, session: _Session) -> None:
    """Show an instructor a terminal. What their page sends is not passed on to anybody."""
    if not await comes_from_our_page(page):
        return
    await page.accept()
    try:
        user = await _instructor(page)
        services = services_for(page)
        here = await asyncio.to_thread(services.exercises.visible_to, user, exercise)
        terminal = await terminal_in(services, here, session)
        async with terminal.watched() as gateway:
            await relay(page, gateway, upwards=looking, still_may=lambda: _instructor(page))
    except PoligonError as error:
        await refuse(page, error)


@router.websocket("/live/join/{exercise}/{session}")
async def join(
    page: WebSocket,
    exercise: _Exercise,
    session: _Session,
    reason: Annotated[str, Query(max_length=500)] = "",
) -> None:
    """Let an instructor type in a terminal; its trainee is told, and the event log says why."""
    if not await comes_from_our_page(page):
        return
    await page.accept()
    try:
        user = await _instructor(page)
        if not reason.strip():
            raise ReasonMissingError("say why you join this terminal")
        services = services_for(page)
        here = await asyncio.to_thread(services.exercises.visible_to, user, exercise)
        terminal = await terminal_in(services, here, session)
        await note(services, here, terminal, "terminal.joined", reason=reason, by=user)
        async with terminal.joined(user.display_name or user.name) as gateway:
            await relay(page, gateway, upwards=typing, still_may=lambda: _instructor(page))
    except PoligonError as error:
        await refuse(page, error)


async def _instructor(page: WebSocket) -> User:
    return runs_exercises(await caller_of(page))
