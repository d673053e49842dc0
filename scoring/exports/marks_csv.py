"""Marks as CSV: one row for each that was handed in, with why, and whether it counts."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

from orchestrator.domain.exercise import Exercise
from scoring.exports.cells import points, time
from scoring.exports.spreadsheet import Cell, cell
from scoring.marking.cases import Case
from scoring.marking.records import MarkingRecord

COLUMNS = (
    *("exercise", "team", "team_name", "task", "marking", "marked_again_because"),
    *("kind", "seat", "by", "criterion", "level", "reason", "handed_in_at"),
    *("counts", "points", "of"),
)


def marks_csv(exercise: Exercise, cases: Iterable[tuple[Case, Mapping[str, str]]]) -> str:
    """Return the marks of cases as CSV (RFC 4180), a header first."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for case, names in cases:
        for marking in case.markings:
            rows = _rows(exercise, case, marking, names)
            writer.writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()


def _rows(
    exercise: Exercise, case: Case, marking: MarkingRecord, names: Mapping[str, str]
) -> Iterator[tuple[Cell, ...]]:
    is_official = marking == case.official
    given = case.points_of(marking) if marking.decided_at is not None else None
    # Whoever marks again is to be as blind as those before.
    for sheet in marking.sheets if marking.decided_at is not None or case.all_in else ():
        for criterion, mark in sheet.marks.items():
            if mark.handed_in is None:
                continue
            yield (
                *(exercise.name, case.team.slug, case.team.name, case.name),
                *(marking.number, marking.reason),
                *(sheet.kind, sheet.seat, names.get(sheet.user, sheet.user)),
                *(criterion, mark.level, mark.reason, time(mark.handed_in)),
                is_official and sheet in marking.decisive,
                None if given is None else points(given),
                case.task.points,
            )
