"""The session book writes later, in order, and waits for a database that is away."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from core.db import DatabaseUnavailableError
from orchestrator.terminal import notebook
from orchestrator.terminal.book import CommandRun, Note
from orchestrator.terminal.notebook import Notebook


def run(line: str) -> CommandRun:
    return CommandRun(session="abc", at=datetime(2026, 11, 28, tzinfo=UTC), line=line)


class Database:
    """Takes notes while it is there."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.is_away = threading.Event()
        self.asked = threading.Event()

    def write(self, notes: Sequence[Note]) -> None:
        self.asked.set()
        if self.is_away.is_set():
            raise DatabaseUnavailableError("it is away")
        lines = [note.line for note in notes if isinstance(note, CommandRun)]
        if "poison" in lines:
            raise ValueError("this one cannot be written")
        self.lines += lines


def test_notes_are_written_in_their_order() -> None:
    database = Database()
    book = Notebook(database.write)
    for number in range(1000):
        book.note(run(str(number)))
    book.close()
    assert database.lines == [str(number) for number in range(1000)]


def test_a_database_that_comes_back_gets_what_happened_meanwhile() -> None:
    database = Database()
    database.is_away.set()
    book = Notebook(database.write, retry=timedelta(milliseconds=10))
    book.note(run("one"))
    assert database.asked.wait(10)
    book.note(run("two"))
    database.is_away.clear()
    book.close()
    assert database.lines == ["one", "two"]


def test_a_database_that_stays_away_holds_nobody_up() -> None:
    database = Database()
    database.is_away.set()
    book = Notebook(database.write, retry=timedelta(hours=1))
    book.note(run("one"))
    assert database.asked.wait(10)
    book.close(within=timedelta(milliseconds=10))
    assert not database.lines


def test_a_note_that_cannot_be_written_costs_itself_only() -> None:
    database = Database()
    book = Notebook(database.write)
    for line in ("one", "poison", "two"):
        book.note(run(line))
    book.close()
    assert database.lines == ["one", "two"]


def test_notes_are_bounded_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "_MOST_WAITING", 3)
    database = Database()
    database.is_away.set()
    book = Notebook(database.write, retry=timedelta(milliseconds=10))
    for number in range(5):
        book.note(run(str(number)))
    database.is_away.clear()
    book.close()
    assert database.lines == ["0", "1", "2"]
