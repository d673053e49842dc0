"""A training record as CSV: one row for each member and task, with the task's objective beside it.

A spreadsheet runs cells that begin like a formula; names and titles come from people, so such cells
get an apostrophe in front, which spreadsheets do not show.
"""

import csv
import io
from collections.abc import Iterator

from scoring.exports.cells import points, share, time
from scoring.exports.spreadsheet import Cell, cell
from scoring.records.record import MemberRecord, TaskRecord, TeamRecord, TrainingRecord

COLUMNS = (
    *("exercise", "scenario", "scenario_version", "final", "upto_entry"),
    *("team", "team_name", "member", "member_id", "role"),
    *("task", "title", "kind", "points", "of", "attempts", "solved_at", "solved_by_member"),
    *("hints", "availability", "objective", "competency", "objective_share", "pass", "passed"),
)
_BOM = "\ufeff"


def as_csv(record: TrainingRecord, *, bom: bool = False) -> str:
    """Return the record as CSV (RFC 4180), a header first; `bom` lets Excel see that it is UTF-8.

    A team without members has rows with these columns empty.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for team in record.teams:
        for member in team.members or (None,):
            writer.writerows([cell(c) for c in row] for row in _rows(record, team, member))
    return (_BOM if bom else "") + text.getvalue()


def _rows(
    record: TrainingRecord, team: TeamRecord, member: MemberRecord | None
) -> Iterator[tuple[Cell, ...]]:
    who = (member.name, member.user, member.role) if member is not None else (None, None, None)
    for task in team.tasks:
        yield (
            *(record.name, record.scenario, record.scenario_version, record.final),
            *(record.upto_entry, team.team, team.name, *who),
            *_task_cells(task, member),
            *_objective_cells(task, team),
        )


def _task_cells(task: TaskRecord, member: MemberRecord | None) -> tuple[Cell, ...]:
    return (
        *(task.task, task.title, task.kind),
        *(points(task.milli_points), points(task.of_milli_points), task.attempts),
        time(task.solved_at),
        member is not None and task.solved_by == member.user,
        len(task.hints),
        share(task.share),
    )


def _objective_cells(task: TaskRecord, team: TeamRecord) -> tuple[Cell, ...]:
    found = next((o for o in team.objectives if o.objective == task.objective), None)
    if found is None:
        return (None,) * 5
    return (
        *(found.objective, found.competency),
        *(share(found.share), share(found.pass_mark), found.passed),
    )
