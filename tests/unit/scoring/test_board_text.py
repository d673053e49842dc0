"""Boards as text: the same bytes whether or not most of it was written before."""

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from scoring.domain.board_text import WrittenRows, read, written
from scoring.domain.boards import Audience, Board, BoardRow

_AT = datetime(2026, 11, 29, 9, tzinfo=UTC)
_TASKS = some.dictionaries(some.text(max_size=3), some.integers(-(10**6), 10**6), max_size=3)
_TIMES = some.none() | some.integers(0, 3).map(lambda second: _AT + timedelta(seconds=second))


@some.composite
def lines(draw: some.DrawFn) -> list[BoardRow]:
    """Draw boards of the same teams, of which some have what they had before."""
    tasks = [draw(_TASKS), draw(_TASKS)]
    return [
        BoardRow(
            team=team,
            name=draw(some.text(max_size=4)),
            rank=draw(some.none() | some.integers(1, 3)),
            milli_points=draw(some.integers(-(10**6), 10**6)),
            tasks=draw(some.sampled_from(tasks)),
            reached_at=draw(_TIMES),
        )
        for team in draw(some.lists(some.sampled_from('ab"č'), max_size=6))
    ]


def board(*rows: BoardRow) -> Board:
    return Board(
        exercise='the "first"',
        audience=Audience.TEAM,
        tasks=(),
        rows=rows,
        timeline=(),
        upto_entry=7,
        frozen=timedelta(minutes=45),
    )


def plain(told: Board) -> bytes:
    """Return the text of a board as Python's encoder writes it in one go."""
    rows = [
        {
            "name": row.name,
            "points": row.milli_points / 1000,
            "rank": row.rank,
            "reached_at": row.reached_at and row.reached_at.isoformat(timespec="microseconds"),
            "tasks": {task: milli / 1000 for task, milli in row.tasks.items()},
            "team": row.team,
        }
        for row in told.rows
    ]
    whole = {
        "audience": "team",
        "exercise": told.exercise,
        "frozen_seconds": 2700,
        "rows": rows,
        "tasks": [],
        "timeline": [],
        "upto_entry": 7,
    }
    return json.dumps(whole, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


@given(lines())
def test_whatever_was_written_before_the_text_is_that_of_the_board(rows: list[BoardRow]) -> None:
    known: WrittenRows = {}
    for row in rows:
        assert written(board(row), known) == plain(board(row))
    assert written(board(*rows), known) == written(board(*rows)) == plain(board(*rows))


@given(lines())
def test_a_board_that_was_written_is_read_back(rows: list[BoardRow]) -> None:
    assert read(written(board(*rows))) == board(*rows)
