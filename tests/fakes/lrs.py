"""A small learning record store behind a real port, and what may be wrong with one.

It does what xAPI 1.0.3 asks of statements: a batch is stored whole or not at all, an id is for one
statement for ever, and what was voided is found as such only. `wrong` is asked before each call.
"""

import json
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

KEY, SECRET = "poligon", "lrs s3cret: ü"
_RIGHT = "Basic " + b64encode(f"{KEY}:{SECRET}".encode()).decode()
VOIDED = "http://adlnet.gov/expapi/verbs/voided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """What a call gets instead of what it asks for; without a `status` its connection breaks.

    With `stores` it is carried out, though nobody is told. An answer of several `parts` comes with
    so many seconds before each.
    """

    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    stores: bool = False
    parts: int = 1
    pause: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What was asked: with how many statements, or which one."""

    method: str
    ids: tuple[str, ...]


@dataclass(kw_only=True)
class FakeLrs:
    """What it has, what it was asked, and what is wrong with it."""

    url: str = ""
    duplicates_are: int = 409
    """How a batch is answered in which one is there already; with 200 the others are stored."""
    unwanted: frozenset[str] = frozenset()
    """Statements that it does not take, by their ids."""
    wrong: Callable[[Call], Wrong | None] = lambda _: None
    statements: dict[str, dict[str, Any]] = field(default_factory=dict)
    stored: list[str] = field(default_factory=list)
    """The ids of all that was stored, in their order; each is there once."""
    voided: set[str] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def standing(self) -> dict[str, dict[str, Any]]:
        """What holds: without what was voided, and without the voiding."""
        return {
            id_: statement
            for id_, statement in self.statements.items()
            if id_ not in self.voided and statement["verb"]["id"] != VOIDED
        }

    def store(self, statements: list[dict[str, Any]]) -> tuple[int, bytes]:
        """Store all or none, as the specification wants it."""
        if any(s["id"] in self.unwanted for s in statements):
            return 400, b"<p>That is no statement."
        there = [s for s in statements if s["id"] in self.statements]
        if there and self.duplicates_are == 200:
            statements = [s for s in statements if s not in there]
        elif there:
            return self.duplicates_are, json.dumps({"there": [s["id"] for s in there]}).encode()
        for statement in statements:
            self.statements[statement["id"]] = statement
            self.stored.append(statement["id"])
            if statement["verb"]["id"] == VOIDED:
                self.voided.add(statement["object"]["id"])
        # Some name only what they did not have.
        return 200 if statements else 204, json.dumps([s["id"] for s in statements]).encode()

    def read(self, query: dict[str, list[str]]) -> tuple[int, bytes]:
        """Return one statement, by the parameter that is for its kind."""
        wants_voided = "voidedStatementId" in query
        id_ = query["voidedStatementId" if wants_voided else "statementId"][0]
        if id_ not in self.statements or (id_ in self.voided) != wants_voided:
            return 404, b"{}"
        return 200, json.dumps({**self.statements[id_], "stored": "2026-11-23T12:00:00Z"}).encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a body would wait for its headers to be acknowledged
    lrs: ClassVar[FakeLrs]
    lock: ClassVar[threading.Lock]

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        ids = tuple(value for values in query.values() for value in values)
        self._answer(Call(method="GET", ids=ids), lambda: self.lrs.read(query))

    def do_POST(self) -> None:
        statements = self._body()
        ids = tuple(s["id"] for s in statements)
        self._answer(Call(method="POST", ids=ids), lambda: self.lrs.store(statements))

    def do_PUT(self) -> None:
        statement = self._body()
        assert parse_qs(urlsplit(self.path).query)["statementId"] == [statement["id"]]

        def put() -> tuple[int, bytes]:
            status, body = self.lrs.store([statement])
            return (204, b"") if status in {200, 204} else (status, body)

        self._answer(Call(method="PUT", ids=(statement["id"],)), put)

    def _body(self) -> Any:  # noqa: ANN401  # whatever JSON holds
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, call: Call, act: Callable[[], tuple[int, bytes]]) -> None:
        assert urlsplit(self.path).path == "/xapi/statements"
        assert self.headers["X-Experience-API-Version"] == "1.0.3"
        with self.lock:
            self.lrs.calls.append(call)
            wrong = self.lrs.wrong(call)
            if wrong is None and self.headers["Authorization"] != _RIGHT:
                wrong = Wrong(status=401, body=b"Who are you?")
            done = act() if wrong is None or wrong.stores else (0, b"")
        if wrong is None:
            self._say(*done)
        elif wrong.status:
            self._say(wrong.status, wrong.body, wrong)
        else:
            self.close_connection = True

    def _say(self, status: int, body: bytes, wrong: Wrong | None = None) -> None:
        wrong = wrong or Wrong()
        self.send_response(status)
        for name, value in wrong.headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body) * wrong.parts))
        self.end_headers()
        try:
            for _ in range(wrong.parts):
                self.lrs.closing.wait(wrong.pause)
                self.wfile.write(body)
                self.wfile.flush()
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # clients keep their connections

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that went away."""


@contextmanager
def fake_lrs() -> Iterator[FakeLrs]:
    """Lend an LRS at a port of its own."""
    lrs = FakeLrs()
    handler = type("Handler", (_Handler,), {"lrs": lrs, "lock": threading.Lock()})
    with _Server(("127.0.0.1", 0), handler) as server:
        lrs.url = f"http://127.0.0.1:{server.server_port}/xapi"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield lrs
        finally:
            lrs.closing.set()
            server.shutdown()
            thread.join()
