"""What is kept of sessions with a real shell in a real host."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import docker
import paramiko
import pytest

from orchestrator.domain.record import Record
from orchestrator.gateway.book_chronicle import BookChronicle
from orchestrator.terminal.book import CastKept, CommandRun, Ended
from orchestrator.terminal.limits import TerminalLimits
from orchestrator.terminal.recorder import CastWriter, Limits
from tests.fakes.clock import FakeClock
from tests.fakes.gateway_stage import (
    PASSWORD,
    Box,
    Stage,
    a_box,
    a_stage,
    an_installation,
    eventually,
)
from tests.fakes.patient_transport import PatientTransport
from tests.fakes.session_book import Book

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

OWNER = an_installation()
FLOOD_SECONDS = 4
MOST_CAST_PER_SECOND = 2_000_000
PROMPT = r"\$ $"
RIGHT = "\x1b[C"


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A gateway in front of a recorded host, and what is kept of it."""

    stage: Stage
    book: Book
    writer: CastWriter

    def shell(self) -> paramiko.Channel:
        transport = PatientTransport(("127.0.0.1", self.stage.gateway.port))
        transport.connect(username="ana", password=PASSWORD)
        channel = transport.open_session()
        channel.get_pty(term="xterm-256color", width=40, height=24)
        channel.invoke_shell()
        return channel

    def lines(self) -> list[str]:
        return [note.line for note in self.book.notes if isinstance(note, CommandRun)]

    def has_ended(self) -> bool:
        return any(isinstance(note, Ended) for note in self.book.notes)

    def cast(self) -> Path:
        """Return the file of the only recording, once it is complete."""
        eventually(
            lambda: any(isinstance(note, CastKept) for note in self.book.notes),
            what="a complete recording",
        )
        (cast,) = self.writer.folder.glob("*/*.cast")
        return cast


@pytest.fixture(scope="module")
def desk(docker_client: docker.DockerClient) -> Iterator[Box]:
    with a_box(OWNER, "desk") as box:
        yield box


@pytest.fixture
def room(desk: Box, tmp_path: Path) -> Iterator[Room]:
    book = Book()
    writer = CastWriter(tmp_path / "recordings", book, FakeClock(), limits=Limits(least_free=0))
    chronicle = BookChronicle(book, writer, FakeClock())
    with a_stage(
        tmp_path,
        installation=OWNER,
        hosts={"ana": desk.key},
        terminal_limits=TerminalLimits(burst_bytes=100_000),
        chronicle=chronicle,
    ) as stage:
        stage.door.record = Record(terminal=True, commands=True)
        yield Room(stage=stage, book=book, writer=writer)
    writer.close()


def shown(shell: paramiko.Channel, wanted: str, *, seconds: float = 60) -> str:
    """Return what a terminal shows up to and with a pattern."""
    seen = ""
    deadline = time.monotonic() + seconds
    while not re.search(wanted, seen):
        shell.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            seen += shell.recv(65536).decode(errors="replace")
        except TimeoutError:
            raise AssertionError(repr(seen)) from None
    return seen


def interrupt(shell: paramiko.Channel) -> None:
    """Press Ctrl-C until a prompt stands.

    A bash that is interrupted while it draws its line forgets, once in some thousand times, to
    draw the prompt; the next Ctrl-C brings it back.
    """
    for _ in range(5):
        shell.send(b"\x03")
        with suppress(AssertionError):
            shown(shell, rf"\^C[^$]*{PROMPT}", seconds=5)
            return
    raise AssertionError("no prompt after five times Ctrl-C")


def test_a_bash_session_leaves_its_commands_and_a_playable_recording(room: Room) -> None:
    shell = room.shell()
    shown(shell, PROMPT)
    long = "echo " + " ".join(f"word{number}" for number in range(12))
    for keys, answer in (
        ("echo one\r", "one"),
        ("\x1b[A\x7f\x7f\x7ftwo\r", "two"),  # from the history, changed
        ("echo tree\x1b[D\x1b[D\x1b[Dh\r", "three"),
        (f"{long}\x01{RIGHT * 5}-e \r", r"word11\r\n"),  # over several rows, changed at its begin
    ):
        shell.send(keys.encode())
        shown(shell, rf"{answer}[^$]*{PROMPT}")
    shell.send(b"echo not this")
    shown(shell, "not this")
    interrupt(shell)
    for keys, answer in (
        ("\x0cecho cleared\r", "cleared"),
        ("echo 'žaba 日本'\r", "žaba 日本"),
    ):
        shell.send(keys.encode())
        shown(shell, rf"{answer}[^$]*{PROMPT}")
    shell.send(b"read -sp 'key: ' secret\r")
    shown(shell, r"\rkey: $")
    shell.send(b"hunter2\r")
    shown(shell, PROMPT)
    shell.send(b"exit\r")
    cast = room.cast()
    assert room.lines() == [
        "echo one",
        "echo two",
        "echo three",
        long.replace("echo ", "echo -e "),
        "echo cleared",
        "echo 'žaba 日本'",
        "read -sp 'key: ' secret",
        "exit",
    ]
    heading, *events = [json.loads(line) for line in cast.read_text().splitlines()]
    assert (heading["version"], heading["width"], heading["height"]) == (2, 40, 24)
    played = "".join(text for _, kind, text in events if kind == "o")
    assert "žaba 日本" in played
    assert "hunter2" not in cast.read_text()
    assert [seconds for seconds, *_ in events] == sorted(seconds for seconds, *_ in events)
    assert events[-1][1:] == ["m", "ended with 0"]


def test_a_command_of_ssh_is_written_down_and_what_it_showed_is_recorded(room: Room) -> None:
    assert room.stage.ssh("echo 'a b' | wc -c").stdout == b"4\n"
    eventually(room.has_ended, what="the end of the session")
    assert room.lines() == ["echo 'a b' | wc -c"]
    assert '"o","4\\r\\n"' in room.cast().read_text()


def test_a_disk_without_room_costs_the_recording_and_is_told_and_no_session(room: Room) -> None:
    room.writer.limits = Limits(least_free=10**18)
    shell = room.shell()
    shown(shell, PROMPT)
    shell.send(b"echo $((40 + 2))\r")
    shown(shell, rf"42\r\n[^$]*{PROMPT}")
    shell.send(b"exit\r")
    eventually(room.has_ended, what="the end of the session")
    (told,) = room.book.stops()
    assert told.endswith("1000000000000 MB are wanted")


def test_a_flood_is_recorded_at_the_rate_of_a_terminal(room: Room) -> None:
    shell = room.shell()
    shown(shell, PROMPT)
    shell.send(b"yes\r")
    shown(shell, r"y\r\ny")
    until = time.monotonic() + FLOOD_SECONDS
    while time.monotonic() < until:
        assert shell.recv(65536)
    shell.send(b"\x03")
    shown(shell, r"\^C[^$]*\$ $")
    shell.send(b"exit\r")
    lines = room.cast().read_bytes().splitlines(keepends=True)[1:]
    began = next(json.loads(line)[0] for line in lines if b"y\\r\\ny" in line)
    recorded = [0] * FLOOD_SECONDS
    for line in lines:
        if 0 <= (second := int(json.loads(line)[0] - began)) < FLOOD_SECONDS:
            recorded[second] += len(line)
    rate = sum(recorded[1:]) / (FLOOD_SECONDS - 1)
    assert rate < MOST_CAST_PER_SECOND
    assert max(recorded[1:]) > 500_000, "whatever held up the other seconds"
    assert room.lines() == ["yes", "exit"]


def test_a_hook_tells_what_bash_runs_and_changes_nothing_that_is_seen(room: Room) -> None:
    room.stage.door.record = Record(terminal=True, commands=True, hook=True)
    shell = room.shell()
    shown(shell, PROMPT)
    for typed, wanted in [
        ("alias x='echo hi'", ""),
        ("x", "\rhi\r"),
        ("\x1b[A", "\rhi\r"),
        ("echo one; echo two | cat", "\rone\r\ntwo\r"),
        ("(exit 7)", ""),
        ("echo $?", "\r7\r"),
        ("echo a b", "\ra b\r"),
        ("echo $_", "\rb\r"),
        ("sh", ""),
        ("echo in sh", "\nin sh\r"),
        ("exit", ""),
    ]:
        shell.send(f"{typed}\r".encode())
        seen = shown(shell, rf"\n[^\n]*{PROMPT}")
        assert wanted in seen
        assert "7337" not in seen
    shell.send(b"exit\r")
    assert "7337" not in room.cast().read_text()
    assert [line for line in room.lines() if line not in {"x", "echo hi"}] == [
        "alias x='echo hi'",
        "echo one; echo two | cat",
        "(exit 7)",
        "echo $?",
        "echo a b",
        "echo $_",
        "sh",
        "echo in sh",
        "exit",
        "exit",
    ]
    assert len(room.lines()) == 12
