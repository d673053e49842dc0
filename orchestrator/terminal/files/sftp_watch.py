"""Which files pass between an SFTP client and who serves the host's (version 3)."""

import struct
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from orchestrator.terminal.book import Direction
from orchestrator.terminal.files.transfers import Passage, Told, Transfer
from orchestrator.terminal.files.watching import Conversation, NotUnderstoodError, Parser

_INIT, _VERSION = 1, 2
_OPEN, _CLOSE, _READ, _WRITE = 3, 4, 5, 6
_STATUS, _HANDLE, _DATA = 101, 102, 103
_OK, _END = 0, 1
_CREATES = 0x08
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
    may_be_new: bool
    put: Passage = field(init=False)
    taken: Passage = field(init=False)
    was_refused: bool = False
    """Whether the host did not take something that was written."""
    asked_to: int = 0
    """The end of what was asked for and answered with bytes."""
    was_read_out: bool = False
    """Whether the host said that nothing follows these bytes."""

    def __post_init__(self) -> None:
        self.put = Passage(direction=Direction.TO_HOST, path=self.path)
        self.taken = Passage(direction=Direction.FROM_HOST, path=self.path)

    def transfers(self, *, closed: bool) -> Iterator[Transfer]:
        """Yield what to write down; `closed` tells that the client closed it and the host agreed.

        A file without bytes passed, too, when it may have been made, or was read to its end.
        """
        put = closed and not self.was_refused
        if not self.put.is_empty or (put and self.may_be_new):
            yield self.put.transfer(whole=put)
        if not self.taken.is_empty or (closed and self.was_read_out):
            yield self.taken.transfer(whole=closed and self.was_read_out)


@dataclass(slots=True)
class _Asked:
    """A request whose answer matters."""

    kind: int
    path: bytes = b""
    may_be_new: bool = False
    opened: _Opened | None = None
    offset: int = 0
    size: int = 0


class SftpWatcher:
    """Tells of each file that was put or taken, when its handle was closed or the session ends."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._asked: dict[bytes, _Asked] = {}
        self._open: dict[bytes, _Opened] = {}
        conversation = Conversation(self._requests(), self._answers(), lost=self.ended)
        self.from_client = conversation.from_client
        self.from_host = conversation.from_host

    def ended(self) -> None:
        """Tell of what was still open, and of what the host did not say that it is closed."""
        closing = (asked.opened for asked in self._asked.values() if asked.kind == _CLOSE)
        for opened in (*self._open.values(), *closing):
            self._tell(opened, closed=False)
        self._open.clear()
        self._asked.clear()

    def _tell(self, opened: _Opened | None, *, closed: bool) -> None:
        for transfer in opened.transfers(closed=closed) if opened else ():
            self._told(transfer)

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
        asked = _Asked(kind=kind)
        if kind == _OPEN:
            left -= 4
            flags = int.from_bytes((yield 4), "big")
            asked.path, asked.may_be_new = text, bool(flags & _CREATES)
        elif kind == _CLOSE:
            asked.opened = self._open.pop(text, None)
        elif opened := self._open.get(text):
            left -= 8
            asked.opened, asked.offset = opened, int.from_bytes((yield 8), "big")
            if kind == _READ:
                left -= 4
                asked.size = int.from_bytes((yield 4), "big")
            else:
                left = yield from _payload(opened.put, asked.offset, left)
        if asked.path or asked.opened:
            self._expect(number, asked)
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
        opened = asked.opened
        if kind == _HANDLE and asked.path:
            handle = yield from _string(_MOST_HANDLE, left)
            left -= 4 + len(handle)
            if len(self._open) >= _MOST_OPEN:
                raise NotUnderstoodError
            self._open[handle] = _Opened(path=asked.path, may_be_new=asked.may_be_new)
        elif kind == _DATA and opened:
            opened.asked_to = max(opened.asked_to, asked.offset + asked.size)
            left = yield from _payload(opened.taken, asked.offset, left)
        elif kind == _STATUS and opened:
            left -= 4
            self._settle(asked, opened, int.from_bytes((yield 4), "big"))
        return left

    def _settle(self, asked: _Asked, opened: _Opened, status: int) -> None:
        if asked.kind == _CLOSE:
            self._tell(opened, closed=status == _OK)
        elif asked.kind == _WRITE:
            opened.was_refused |= status != _OK
        elif status == _END and asked.offset <= opened.asked_to:
            opened.was_read_out = True


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
