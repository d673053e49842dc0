"""The commands that are typed on a terminal, whatever the shell, read off what it shows.

A command is what stands after the prompt when Enter has been pressed: only what was echoed is seen,
so a password is not. Where somebody begins to type is where the prompt ends. While a program has
the whole screen (the alternate one), nothing that is typed is a command.
"""

import codecs
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.terminal.grid import Grid, Place
from orchestrator.terminal.stream import TerminalSize

# More output between two keys than a screen can hold says nothing about the line.
_MOST_UNREAD = 8 * 1024
_MOST_TYPED = 4096
_MOST_LINES_WAITED = 100
_MOST_ENTERS = 100

# What a terminal says by itself, asked or not: nobody typed it.
_REPORT = re.compile(
    r"\x1b\[\??[\d;]*[Rcnuty]|\x1b\[[IO]|\x1b\[<[\d;]*[Mm]|\x1b[\]P][^\x07\x1b]*(?:\x07|\x1b\\)"
)
_KEY = re.compile(r"(?P<paste>\x1b\[20[01]~)|(?P<enter>[\r\n])|(?P<drop>[\x03\x1c])|(?P<other>.)")
_SCREEN_CHANGE = re.compile(rb"\x1b\[\?(?:1049|1047|47)[hl]")


@dataclass(slots=True)
class _Line:
    """A line that was entered: where it began, when that is known, and what was typed for it."""

    start: Place | None
    typed: str
    waited: int = 0

    @property
    def is_several(self) -> bool:
        """Whether it holds line ends itself, as what is pasted may."""
        return "\r" in self.typed or "\n" in self.typed


class CommandLine:
    """Follows a terminal and tells each command that is entered on it."""

    def __init__(self, size: TerminalSize, on_command: Callable[[str], None]) -> None:
        self._on_command = on_command
        self._grid = Grid(columns=size.columns, rows=size.rows)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._decode_typed = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._unread = bytearray()
        self._start: Place | None = None
        self._typed = ""
        self._is_paste = False
        self._entered: deque[_Line] = deque(maxlen=_MOST_ENTERS)
        self._answered = False

    def resized(self, size: TerminalSize) -> None:
        """Take the terminal's new size."""
        self._read()
        self._grid.resize(columns=size.columns, rows=size.rows)

    def shown(self, data: bytes) -> None:
        """Take what the terminal shows; it is looked at when it can matter."""
        self._unread += data
        self._answered = True
        if self._entered:
            self._read()
        elif len(self._unread) > 4 * _MOST_UNREAD:
            self._skip()

    def typed(self, data: bytes) -> None:
        """Take what was typed."""
        self._read()
        if self._grid.alternate:
            self._start, self._typed = None, ""
            return
        if self._answered and self._entered and self._is_hidden(self._entered[0]):
            self._entered.clear()
        for key in _KEY.finditer(_REPORT.sub("", self._decode_typed(data))):
            self._press(key)

    def _press(self, key: re.Match[str]) -> None:
        character = key.group()
        match key.lastgroup:
            case "paste":
                self._is_paste = character.endswith("200~")
            case "drop":
                self._start, self._typed = None, ""
            case "enter" if not self._is_paste:
                self._begin()
                self._entered.append(_Line(self._start, self._typed))
                self._start, self._typed, self._answered = None, "", False
            case _:
                self._begin()
                self._typed = (self._typed + character)[-_MOST_TYPED:]

    def _is_hidden(self, line: _Line) -> bool:
        """Tell whether a line was taken without being shown, such as a password.

        Its Enter may not be echoed either, and must not wait for the line feed of the next one.
        """
        if line.start is None or not line.typed.isprintable():
            return False
        return not line.typed or line.typed not in self._grid.typed(line.start)

    def _begin(self) -> None:
        """Note where the prompt ends, unless an earlier line still waits for its echo."""
        if not self._typed:
            self._start = None if self._entered else self._grid.cursor

    def _skip(self) -> None:
        """Drop output that has scrolled off long ago; what changed the screen is still heeded."""
        end = self._unread.find(b"\n", len(self._unread) - _MOST_UNREAD) + 1
        end = end or len(self._unread) - _MOST_UNREAD
        for change in _SCREEN_CHANGE.findall(bytes(self._unread[:end])):
            self._follow(change)
        del self._unread[:end]
        self._grid.forget()
        self._start = None

    def _read(self) -> None:
        if len(self._unread) > _MOST_UNREAD and not self._entered:
            self._skip()
        data = bytes(self._unread)
        self._unread.clear()
        self._follow(data)

    def _follow(self, data: bytes) -> None:
        for _line_feed in self._grid.feed(self._decode(data)):
            if self._entered and self._is_over(self._entered[0]):
                self._look()

    def _is_over(self, line: _Line) -> bool:
        """Tell whether a line feed ends the line: shells also move down in a long one with it."""
        is_inside = line.is_several and not self._grid.is_bottom()
        return self._grid.is_line_end() and not is_inside

    def _look(self) -> None:
        """Tell the command at the cursor, if it is one of the entered lines."""
        for number, line in enumerate(self._entered):
            command = self._shown_of(line)
            if command is not None:
                for _ in range(number + 1):
                    self._entered.popleft()
                if command.strip(" *•"):
                    self._on_command(command)
                return
        self._entered[0].waited += 1
        if self._entered[0].waited > _MOST_LINES_WAITED:
            self._entered.popleft()

    def _shown_of(self, line: _Line) -> str | None:
        """Return what is shown of a line, or None when it is not what is at the cursor."""
        if line.start is not None:
            return self._grid.typed(line.start, several=line.is_several)
        shown = self._grid.typed(Place(self._grid.cursor.row, 0))
        found = bool(line.typed.strip()) and shown.endswith(line.typed.rstrip())
        return line.typed if found else None
