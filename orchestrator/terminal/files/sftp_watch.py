"""Which files pass between an SFTP client and the host's own sftp-server (version 3)."""

import struct
from collections.abc import Generator
from dataclasses import dataclass, field

from orchestrator.terminal.book import Direction
from orchestrator.terminal.files.transfers import Passage, Told
from orchestrator.terminal.files.watching import Conversation, NotUnderstoodError, Parser

_INIT, _VERSION = 1, 2
_OPEN, _CLOSE, _READ, _WRITE = 3, 4, 5, 6
_STATUS, _HANDLE, _DATA = 101, 102, 103
_OK = 0
_MOST_PATH = 4096
_MOST_HANDLE = 256
_MOST_ASKED = 4096  # requests without an answer; OpenSSH sends 64 at once
_MOST_OPEN = 1024
_PIECE = 64 * 1024

_Exactly = Generator[int, bytes, bytes]


@dataclass(slots=True)
class _Opened:
    """A handle, and what passed through it in either direction."""

    path: bytes
    put: Passage = field(init=False)
    taken: Passage = field(init=False)

    def __post_init__(self) -> None:
        self.put = Passage(direction=Direction.TO_HOST, path=self.path)
        self.taken = Passage(direction=Direction.FROM_HOST, path=self.path)


@dataclass(slots=True)
class _Asked:
    """A request whose answer matters."""

    path: bytes = b""
    opened: _Opened | None = None
    offset: int = 0


class SftpWatcher:
    """Tells of each file that was put or taken, when its handle is closed or the client goes."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._asked: dict[bytes, _Asked] = {}
        self._open: dict[bytes, _Opened] = {}
        conversation = Conversation(self._requests(), self._answers(), lost=self._lost)
        self.from_client = conversation.from_client
        self.from_host = conversation.from_host

    def ended(self) -> None:
        """Tell of what was still open."""
        for opened in self._open.values():
            self._tell(opened)
        self._open.clear()

    def _lost(self) -> None:
        self.ended()
        self._asked.clear()

    def _tell(self, opened: _Opened) -> None:
        for passage in (opened.put, opened.taken):
            if not passage.is_empty:
                self._told(passage.transfer())

    def _requests(self) -> Parser:
        while True:
            length, kind = struct.unpack(">IB", (yield 5))
            left = length - 1
            if kind in {_OPEN, _CLOSE, _READ, _WRITE}:
                left -= 4
                number = yield 4
                left = yield from self._request(kind, number, left)
            yield from _skip(left)

    def _request(self, kind: int, number: bytes, left: int) -> Generator[int, bytes, int]:
        """Look into a request that matters; return how much of it is left."""
        text = yield from _string(_MOST_PATH if kind == _OPEN else _MOST_HANDLE, left)
        left -= 4 + len(text)
        if kind == _OPEN:
            self._expect(number, _Asked(path=text))
        elif kind == _CLOSE:
            if opened := self._open.pop(text, None):
                self._tell(opened)
        elif opened := self._open.get(text):
            left -= 8
            offset = int.from_bytes((yield 8), "big")
            if kind == _READ:
                self._expect(number, _Asked(opened=opened, offset=offset))
            else:
                left = yield from _payload(opened.put, offset, left)
        return left

    def _expect(self, number: bytes, asked: _Asked) -> None:
        if len(self._asked) >= _MOST_ASKED:
            raise NotUnderstoodError
        self._asked[number] = asked

    def _answers(self) -> Parser:
        while True:
            length, kind = struct.unpack(">IB", (yield 5))
            left = length - 1
            if kind != _VERSION:
                left -= 4
                asked = self._asked.pop((yield 4), None)
                if asked:
                    left = yield from self._answer(kind, asked, left)
            yield from _skip(left)

    def _answer(self, kind: int, asked: _Asked, left: int) -> Generator[int, bytes, int]:
        if kind == _HANDLE and asked.path:
            handle = yield from _string(_MOST_HANDLE, left)
            left -= 4 + len(handle)
            if len(self._open) >= _MOST_OPEN:
                raise NotUnderstoodError
            self._open[handle] = _Opened(asked.path)
        elif kind == _DATA and asked.opened:
            left = yield from _payload(asked.opened.taken, asked.offset, left)
        return left


def _string(most: int, left: int) -> _Exactly:
    length = int.from_bytes((yield 4), "big")
    if length > most or 4 + length > left:
        raise NotUnderstoodError
    if not length:
        return b""
    return (yield length)


def _payload(passage: Passage, offset: int, left: int) -> Generator[int, bytes, int]:
    """Take the bytes of a file as they come; return how much of the packet is left."""
    size = int.from_bytes((yield 4), "big")
    left -= 4
    if size > left:
        raise NotUnderstoodError
    while size:
        piece = yield -min(size, _PIECE)
        passage.passed(offset, piece)
        offset += len(piece)
        size -= len(piece)
        left -= len(piece)
    return left


def _skip(left: int) -> Generator[int, bytes, None]:
    if left < 0:
        raise NotUnderstoodError
    while left:
        left -= len((yield -left))
