"""What a solution says on stdout: a line, in tabs, for each answer, reply, file and deed."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass

from core.scenario.fields import require_sha256
from orchestrator.terminal.book import WAYS, Direction

_VERBS = ("answer", "reply", "submit", "typed", "moved")
_PARTS = 3
_MOST_SHOWN = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer to a task."""

    task: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply to the message of an inject."""

    inject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """A line that says something, and cannot be used; `why` is a sentence without its stop."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A file that is handed in for a task; `size` in bytes, `None` when there is no such file.

    `content` is there of a small one.
    """

    task: str
    file: str
    size: int | None
    content: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A command that a trainee types on a host."""

    host: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A file that a trainee moves into a host or out of it; `sha256` is empty when left out."""

    host: str
    direction: Direction
    path: str
    sha256: str


Deed = Typed | Moved
Line = Answer | Reply | Submission | Deed | Unusable


def lines_in(output: str) -> Iterator[Line]:
    """Yield what the lines of a solution say; those that begin with another word are chatter.

    Whoever played it put what the file has after each that submits one: its size, and of a small
    one a colon and its content in base64.
    """
    for number, text in enumerate(output.splitlines(), start=1):
        verb, *_ = text.split(maxsplit=1) or [""]
        if verb in _VERBS:
            yield _line(number, text)


def _line(number: int, text: str) -> Line:
    said, measured = text, ""
    if text.startswith("submit\t"):
        said, _, measured = text.rpartition("\t")
    parts = said.split("\t", _PARTS - 1)
    shown = said[:_MOST_SHOWN]
    if len(parts) < _PARTS or not all(part.strip() for part in parts):
        return Unusable(
            why=f"line {number} of the solution is not three words with tabs between: {shown!r}"
        )
    verb, name, value = (part.strip() for part in parts)
    match verb:
        case "answer":
            return Answer(task=name, value=value)
        case "reply":
            return Reply(inject=name, text=value)
        case "typed":
            return Typed(host=name, line=value)
        case "moved":
            return _moved(number, name, value)
        case _:
            size, _, content = measured.partition(":")
            return Submission(
                task=name,
                file=value,
                size=int(size) if size.isdecimal() else None,
                content=_decoded(content) if content else None,
            )


def _moved(number: int, host: str, rest: str) -> Moved | Unusable:
    way, path, digest, *more = (*rest.split("\t"), "", "")
    try:
        if way not in WAYS or not path.startswith("/") or any(more):
            raise ValueError("a host is followed by in or out, a path from / on, and its SHA-256")
        sha256 = require_sha256(digest) if digest else ""
    except ValueError as error:
        return Unusable(why=f"line {number} of the solution: {error}")
    return Moved(host=host, direction=WAYS[way], path=path, sha256=sha256)


def _decoded(content: str) -> bytes | None:
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error:
        return None
