"""Writes that may be sent twice: the same Idempotency-Key gets the same answer.

A write that fails changed nothing, so only answers of success are kept, for a day. A process that
dies half-way, or a database that goes away while it commits, leaves its key under way; after a
minute the next request with it is carried out.
"""

import hashlib
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from api.errors import (
    IdempotencyKeyInvalidError,
    SameKeyOtherRequestError,
    SameKeyUnderWayError,
)
from api.tables import IdempotencyKeyRow
from core.clock import Clock
from core.db import CommitUnconfirmedError, Database
from core.errors import PoligonError
from core.users.model import User

_KEPT = timedelta(hours=24)
_PATIENCE = timedelta(minutes=1)
_LONGEST_KEY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A write of somebody, under the key that they gave it; `digest` is of all that was sent."""

    user: User
    key: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was answered: HTTP status and JSON text."""

    status: int
    body: str


class RememberedWrites:
    """The table of keys."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, write: Write) -> Answer | None:
        """Return what was answered before, or `None`: the caller carries it out now.

        Raises SameKeyOtherRequestError, SameKeyUnderWayError.
        """
        now = self._clock.now()
        row = IdempotencyKeyRow(
            user_id=write.user.id, key=write.key, request_digest=write.digest, created_at=now
        )
        try:
            with self._database.transaction() as transaction:
                transaction.session.execute(
                    delete(IdempotencyKeyRow).where(IdempotencyKeyRow.created_at < now - _KEPT)
                )
                transaction.session.add(row)
        except IntegrityError:
            return self._again(write)
        return None

    def _again(self, write: Write) -> Answer | None:
        now = self._clock.now()
        with self._database.transaction() as transaction:
            row = transaction.session.get(IdempotencyKeyRow, (write.user.id, write.key))
            if row is None:
                # The first request failed in between and gave its key back.
                raise SameKeyUnderWayError("this write failed just now", seconds=1)
            if row.request_digest != write.digest:
                raise SameKeyOtherRequestError(
                    "this Idempotency-Key came with another request before",
                    hint="Use a new key for every new write",
                )
            if row.status is not None:
                return Answer(status=row.status, body=row.body or "")
            taken = transaction.session.execute(
                update(IdempotencyKeyRow)
                .where(
                    IdempotencyKeyRow.user_id == write.user.id,
                    IdempotencyKeyRow.key == write.key,
                    IdempotencyKeyRow.status.is_(None),
                    # Or from the future: the wall clock was set back since.
                    ~IdempotencyKeyRow.created_at.between(now - _PATIENCE, now + _PATIENCE),
                )
                .values(created_at=now)
            )
            if not taken.rowcount:  # type: ignore[attr-defined]  # an UPDATE has a CursorResult
                raise SameKeyUnderWayError("this write is being carried out just now", seconds=2)
        return None

    def finish(self, write: Write, answer: Answer) -> None:
        """Keep the answer for whoever sends the write again."""
        with self._database.transaction() as transaction:
            row = transaction.session.get(IdempotencyKeyRow, (write.user.id, write.key))
            if row is not None:
                row.status, row.body = answer.status, answer.body

    def forget(self, write: Write) -> None:
        """Give the key back: the write failed and changed nothing."""
        with self._database.transaction() as transaction:
            transaction.session.execute(
                delete(IdempotencyKeyRow).where(
                    IdempotencyKeyRow.user_id == write.user.id, IdempotencyKeyRow.key == write.key
                )
            )


class RememberingRoute(APIRoute):
    """A route whose writes may be sent twice."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler, with the table of keys around it."""
        handle = super().get_route_handler()

        async def remembering(request: Request) -> Response:
            """Carry a write out once for each key."""
            key = request.headers.get("idempotency-key")
            if key is None or request.method not in {"POST", "PUT", "PATCH", "DELETE"}:
                return await handle(request)
            user = await request.app.state.user_of(request)
            if user is None:
                return await handle(request)
            write = Write(user=user, key=_checked(key), digest=await _digest(request))
            return await _once(request.app.state.remembered, write, request, handle)

        return remembering


async def _once(
    writes: RememberedWrites,
    write: Write,
    request: Request,
    handle: Callable[[Request], Awaitable[Response]],
) -> Response:
    before = await run_in_threadpool(writes.begin, write)
    if before is not None:
        return Response(before.body, before.status, media_type="application/json")
    try:
        response = await handle(request)
    except CommitUnconfirmedError:
        raise  # it may have been written: the key stays under way
    except (PoligonError, RequestValidationError, HTTPException):
        # Only these tell for sure that nothing was written; anything else stays under way.
        await run_in_threadpool(writes.forget, write)
        raise
    body = bytes(response.body).decode()
    await run_in_threadpool(writes.finish, write, Answer(status=response.status_code, body=body))
    return response


def _checked(key: str) -> str:
    if not 0 < len(key) <= _LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise IdempotencyKeyInvalidError(
            "the Idempotency-Key is not usable",
            hint=f"Send 1 to {_LONGEST_KEY} printable ASCII characters, such as a UUID",
        )
    return key


async def _digest(request: Request) -> str:
    sent = f"{request.method} {request.url.path}\n".encode() + await request.body()
    return hashlib.sha256(sent).hexdigest()
