"""What is kept of a session follows what its host's scenario says."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.ids import ExerciseId
from core.scenario.schema import Record as HostRecord
from orchestrator.domain.record import Record, greeting
from orchestrator.domain.world import WorldKey
from orchestrator.gateway.book_chronicle import BookChronicle
from orchestrator.terminal.book import Began, CommandRun, Direction, Ended, FileMoved, Kind
from orchestrator.terminal.files.transfers import Transfer
from orchestrator.terminal.listening import Audience
from orchestrator.terminal.recorder import CastWriter, Limits
from orchestrator.terminal.stream import TerminalSize
from orchestrator.terminal.visit import Visit
from tests.fakes.clock import FakeClock
from tests.fakes.session_book import Book

DESK = WorldKey(exercise=ExerciseId("k3fq"), team="team-1").host("desk")
TERMINAL = Visit(
    id="abc123",
    login="ana",
    host=DESK,
    account="analyst",
    command=("sh",),
    size=TerminalSize(columns=80, rows=24),
    record=Record(terminal=True, commands=True, elapsed=lambda _: timedelta(minutes=7)),
)
RECORDED = "Terminals and what commands show are recorded."
COMMAND = replace(TERMINAL, size=None, kind=Kind.COMMAND, asked="id; uname")


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def writer(book: Book, tmp_path: Path) -> Iterator[CastWriter]:
    writer = CastWriter(tmp_path, book, FakeClock(), limits=Limits(least_free=0))
    yield writer
    writer.close()


@pytest.fixture
def recording(book: Book, writer: CastWriter) -> BookChronicle:
    return BookChronicle(book, writer, FakeClock())


def lines(book: Book) -> list[str]:
    return [note.line for note in book.notes if isinstance(note, CommandRun)]


def unrecorded(book: Book) -> str:
    (began,) = [note for note in book.notes if isinstance(note, Began)]
    return began.unrecorded


def test_a_terminal_is_recorded_with_its_commands_on_the_exercise_clock(
    recording: BookChronicle, writer: CastWriter, book: Book
) -> None:
    audience = Audience(recording.begun(TERMINAL))
    audience.output(b"$ ")
    audience.input(b"id\r")
    audience.output(b"id\r\nuid=0\r\n")
    audience.ended(0)
    writer.close()
    (cast,) = writer.folder.glob("*/*.cast")
    heading = json.loads(cast.read_bytes().splitlines()[0])
    assert heading["poligon"]["exercise_ms"] == 420_000
    assert lines(book) == ["id"]
    assert unrecorded(book) == ""
    (ended,) = [note for note in book.notes if isinstance(note, Ended)]
    assert (ended.code, ended.shown, ended.how) == (0, 13, "")


def shown_of(writer: CastWriter) -> list[list[str]]:
    """Return the events of the only recording, without their seconds."""
    writer.close()
    (cast,) = writer.folder.glob("*/*.cast")
    return [json.loads(line)[1:] for line in cast.read_text().splitlines()[1:]]


def test_a_command_is_written_down_and_what_it_shows_is_recorded(
    recording: BookChronicle, writer: CastWriter, book: Book
) -> None:
    audience = Audience(recording.begun(COMMAND))
    audience.input(b"secret")
    audience.output(b"uid=0\nLinux\n")
    audience.output(b"oh\n", error=True)
    audience.ended(3)
    assert shown_of(writer) == [
        ["o", "uid=0\r\nLinux\r\n"],
        ["o", "oh\r\n"],
        ["m", "ended with 3"],
    ]
    assert lines(book) == ["id; uname"]
    assert unrecorded(book) == ""


def test_of_a_command_no_more_than_a_megabyte_of_text_is_recorded(
    recording: BookChronicle, writer: CastWriter
) -> None:
    audience = Audience(recording.begun(COMMAND))
    for _ in range(100):
        audience.output(b"y" * 65_536)
    audience.ended(0)
    events = shown_of(writer)
    assert sum(len(text) for kind, text in events if kind == "o") == 1_000_000
    stopped = "recording stopped: a command's first megabyte is kept"
    assert events[-2:] == [["m", stopped], ["m", "ended with 0"]]


def test_what_is_no_text_ends_the_recording_of_a_command(
    recording: BookChronicle, writer: CastWriter
) -> None:
    audience = Audience(recording.begun(COMMAND))
    for data in (b"text\n", b"\x7fELF\0", b"more"):
        audience.output(data)
    audience.ended(0)
    assert [text for kind, text in shown_of(writer) if kind == "o"] == ["text\r\n"]


@pytest.mark.parametrize(
    "visit",
    [
        replace(COMMAND, asked="rsync --server -logDtpre . file"),
        replace(COMMAND, asked="", kind=Kind.FILES),
    ],
)
def test_protocols_that_carry_files_are_not_recorded(
    recording: BookChronicle, writer: CastWriter, book: Book, visit: Visit
) -> None:
    audience = Audience(recording.begun(visit))
    audience.output(b"bytes")
    audience.ended(0)
    writer.close()
    assert unrecorded(book) == "what passes are files"
    assert not list(writer.folder.iterdir())


def test_what_the_scenario_does_not_want_is_not_kept(
    recording: BookChronicle, writer: CastWriter, book: Book
) -> None:
    audience = Audience(recording.begun(replace(TERMINAL, record=Record())))
    audience.input(b"id\r")
    audience.output(b"id\r\n")
    audience.ended(0)
    Audience(recording.begun(replace(COMMAND, record=Record()))).ended(0)
    writer.close()
    assert not lines(book)
    assert not list(writer.folder.iterdir())
    kinds = [note.kind for note in book.notes if isinstance(note, Began)]
    assert kinds == [Kind.TERMINAL, Kind.COMMAND], "that they were there is written all the same"


def test_a_file_that_was_put_is_written_down_with_a_harmless_path(
    recording: BookChronicle, book: Book
) -> None:
    transfer = Transfer(
        direction=Direction.TO_HOST,
        path="/tmp/\x1b[2J\n" + "n" * 5000,
        size=3,
        sha256="ab",
        whole=True,
    )
    recording.moved(COMMAND, transfer)
    (moved,) = [note for note in book.notes if isinstance(note, FileMoved)]
    assert moved.path.startswith("/tmp/\\x1b[2J\\nnnn")
    assert len(moved.path) == 4096
    assert (moved.session, moved.direction, moved.size, moved.sha256, moved.whole) == (
        "abc123", Direction.TO_HOST, 3, "ab", True,
    )  # fmt: skip


def test_the_end_of_a_session_that_was_cut_tells_why(recording: BookChronicle, book: Book) -> None:
    audience = Audience(recording.begun(replace(TERMINAL, record=Record())))
    audience.marked("the client came back")
    audience.output(b"$ ")
    audience.marked("the exercise is paused")
    audience.ended(255)
    (ended,) = [note for note in book.notes if isinstance(note, Ended)]
    assert (ended.code, ended.how) == (255, "the exercise is paused")


def test_a_session_that_ends_by_itself_after_a_mark_ends_for_no_reason(
    recording: BookChronicle, book: Book
) -> None:
    audience = Audience(recording.begun(replace(TERMINAL, record=Record())))
    audience.marked("the client came back")
    audience.output(b"exit\r\n")
    audience.ended(0)
    (ended,) = [note for note in book.notes if isinstance(note, Ended)]
    assert ended.how == ""


@pytest.mark.parametrize(
    ("kept", "first"),
    [
        (HostRecord(terminal=True), RECORDED),
        (HostRecord(terminal=True, commands=True), RECORDED),
        (
            HostRecord(terminal=True, input=True),
            "Terminals, with every key that you press, and what commands show are recorded.",
        ),
        (HostRecord(commands=True), "The commands that you type here are recorded."),
        (HostRecord(), "Night shift"),
    ],
)
def test_whoever_enters_is_told_before_anything_else(kept: HostRecord, first: str) -> None:
    assert greeting(kept, "Night shift").splitlines()[0] == first
