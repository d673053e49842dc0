"""Files that are handed in go by the edge as they come, up to what any task takes."""

import asyncio

import pytest
from fastapi import Request
from fastapi.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from api import edge
from api.errors import BodyTooLargeError

UPLOAD = "/api/v1/exercises/x/tasks/y/deliveries"


class Reader:
    """An application that reads a body piece by piece, and remembers what it saw."""

    def __init__(self) -> None:
        self.pieces: list[int] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            message = await receive()
            self.pieces.append(len(message["body"]))
            more = message["more_body"]
        await PlainTextResponse("")(scope, receive, send)


def sent(path: str, *pieces: int, method: str = "POST") -> tuple[int, list[int]]:
    """Send a body in pieces of these sizes; return the status and what the application saw."""
    left = list(pieces)
    statuses: list[int] = []
    reader = Reader()

    async def receive() -> Message:
        size = left.pop(0)
        return {"type": "http.request", "body": bytes(size), "more_body": bool(left)}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    def respond(_request: Request, error: Exception) -> Response:
        assert isinstance(error, BodyTooLargeError)
        return PlainTextResponse("", 413)

    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
    asyncio.run(edge.Edge(reader, respond=respond)(scope, receive, send))
    return statuses[0], reader.pieces


def test_a_file_is_not_gathered_before_it_is_passed_on() -> None:
    assert sent(UPLOAD, 200_000, 200_000, 1) == (200, [200_000, 200_000, 1])


def test_a_file_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "_LARGEST_UPLOAD", 1000)
    assert sent(UPLOAD, 600, 600, 600) == (413, [600])


@pytest.mark.parametrize(
    ("path", "method"),
    [
        (UPLOAD, "PUT"),
        (f"{UPLOAD}/z", "POST"),
        ("/exercises/x/tasks/y/deliveries/../../answers", "POST"),
        ("/api/v1/exercises/x/answers", "POST"),
    ],
)
def test_nothing_else_may_be_as_large(path: str, method: str) -> None:
    status, pieces = sent(path, 200_000, 200_000, method=method)
    assert (status, pieces) == (413, [])
