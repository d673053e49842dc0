"""Boards as they change: one look for all who follow a board, and an event for each new text."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated

import structlog
from fastapi import Depends, Request
from fastapi.responses import StreamingResponse

from core.background import spawn
from core.errors import PoligonError
from core.ids import ExerciseId
from scoring.boards.service import Boards
from scoring.domain.boards import Audience

_log = structlog.get_logger()

_LOOK_EVERY_SECONDS = 0.3
# A browser comes again by itself, and is asked again who it is.
_LASTS = timedelta(minutes=2)
# Something passes all the time, so that no proxy takes the connection for dead.
_SIGN_OF_LIFE = timedelta(seconds=15)

_Key = tuple[ExerciseId, Audience]


class _Feed:
    """One board that somebody follows, and the hash of its last text."""

    def __init__(self) -> None:
        self.followers = 0
        self.sha256 = ""
        self.changed = asyncio.Event()
        self.looking: asyncio.Task[None] | None = None

    def tell(self, sha256: str) -> None:
        """Wake everybody who follows if the text is another one."""
        if sha256 != self.sha256:
            self.sha256 = sha256
            self.changed.set()
            self.changed = asyncio.Event()


class BoardFeeds:
    """The boards that anybody follows in this process, each looked at by one task."""

    def __init__(self, boards: Boards, *, lasts: timedelta = _LASTS) -> None:
        self._boards = boards
        self._feeds: dict[_Key, _Feed] = {}
        self._lasts = lasts

    async def changes(self, exercise: ExerciseId, audience: Audience) -> AsyncIterator[str]:
        """Give the hash of a board, then each new one; an empty text when long nothing changed."""
        feed = self._feed((exercise, audience))
        loop = asyncio.get_running_loop()
        until = loop.time() + self._lasts.total_seconds()
        feed.followers += 1
        told = ""
        try:
            while (left := until - loop.time()) > 0:
                changed = feed.changed
                if feed.sha256 == told:
                    try:
                        async with asyncio.timeout(min(left, _SIGN_OF_LIFE.total_seconds())):
                            await changed.wait()
                    except TimeoutError:
                        yield ""
                        continue
                told = feed.sha256
                yield told
        finally:
            feed.followers -= 1

    def _feed(self, key: _Key) -> _Feed:
        feed = self._feeds.get(key)
        if feed is None:
            feed = self._feeds[key] = _Feed()
            feed.looking = spawn(self._look(key, feed))
        return feed

    async def _look(self, key: _Key, feed: _Feed) -> None:
        """Look for as long as somebody follows; a database that is away is asked again."""
        while True:
            try:
                snapshot = await asyncio.to_thread(self._boards.latest, *key)
                feed.tell(snapshot.sha256)
            except PoligonError as error:
                _log.warning("board.not_read", code=error.code)
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            if not feed.followers:
                del self._feeds[key]
                return


async def feeds_of(request: Request) -> BoardFeeds:
    """Return the boards that are followed in this process."""
    feeds: BoardFeeds = request.app.state.feeds
    return feeds


FeedsHere = Annotated[BoardFeeds, Depends(feeds_of)]


def stream(feeds: BoardFeeds, exercise: ExerciseId, audience: Audience) -> StreamingResponse:
    """Return a stream of server-sent events: `board`, with the hash of the new text."""
    return StreamingResponse(
        _events(feeds, exercise, audience),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(
    feeds: BoardFeeds, exercise: ExerciseId, audience: Audience
) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    async for sha256 in feeds.changes(exercise, audience):
        yield f"event: board\nid: {sha256}\ndata: {sha256}\n\n" if sha256 else ": still here\n\n"
