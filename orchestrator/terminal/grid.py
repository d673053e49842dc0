"""What a terminal shows, as far as a line that somebody types needs: no colours, no scroll regions.

Rows are numbered from the session's begin, so that a place stays the same when the screen scrolls.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

_ALTERNATE = frozenset({"47", "1047", "1049"})
_MOST_HELD = 4096
_TAB = 8

_TOKEN = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|\x1b\[(?P<control>[0-?]*[ -/]*[@-~])"
    r"|\x1b[\]P^_X][^\x07\x1b\x18\x1a]*(?:\x07|\x1b\\|[\x18\x1a]|(?=\x1b[^\\]))"
    r"|\x1b(?P<escape>[ -/]*[0-OQ-WYZ`-~\\])"
    r"|(?P<single>[\x00-\x1a\x1c-\x1f\x7f-\x9f])"
)
_COUNT = re.compile(r"[0-9]{1,4}")
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]P^_X][^\x07\x1b\x18\x1a]*\x1b?|[ -/]*)\Z")


class Place(NamedTuple):
    """A cell: its row since the session's begin, its column from 0."""

    row: int
    column: int


@dataclass(slots=True)
class _Row:
    cells: list[str] = field(default_factory=list)
    wraps: bool = False  # it goes on in the next one


class Grid:
    """The main screen of a terminal; while a program uses the other one, nothing is followed."""

    def __init__(self, *, columns: int, rows: int) -> None:
        self.alternate = False
        self._columns = columns
        self._height = rows
        self._rows = [_Row()]
        self._top = 0
        self._row = 0
        self._column = 0
        self._saved = (0, 0)
        self._held = ""

    @property
    def cursor(self) -> Place:
        """Where the next character goes."""
        return Place(self._top + self._row, self._column)

    def resize(self, *, columns: int, rows: int) -> None:
        """Take another size; what is shown stays as it was wrapped."""
        self._columns, self._height = columns, rows
        while len(self._rows) > rows:
            self._scroll()

    def forget(self) -> None:
        """Begin with an empty screen: what came between was not followed."""
        self._top += self._row + 1
        self._rows, self._row, self._column, self._held = [_Row()], 0, 0, ""

    def feed(self, text: str) -> Iterator[None]:
        """Follow what is shown; stops before each line feed, so that the line can be looked at."""
        text = self._held + text
        unfinished = _UNFINISHED.search(text, max(0, len(text) - _MOST_HELD))
        self._held = unfinished.group() if unfinished else ""
        for token in _TOKEN.finditer(text, 0, len(text) - len(self._held)):
            match token.lastgroup:
                case "control":
                    self._control(token.group("control"))
                case _ if self.alternate:
                    continue
                case "text":
                    self._write(token.group())
                case "escape":
                    self._escape(token.group("escape"))
                case "single":
                    if token.group() in "\n\v\f":
                        yield
                    self._single(token.group())
                case _:
                    pass  # a title, a colour of the palette: it moves nothing

    def is_line_end(self) -> bool:
        """Tell whether the cursor is in the last row of its line, not in one that wraps."""
        return self._line_at(self._row)[1] == self._row

    def is_bottom(self) -> bool:
        """Tell whether nothing is shown below the cursor's row."""
        return not any(map(self._has_text, range(self._row + 1, len(self._rows))))

    def typed(self, start: Place, *, several: bool = False) -> str:
        """Return the line at the cursor that was begun at `start`, without what stood before.

        A line that was drawn again elsewhere is known by what stands before it: the prompt.
        One of `several` lines, such as a pasted one, comes whole.
        """
        first, last = self._line_at(self._row)
        line = self._cells(first, last)
        begin = start.row - self._top
        if first <= begin <= last:
            line = self._cells(begin, last)[start.column :]
        elif 0 <= begin < first:
            prompt = self._cells(self._line_at(begin)[0], begin - 1)
            prompt += self._rows[begin].cells[: start.column]
            if prompt and line[: len(prompt)] == prompt:
                line = line[len(prompt) :]
            elif several:
                line = self._cells(begin, last)[start.column :]
        else:
            line = line[start.column :]
        return "".join(line).rstrip()

    def _cells(self, first: int, last: int) -> list[str]:
        """Return the cells of some rows, with line ends where a row is not wrapped."""
        cells: list[str] = []
        for row in self._rows[first : last + 1]:
            cells += row.cells
            if not row.wraps:
                cells.append("\n")
        return cells

    def _has_text(self, row: int) -> bool:
        return any(cell.strip() for cell in self._rows[row].cells)

    def _line_at(self, row: int) -> tuple[int, int]:
        """Return the first and the last row of the line that this row is a part of."""
        first = last = row
        while first > 0 and self._rows[first - 1].wraps:
            first -= 1
        # A line that just fills its row: shells go to the next one and come back.
        while self._rows[last].wraps and last + 1 < len(self._rows) and self._has_text(last + 1):
            last += 1
        return first, last

    def _write(self, text: str) -> None:
        if text.isascii():
            while text:
                self._make_room(1)
                room = self._columns - self._column
                self._put(list(text[:room]))
                text = text[room:]
            return
        for character in text:
            if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
                self._join(character)
            elif unicodedata.east_asian_width(character) in "WF":
                self._make_room(2)
                self._put([character, ""])
            else:
                self._make_room(1)
                self._put([character])

    def _make_room(self, width: int) -> None:
        if self._column + width > self._columns:
            self._rows[self._row].wraps = True
            self._down()
            self._column = 0

    def _put(self, cells: list[str]) -> None:
        row = self._rows[self._row].cells
        row += " " * (self._column - len(row))
        row[self._column : self._column + len(cells)] = cells
        self._column += len(cells)

    def _join(self, mark: str) -> None:
        row = self._rows[self._row].cells
        if 0 < self._column <= len(row):
            row[self._column - 1] += mark

    def _down(self) -> None:
        if self._row + 1 == self._height:
            self._scroll()
        self._row += 1
        while len(self._rows) <= self._row:
            self._rows.append(_Row())

    def _scroll(self) -> None:
        del self._rows[0]
        self._top += 1
        self._row = max(0, self._row - 1)
        self._rows = self._rows or [_Row()]

    def _single(self, character: str) -> None:
        match character:
            case "\n" | "\v" | "\f":
                if self.is_line_end():
                    self._rows[self._row].wraps = False
                self._down()
            case "\r":
                self._column = 0
            case "\b":
                self._column = max(0, min(self._column, self._columns) - 1)
            case "\t":
                self._column = min((self._column // _TAB + 1) * _TAB, self._columns - 1)
            case _:
                pass

    def _escape(self, code: str) -> None:
        match code:
            case "7":
                self._saved = (self._row, self._column)
            case "8":
                self._go(*self._saved)
            case "M":
                self._go(self._row - 1, self._column)
            case "c":
                self.forget()
            case _:
                pass

    def _control(self, code: str) -> None:
        if code[0] == "?":
            if code[-1] in "hl" and _ALTERNATE & set(code[1:-1].split(";")):
                self.alternate = code[-1] == "h"
            return
        if not self.alternate:
            first, _, second = code[:-1].partition(";")
            self._move(code[-1], _number(first), _number(second))
            self._edit(code[-1], _number(first))

    def _move(self, code: str, number: int, second: int) -> None:
        count = max(number, 1)
        match code:
            case "A":
                self._step(-count, 0)
            case "B":
                self._step(count, 0)
            case "C":
                self._step(0, count)
            case "D":
                self._step(0, -count)
            case "G":
                self._go(self._row, count - 1)
            case "d":
                self._go(count - 1, self._column)
            case "H" | "f":
                self._go(count - 1, max(second, 1) - 1)
            case _:
                pass

    def _edit(self, code: str, number: int) -> None:
        count = max(number, 1)
        match code:
            case "J":
                self._erase_on_screen(number)
            case "K":
                self._erase_in_line(number)
            case "P":
                self._delete(count)
            case "@":
                self._insert(count)
            case "X":
                self._blank(count)
            case _:
                pass  # colours and modes

    def _go(self, row: int, column: int) -> None:
        self._row = max(0, min(row, self._height - 1))
        self._column = max(0, min(column, self._columns - 1))
        while len(self._rows) <= self._row:
            self._rows.append(_Row())

    def _step(self, rows: int, columns: int) -> None:
        self._go(self._row + rows, min(self._column, self._columns - 1) + columns)

    def _erase_in_line(self, part: int) -> None:
        row = self._rows[self._row]
        if part == 0:
            del row.cells[self._column :]
        elif part == 1:
            row.cells[: self._column + 1] = " " * min(self._column + 1, len(row.cells))
        else:
            row.cells.clear()
        row.wraps = row.wraps and part == 1

    def _erase_on_screen(self, part: int) -> None:
        if part == 0:
            self._erase_in_line(0)
            del self._rows[self._row + 1 :]
        elif part in {1, 2}:
            end = self._row if part == 1 else len(self._rows)
            self._rows[:end] = [_Row() for _ in range(end)]

    def _delete(self, count: int) -> None:
        del self._rows[self._row].cells[self._column : self._column + count]

    def _insert(self, count: int) -> None:
        row = self._rows[self._row].cells
        if self._column < len(row):
            row[self._column : self._column] = " " * min(count, self._columns)
            del row[self._columns :]

    def _blank(self, count: int) -> None:
        row = self._rows[self._row].cells
        end = min(self._column + count, len(row))
        row[self._column : end] = " " * max(0, end - self._column)


def _number(text: str) -> int:
    return int(text) if _COUNT.fullmatch(text) else 0
