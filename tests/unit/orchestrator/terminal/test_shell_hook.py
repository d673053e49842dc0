"""What a shell's hook says is taken out of what is shown, and is the line that was run."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from core.scenario.schema import Record as HostRecord
from orchestrator.domain.record import Record
from orchestrator.terminal.book import CommandRun
from orchestrator.terminal.pulse import Pulse
from orchestrator.terminal.recording import CommandLog
from orchestrator.terminal.shell_hook import HookReader
from orchestrator.terminal.showing import Showing
from tests.fakes.clock import FakeClock
from tests.fakes.session_book import Book
from tests.fakes.terminal_stage import FakeClient, a_visit


def told(command: str, newest: str, session: str = "s1") -> bytes:
    return f"\x1b]7337;{session};{command}\x1f{newest}\r\n\x1b]7337;{session}\a".encode()


def test_however_it_is_cut_only_the_shells_output_is_shown() -> None:
    whole = b"a\x1b[m" + told("ls --color", "    5  ls | wc") + b"b\x1b"
    for cut in range(len(whole)):
        reader = HookReader("s1")
        pieces = [*reader.take(whole[:cut]), *reader.take(whole[cut:]), reader.rest()]
        assert b"".join(p for p in pieces if isinstance(p, bytes)) == b"a\x1b[mb\x1b"
        assert [p for p in pieces if isinstance(p, str)] == ["ls | wc"]


def test_a_line_that_the_history_did_not_take_is_told_by_its_first_command() -> None:
    reader = HookReader("s1")
    assert reader.take(told("", "    7  secret")) == []
    assert reader.take(told("id", "    7  secret")) == ["id"]
    assert reader.take(told("id", "    8  id; who")) == ["id; who"]
    assert reader.take(told("id", "    8  id; who")) == ["id; who"]


def test_marks_of_another_session_and_endless_ones_are_shown() -> None:
    reader = HookReader("s1")
    other = told("id", "    1  id", session="s2")
    assert b"".join(p for p in reader.take(other) if isinstance(p, bytes)) == other
    endless = b"\x1b]7337;s1;" + b"x" * 70_000
    assert reader.take(endless) == [endless]


def test_the_hook_is_believed_and_the_terminal_where_it_is_silent() -> None:
    book = Book()
    visit = replace(a_visit(), record=Record(commands=True, hook=True))
    log = CommandLog(visit, book, FakeClock())
    for typed, ran in [("x", "x; y\x1b[2J"), ("in sh", ""), ("exit", "")]:
        log.output(b"$ ")
        log.input(typed.encode() + b"\r")
        log.output(typed.encode() + b"\r\n")
        if ran:
            log.ran(ran)
    log.ended(0)
    lines = [note.line for note in book.notes if isinstance(note, CommandRun)]
    assert lines == ["x; y\\x1b[2J", "in sh", "exit"]


def test_only_a_login_shell_on_a_terminal_that_is_to_tell_gets_the_hook() -> None:
    visit = replace(a_visit(), record=Record(commands=True, hook=True))
    assert "PROMPT_COMMAND" in visit.variables
    assert "PROMPT_COMMAND" not in a_visit().variables
    assert "PROMPT_COMMAND" not in replace(visit, size=None).variables
    assert "PROMPT_COMMAND" not in replace(visit, is_login_shell=False).variables


def test_a_hook_without_commands_is_refused() -> None:
    with pytest.raises(ValidationError, match="set commands, too"):
        HostRecord(hook=True)


def test_a_client_is_shown_all_but_the_hooks_words() -> None:
    visit = replace(a_visit(), record=Record(commands=True, hook=True))
    showing = Showing(visit, listeners=(), pulse=Pulse(FakeClock()))
    client = FakeClient()
    showing.attach(client)
    showing.output(b"$ " + told("id", "    1  id", session=visit.id) + b"uid=0\x1b]7337;")
    showing.end(0, "")
    assert client.shown == b"$ uid=0\x1b]7337;"
