"""A board as text: JSON that always reads the same, and the board that it says."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from scoring.domain.boards import Audience, Board, BoardRow, BoardTask, Course, First
from scoring.domain.ledger import MILLI

WrittenRows = dict[str, tuple[BoardRow, str]]
"""Team → a line as it was written last, and what of that text its rank and points do not move."""

_string = json.encoder.encode_basestring


def written(board: Board, known: WrittenRows | None = None) -> bytes:
    """Return a board as JSON: keys in order, no white space, UTF-8; equal boards, equal bytes.

    Most teams have what they had on the board before: `known` keeps how that was written.
    """
    known = {} if known is None else known
    before = {
        "audience": board.audience,
        "exercise": board.exercise,
        "frozen_seconds": None if board.frozen is None else int(board.frozen.total_seconds()),
    }
    after = {
        "tasks": [_task_out(task) for task in board.tasks],
        "timeline": [
            {"points": [[at, milli / MILLI] for at, milli in course.points], "team": course.team}
            for course in board.timeline
        ],
        "upto_entry": board.upto_entry,
    }
    rows = ",".join([_row_text(row, known) for row in board.rows])
    return f'{_text(before)[:-1]},"rows":[{rows}],{_text(after)[1:]}'.encode()


def read(body: bytes | str) -> Board:
    """Return the board that `written` wrote."""
    told = json.loads(body)
    frozen = told["frozen_seconds"]
    return Board(
        exercise=told["exercise"],
        audience=Audience(told["audience"]),
        tasks=tuple(_task_in(task) for task in told["tasks"]),
        rows=tuple(_row_in(row) for row in told["rows"]),
        timeline=tuple(
            Course(team=c["team"], points=tuple((at, _milli(has)) for at, has in c["points"]))
            for c in told["timeline"]
        ),
        upto_entry=told["upto_entry"],
        frozen=None if frozen is None else timedelta(seconds=frozen),
    )


def _text(told: Mapping[str, Any]) -> str:
    return json.dumps(told, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def _row_text(row: BoardRow, known: WrittenRows) -> str:
    last, has = known.get(row.team, (None, ""))
    if last is None or last.tasks is not row.tasks or last.reached_at != row.reached_at:
        tasks = {task: milli / MILLI for task, milli in row.tasks.items()}
        reached_at = None if row.reached_at is None else _instant(row.reached_at)
        has = _text({"reached_at": reached_at, "tasks": tasks, "team": row.team})[1:]
        known[row.team] = row, has
    rank = "null" if row.rank is None else row.rank
    return f'{{"name":{_string(row.name)},"points":{row.milli_points / MILLI},"rank":{rank},{has}'


def _row_in(told: Mapping[str, Any]) -> BoardRow:
    at = told["reached_at"]
    return BoardRow(
        team=told["team"],
        name=told["name"],
        rank=told["rank"],
        milli_points=_milli(told["points"]),
        tasks={task: _milli(has) for task, has in told["tasks"].items()},
        reached_at=None if at is None else datetime.fromisoformat(at),
    )


def _task_out(task: BoardTask) -> dict[str, Any]:
    first = task.first
    return {
        "first": None if first is None else {"at": _instant(first.at), "team": first.team},
        "points": task.milli_points / MILLI,
        "task": task.task,
        "title": task.title,
    }


def _task_in(told: Mapping[str, Any]) -> BoardTask:
    first = told["first"]
    at = None if first is None else datetime.fromisoformat(first["at"])
    return BoardTask(
        task=told["task"],
        title=told["title"],
        milli_points=_milli(told["points"]),
        first=None if at is None else First(team=first["team"], at=at),
    )


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _milli(points: float) -> int:
    return round(points * MILLI)
