"""Recordings are written beside the sessions: complete, bounded, and never at their cost."""

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from orchestrator.terminal.cast_file import CastFile
from orchestrator.terminal.recorder import CastWriter, Limits, Recorder
from orchestrator.terminal.stream import TerminalSize
from tests.fakes.clock import FakeClock
from tests.fakes.session_book import HEADING, Book


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


@contextmanager
def writing(folder: Path, book: Book, **limits: int) -> Iterator[CastWriter]:
    writer = CastWriter(folder, book, FakeClock(), limits=Limits(**{"least_free": 0, **limits}))
    yield writer
    writer.close()


def cast(folder: Path) -> Path:
    return folder / HEADING.exercise / f"{HEADING.session}.cast"


def events(folder: Path) -> list[list[str]]:
    """Return what follows the heading, without its seconds."""
    return [json.loads(line)[1:] for line in cast(folder).read_text().splitlines()[1:]]


def test_a_session_is_recorded_from_its_heading_to_its_end(folder: Path, book: Book) -> None:
    with writing(folder, book) as writer:
        recorder = Recorder(HEADING, writer, monotonic=iter(range(100)).__next__)
        recorder.output(b"\xc4")
        recorder.output(b"\x8daj\r\n")
        recorder.input(b"secret")
        recorder.resized(TerminalSize(columns=80, rows=24))
        recorder.marked("the client left")
        recorder.ended(0)
    assert events(folder) == [
        ["o", "čaj\r\n"],
        ["r", "80x24"],
        ["m", "the client left"],
        ["m", "ended with 0"],
    ]
    assert not book.stops()
    content = cast(folder).read_bytes()
    assert book.kept().sha256 == hashlib.sha256(content).hexdigest()
    assert book.kept().size == len(content)


def test_keys_are_recorded_when_that_was_asked_for(folder: Path, book: Book) -> None:
    with writing(folder, book) as writer:
        recorder = Recorder(HEADING, writer, keep_input=True)
        recorder.input(b"ls\r")
        recorder.ended(0)
    assert events(folder)[0] == ["i", "ls\r"]


def test_only_this_user_reads_recordings(folder: Path, book: Book) -> None:
    with writing(folder, book) as writer:
        Recorder(HEADING, writer).ended(0)
    modes = [path.stat().st_mode & 0o777 for path in (folder, cast(folder).parent, cast(folder))]
    assert modes == [0o700, 0o700, 0o600]


def test_a_recording_stops_at_its_limit_with_a_marker(folder: Path, book: Book) -> None:
    with writing(folder, book, most=2_000_000) as writer:
        recorder = Recorder(HEADING, writer)
        for _ in range(40):
            recorder.output(b"y\r\n" * 20_000)
        recorder.ended(0)
    assert 1_800_000 < cast(folder).stat().st_size < 2_000_200
    assert events(folder)[-1] == ["m", "recording stopped at its limit"]
    assert book.stops() == ["the recording reached its limit of 2 MB"]
    assert book.kept().sha256 == hashlib.sha256(cast(folder).read_bytes()).hexdigest()


def test_a_recording_is_not_begun_without_room(folder: Path, book: Book) -> None:
    with writing(folder, book, least_free=10**18) as writer:
        recorder = Recorder(HEADING, writer)
        recorder.output(b"hello")
        recorder.ended(0)
    (why,) = book.stops()
    assert "MB are free for recordings" in why
    assert not cast(folder).exists()


def test_a_full_disk_ends_the_recording_once_with_whole_lines(
    folder: Path, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, full = os.write, threading.Event()

    def short(file: int, data: memoryview) -> int:
        if not full.is_set():
            return write(file, data)
        write(file, data[:3])
        raise OSError(28, "No space left on device")

    with writing(folder, book) as writer:
        recorder = Recorder(HEADING, writer)
        recorder.output(b"before")
        settled = threading.Event()
        writer.do(settled.set)
        assert settled.wait(10)
        monkeypatch.setattr(os, "write", short)
        full.set()
        recorder.output(b"after")
        recorder.output(b"later")
        recorder.ended(0)
        writer.close()
        monkeypatch.undo()
    assert book.stops() == ["the disk of the recordings is full"]
    assert events(folder) == [["o", "before"]]
    assert book.kept().sha256 == hashlib.sha256(cast(folder).read_bytes()).hexdigest()


def test_a_disk_that_hangs_costs_the_recording_and_no_memory(folder: Path, book: Book) -> None:
    hanging = threading.Event()
    with writing(folder, book) as writer:
        writer.do(partial(_hang, hanging))
        recorder = Recorder(HEADING, writer)
        for _ in range(40):
            recorder.output(b"y" * 1_000_000)
        hanging.set()
        recorder.ended(0)
    assert book.stops() == ["the disk does not keep up"]
    assert cast(folder).stat().st_size < 20_000_000


@pytest.mark.parametrize("bad", ["..", "a/b", "", "A", "x" * 50])
def test_names_that_are_no_ids_make_no_file(folder: Path, bad: str) -> None:
    for names in ({"exercise": bad, "session": "ok"}, {"exercise": "ok", "session": bad}):
        with pytest.raises(Exception, match="no proper id"):
            CastFile(folder, least_free=0, **names)
    assert not folder.exists()


def test_a_link_where_a_recording_belongs_is_not_followed(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    folder.mkdir()
    (folder / "linked").symlink_to(target)
    (folder / "real").mkdir()
    (folder / "real" / "abc.cast").symlink_to(target / "stolen")
    for exercise in ("linked", "real"):
        with pytest.raises(Exception, match="cannot be written"):
            CastFile(folder, exercise=exercise, session="abc", least_free=0)
    assert not list(target.iterdir())


def _hang(until: threading.Event) -> None:
    assert until.wait(30)
