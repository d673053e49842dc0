"""Staff at the inner door: one who looks on, and one who types, too."""

import contextlib
from collections.abc import Coroutine
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from core.background import spawn
from orchestrator.gateway.inner_words import Ended, Lost, Notice, Opened, Resized, Size
from orchestrator.terminal import watching
from orchestrator.terminal.guest import Guest
from orchestrator.terminal.registry import LiveSession


async def follow(connection: ServerConnection, live: LiveSession) -> None:
    """Show a session until it ends or the other side goes. Nothing is read from the connection."""
    await _show(connection, live, meanwhile=connection.wait_closed())


async def take_part(connection: ServerConnection, live: LiveSession, *, name: str) -> None:
    """Show a session and type in it, after everybody there was told who joins."""
    guest = live.session.join(name)
    try:
        await _show(connection, live, meanwhile=_type(connection, guest))
    finally:
        guest.leave()


async def _type(connection: ServerConnection, guest: Guest) -> None:
    async for message in connection:
        if isinstance(message, bytes):
            guest.type(message)


async def _show(
    connection: ServerConnection, live: LiveSession, *, meanwhile: Coroutine[Any, Any, None]
) -> None:
    host = live.visit.host
    watcher = live.session.watch()
    leaving = spawn(_leave_after(meanwhile, watcher))
    opened = Opened(session=live.visit.id, host=host.host, team=host.world.team)
    try:
        await connection.send(opened.model_dump_json())
        async for event in watcher:
            await connection.send(_frame(event))
    finally:
        watcher.close()
        leaving.cancel()


async def _leave_after(meanwhile: Coroutine[Any, Any, None], watcher: watching.Watcher) -> None:
    try:
        with contextlib.suppress(ConnectionClosed):
            await meanwhile
    finally:
        watcher.close()


def _frame(event: watching.Event) -> bytes | str:
    match event:
        case watching.Shown(data=data):
            return data
        case watching.Resized(size=size):
            return Resized(size=Size(columns=size.columns, rows=size.rows)).model_dump_json()
        case watching.Marked(label=label):
            return Notice(sentence=label).model_dump_json()
        case watching.Lost(count=count):
            return Lost(bytes=count).model_dump_json()
        case watching.Ended(code=code):
            return Ended(code=code).model_dump_json()
