"""Which files pass between the old scp client and who serves the host's."""

import posixpath
import re
import shlex
from collections.abc import Generator
from dataclasses import dataclass

from orchestrator.terminal.book import Direction
from orchestrator.terminal.files.transfers import Passage, Told
from orchestrator.terminal.files.watching import Conversation, NotUnderstoodError, Parser

_COMMAND = re.compile(r"scp(\s+-[a-zA-Z]+)*\s+-[a-zA-Z]*[tf]")
_MOST_LINE = 8192
_MOST_DEEP = 256
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ScpCommand:
    """What the client asked the host's scp for."""

    words: tuple[str, ...]
    is_folder: bool = False
    """Whether the host has a folder at the path."""

    @property
    def direction(self) -> Direction:
        """Tell which way the files go."""
        takes = "t" in self._options
        return Direction.TO_HOST if takes else Direction.FROM_HOST

    @property
    def path(self) -> str:
        """The file or folder in the host, seen from the home."""
        path = self.words[-1]
        return path[2:] or "." if path == "~" or path.startswith("~/") else path

    def from_home(self) -> str:
        """Return the command with a path that no shell has to expand, and that ends in a name."""
        path = self.path
        if self.direction is Direction.FROM_HOST:
            path = path.rstrip("/") or "/"
        return shlex.join([*self.words[:-1], path])

    @property
    def _options(self) -> str:
        return "".join(word[1:] for word in self.words[1:-1])


def parsed(command: str) -> ScpCommand | None:
    """Return what a command asks of scp when it is one that an scp client sends, else None."""
    if not _COMMAND.match(command):
        return None
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    return ScpCommand(words=tuple(words))


class ScpWatcher:
    """Tells of each file when who takes it has said how that went, or the session ends."""

    def __init__(self, command: ScpCommand, told: Told) -> None:
        self._command = command
        self._told = told
        self._folders: list[bytes] = []
        self._may_send = False
        self._passing: Passage | None = None
        self._is_sent = False
        sender, receiver = self._sent(), self._replied()
        takes = command.direction is Direction.TO_HOST
        client, host = (sender, receiver) if takes else (receiver, sender)
        conversation = Conversation(client, host, lost=self.ended)
        self.from_client = conversation.from_client
        self.from_host = conversation.from_host

    def ended(self) -> None:
        """Tell of the file that was under way."""
        self._tell(whole=False)

    def _tell(self, *, whole: bool) -> None:
        passage, self._passing = self._passing, None
        if passage and (whole or not passage.is_empty):
            self._told(passage.transfer(whole=whole))

    def _sent(self) -> Parser:
        first = yield 1
        while True:
            if first != b"\0":
                line = first + (yield from _line())
                first = yield 1
                if line.startswith(b"C") and self._may_send:
                    yield from self._file(line, first)
                    first = yield 1
                else:
                    self._follow(line)
            else:
                first = yield 1

    def _follow(self, line: bytes) -> None:
        kind = line[:1]
        if kind == b"D":
            self._enter(_parts(line)[1])
        elif kind == b"E" and self._folders:
            self._folders.pop()
        elif kind not in {b"C", b"T", b"E", b"\1", b"\2"}:
            raise NotUnderstoodError

    def _file(self, line: bytes, first: bytes) -> Generator[int, bytes, None]:
        """Follow one file to the byte that says how it went; its `first` byte was seen."""
        size, name = _parts(line)
        passage = Passage(direction=self._command.direction, path=self._path(name))
        self._passing, self._is_sent = passage, False
        piece = first
        while size:
            passage.passed(None, piece)
            size -= len(piece)
            piece = yield -min(size, _PIECE) if size else 1
        self._is_sent = piece == b"\0"
        if not self._is_sent:
            self._tell(whole=False)
            yield from _line()

    def _replied(self) -> Parser:
        while True:
            self._may_send = (yield 1) == b"\0"
            if self._is_sent:
                self._is_sent = False
                self._tell(whole=self._may_send)
            if not self._may_send:
                yield from _line()

    def _enter(self, name: bytes) -> None:
        if len(self._folders) >= _MOST_DEEP:
            raise NotUnderstoodError
        self._folders.append(name)

    def _path(self, name: bytes) -> bytes:
        asked = self._command.path.encode()
        if self._command.direction is Direction.FROM_HOST:
            return posixpath.join(posixpath.dirname(asked.rstrip(b"/")), *self._folders, name)
        if self._command.is_folder:
            return posixpath.join(asked, *self._folders, name)
        # Of what was no folder the path is the new name, also of a folder that is copied there.
        return posixpath.join(asked, *self._folders[1:], name) if self._folders else asked


def _line() -> Generator[int, bytes, bytes]:
    line = bytearray()
    while (byte := (yield 1)) != b"\n":
        line += byte
        if len(line) > _MOST_LINE:
            raise NotUnderstoodError
    return bytes(line)


def _parts(line: bytes) -> tuple[int, bytes]:
    """Return size and name out of `C0644 12 name`."""
    try:
        _mode, size, name = line.split(b" ", 2)
        count = int(size)
    except ValueError as error:
        raise NotUnderstoodError from error
    if count < 0:
        raise NotUnderstoodError
    return count, name
