"""What is asked of a learning record store, and what it may answer. No I/O."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Protocol

from core.errors import Fault, PoligonError

_REFUSALS = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.CONFLICT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)
"""Answers about what was sent; any other that is no success is about the LRS."""
_UNREADABLE = frozenset(
    {
        *(HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND),
        *(HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED),
    }
)
_MOST_SHOWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an LRS answers; `retry_after` is how long it asks to be left alone."""

    status: int
    body: bytes = b""
    retry_after: timedelta | None = None

    @property
    def is_refusal(self) -> bool:
        """Whether the LRS does not want what it was sent, as it is."""
        return self.status in _REFUSALS

    @property
    def is_conflict(self) -> bool:
        """Whether the LRS says that it has something with the same id."""
        return self.status == HTTPStatus.CONFLICT

    @property
    def in_words(self) -> str:
        """The status and the beginning of the body, for people."""
        says = in_short(self.body[: 4 * _MOST_SHOWN].decode(errors="replace"))
        return f"it answered {self.status}{': ' if says else ''}{says}"


class LrsAwayError(PoligonError):
    """The LRS took nothing now, for a reason that lies with it or with how it is reached.

    It is `brief` when the next call may be good; `retry_after` is for how long it asks for peace.
    """

    code = "lrs.away"
    fault = Fault.UPSTREAM

    def __init__(
        self, message: str, *, brief: bool = False, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(message, hint="What waits is sent again by itself: poligon lrs status")
        self.brief = brief
        self.retry_after = retry_after


class Lrs(Protocol):
    """A learning record store. `post` and `put` raise LrsAwayError when it does not answer in time.

    Statements are JSON, with their ids in them.
    """

    def post(self, statements: Sequence[str]) -> Answer:
        """Store some statements, all or none."""
        ...

    def put(self, id_: str, statement: str) -> Answer:
        """Store a statement."""
        ...

    def get(self, ids: Sequence[str], *, voided: bool = False) -> Sequence[Answer | LrsAwayError]:
        """Read statements, each by a call of its own; with `voided` those that were taken back."""
        ...


def understood(answer: Answer, *, posted: Sequence[str] | None = None) -> Answer:
    """Return an answer that says what became of statements, of all those `posted` or of one put.

    Raises LrsAwayError for any other. A page that somebody else puts in front of an LRS is no
    answer, though its status is 200.
    """
    if answer.status == HTTPStatus.NO_CONTENT or answer.is_refusal:
        return answer
    if posted is None or answer.status != HTTPStatus.OK:
        raise _away(answer)
    stored(answer, posted)
    return answer


def stored(answer: Answer, posted: Sequence[str]) -> frozenset[str]:
    """Return the ids of which an answer to a post says that they are stored.

    Some LRS do not name what they had already. Raises LrsAwayError when it names anything else.
    """
    if answer.status == HTTPStatus.NO_CONTENT:
        return frozenset(posted)
    found = _read(answer)
    if not isinstance(found, list) or any(named not in posted for named in found):
        raise LrsAwayError(f"its answer is not the ids of what it was sent: {answer.in_words}")
    return frozenset(found)


def has(answer: Answer | LrsAwayError, statement: str) -> bool:
    """Tell whether what was read is this statement; raises LrsAwayError when it is no answer.

    A key that may not read sees nothing.
    """
    if isinstance(answer, LrsAwayError):
        raise answer
    if answer.status in _UNREADABLE:
        return False
    if answer.status != HTTPStatus.OK:
        raise _away(answer)
    found = _read(answer)
    if not isinstance(found, dict):
        raise LrsAwayError(f"its answer is no statement: {answer.in_words}")
    return _core(found) == _core(json.loads(statement))


def in_short(text: str) -> str:
    """Return the beginning of what an LRS says, in a line; databases store no zero."""
    return " ".join(text.replace("\0", "\ufffd").split())[:_MOST_SHOWN]


def _away(answer: Answer) -> LrsAwayError:
    brief = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return LrsAwayError(answer.in_words, brief=brief, retry_after=answer.retry_after)


def _read(answer: Answer) -> object:
    try:
        found: object = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return found


def _core(statement: Mapping[str, object]) -> tuple[object, ...]:
    """Return what of a statement was ours to say; an LRS may add to the rest."""
    verb, actor, thing = (_part(statement, name) for name in ("verb", "actor", "object"))
    return (
        statement.get("id"),
        verb.get("id"),
        actor.get("account"),
        thing.get("id"),
        statement.get("result"),
    )


def _part(statement: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = statement.get(name)
    return found if isinstance(found, dict) else {}
