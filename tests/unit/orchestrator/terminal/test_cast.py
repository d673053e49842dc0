"""Casts: lines of JSON that any player reads, whatever the terminal showed."""

import json

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.terminal.cast import CastLines, Event, heading_line
from orchestrator.terminal.stream import TerminalSize
from tests.fakes.session_book import HEADING


def test_the_first_line_says_what_a_player_and_we_need() -> None:
    told = json.loads(heading_line(HEADING))
    assert told == {
        "version": 2,
        "width": 120,
        "height": 40,
        "timestamp": 1795856400,
        "title": "Night shift\\x1b]0;owned\\x07",
        "env": {"TERM": "xterm-256color"},
        "poligon": {
            "session": "abc123",
            "exercise": "k3fq",
            "team": "team-1",
            "host": "desk",
            "login": "ana.desk",
            "exercise_ms": 720_005,
        },
    }


def test_events_are_told_with_their_seconds() -> None:
    lines = CastLines()
    assert json.loads(lines.resize(1.5, TerminalSize(columns=80, rows=24))) == [1.5, "r", "80x24"]
    assert json.loads(lines.marker(2, "left\x1b[2J")) == [2, "m", "left\\x1b[2J"]
    assert json.loads(lines.stream(Event.INPUT, 3, b"ls\r")) == [3, "i", "ls\r"]


def test_an_incomplete_character_waits_and_a_broken_one_is_replaced() -> None:
    lines = CastLines()
    assert lines.stream(Event.OUTPUT, 1, b"\xc4") == b""
    assert json.loads(lines.stream(Event.OUTPUT, 2, b"\x8daj")) == [2, "o", "čaj"]
    assert json.loads(lines.stream(Event.OUTPUT, 3, b"\xff!")) == [3, "o", "\ufffd!"]
    assert lines.stream(Event.OUTPUT, 4, b"\xe6\x97") == b""
    assert json.loads(lines.stream(Event.OUTPUT, 5, b"", last=True)) == [5, "o", "\ufffd"]


@given(st.lists(st.binary(max_size=30)))
def test_whatever_was_shown_comes_back_and_no_line_holds_a_control_character(
    pieces: list[bytes],
) -> None:
    lines = CastLines()
    written = [lines.stream(Event.OUTPUT, 0, piece) for piece in pieces]
    written.append(lines.stream(Event.OUTPUT, 0, b"", last=True))
    shown = "".join(json.loads(line)[2] for line in written if line)
    assert shown == b"".join(pieces).decode(errors="replace")
    assert all(0x20 <= byte < 0x7F for line in written for byte in line[:-1])
