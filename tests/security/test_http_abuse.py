"""What a stranger's requests cost the server before anybody knows whose they are."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.served import served

HEAD = b"POST / HTTP/1.1\r\nHost: range.test\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


async def echo(request: Request) -> Response:
    return Response(await request.body())


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(Starlette(routes=[Route("/", echo, methods=["POST"])])) as url:
        yield urlsplit(url).port or 0


def told(port: int, *pieces: bytes) -> bytes:
    """Send piece after piece until the server closes, and return all that it said."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as caller:
        try:
            for piece in pieces:
                caller.sendall(piece)
        except ConnectionError:
            pass  # it had enough
        try:
            while piece := caller.recv(65_536):
                answer += piece
        except ConnectionError:
            pass
    return answer


@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (b"POST /", b"a" * 65_536),
        (HEAD + b"X-Long: ", b"a" * 65_536),
        (HEAD, b"X-Many: a\r\n" * 6_000),
        (HEAD + CHUNKED + b"\r\n1\r\nx\r\n0\r\n", b"X-Many: a\r\n" * 6_000),
    ],
    ids=["address", "header", "headers", "trailers"],
)
def test_a_head_without_an_end_is_refused(port: int, begun: bytes, more: bytes) -> None:
    answer = told(port, begun, *[more] * 64)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")


def test_what_has_an_end_is_taken_however_it_is_cut(port: int) -> None:
    long = HEAD + b"X-Long: " + b"a" * 60_000 + b"\r\nConnection: close\r\n"
    body = b"b" * 200_000
    whole = long + b"Content-Length: 200000\r\n\r\n" + body
    for size in (len(whole), 50_000, 7_001):
        answer = told(port, *(whole[at : at + size] for at in range(0, len(whole), size)))
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.endswith(b"\r\n\r\n" + body)
    parted = long + CHUNKED + b"\r\n" + b"1\r\nb\r\n" * 30_000 + b"0\r\n\r\n"
    assert told(port, parted).endswith(b"\r\n\r\n" + b"b" * 30_000)


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 3\r\n" + CHUNKED,
        b"Content-Length: 3\r\nContent-Length: 4\r\n",
        b"Content-Length: +3\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Content-Length : 3\r\n",
        b"X-Folded: a\r\n b\r\n",
        b"X-Bare: a\nContent-Length: 3\r\n",
    ],
)
def test_a_request_of_two_readings_is_refused(port: int, headers: bytes) -> None:
    answer = told(port, HEAD + headers + b"\r\n0\r\n\r\nPOST / HTTP/1.1\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 400 ")
