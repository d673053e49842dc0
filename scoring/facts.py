"""Facts as rows: one table for all of them, in the order of their team."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import repeat
from typing import Any

from sqlalchemy import ColumnElement, Executable, bindparam, func, literal_column, select
from sqlalchemy.orm import Session

from core.db import stored, stored_instant, table_of
from core.ids import ExerciseId, TeamId
from scoring.domain.amendments import Decided
from scoring.domain.ledger import COSTS, Cause, EntryKind, Fact, Grant, Ruling
from scoring.inserts import dialect_of, insert_for
from scoring.later import Later
from scoring.repository import milliseconds
from scoring.tables import FactRow

_MILLISECOND = timedelta(milliseconds=1)
_CAUSES = {cause.value: cause for cause in Cause}
# Of the table and not of the class: a million rows are read in half the time.
_TABLE = table_of(FactRow).c
_COLUMNS = (
    _TABLE.cause_type,
    _TABLE.cause_id,
    _TABLE.at,
    _TABLE.user_id,
    _TABLE.subject,
    _TABLE.number,
    _TABLE.outcome,
    _TABLE.exercise_ms,
    _TABLE.milli_points,
    _TABLE.ruling,
)
_OF_TEAM = select(*_COLUMNS).where(_TABLE.team_id == bindparam("team")).order_by(_TABLE.position)
_OF_CAUSES = _OF_TEAM.where(_TABLE.cause_type.in_(bindparam("causes", expanding=True)))
_IS_DEAR = _TABLE.cause_type.in_(COSTS) & (_TABLE.milli_points > 0)
_OF_TEAMS = (
    select(_TABLE.team_id, *_COLUMNS)
    .where(_TABLE.team_id.in_(bindparam("teams", expanding=True)))
    .order_by(_TABLE.position)
)
_CORRECTIONS = _OF_TEAMS.where(_TABLE.cause_type == Cause.CORRECTION)
_COSTS_TASKS = _IS_DEAR & _TABLE.subject.in_(bindparam("tasks", expanding=True))
_COSTS = _OF_TEAMS.where(_COSTS_TASKS)
_CORRECTIONS_AND_COSTS = _OF_TEAMS.where((_TABLE.cause_type == Cause.CORRECTION) | _COSTS_TASKS)
_LAST = select(func.coalesce(func.max(_TABLE.position), 0)).where(
    _TABLE.team_id == bindparam("team")
)
_NEXT = table_of(FactRow).insert().values(position=_LAST.scalar_subquery() + 1)


def add_fact(session: Session, exercise: ExerciseId, team: TeamId, fact: Fact) -> bool:
    """Put a fact after all others of its team; return whether it was not there yet.

    Under the team's lock: the next position is free then.
    """
    values = {"team": team, **fact_values(exercise, team, fact)}
    return session.scalar(_next_once(dialect_of(session)), values) is not None


def add_fact_later(later: Later, exercise: ExerciseId, team: TeamId, fact: Fact) -> None:
    """Put a fact that is not there yet after all others of its team, by and by; as `add_fact`."""
    later.add(_NEXT, {"team": team, **fact_values(exercise, team, fact)})


@cache
def _next_once(dialect: str) -> Executable:
    statement = insert_for(dialect, FactRow).values(position=_LAST.scalar_subquery() + 1)
    once = statement.on_conflict_do_nothing(index_elements=["team_id", "cause_type", "cause_id"])
    return once.returning(literal_column("1"))


def fact_values(exercise: ExerciseId, team: TeamId, fact: Fact) -> dict[str, Any]:
    """Return the columns of a fact but for its position."""
    return {
        "team_id": team,
        "exercise_id": exercise,
        "cause_type": fact.cause,
        "cause_id": fact.id,
        "at": fact.at,
        "user_id": fact.user,
        "subject": fact.subject,
        "number": fact.number,
        "outcome": fact.outcome,
        "exercise_ms": milliseconds(fact.elapsed),
        "milli_points": fact.milli_points,
        "ruling": _written(fact),
    }


def facts_of(session: Session, team: TeamId, *causes: Cause) -> tuple[Fact, ...]:
    """Return a team's facts of some causes, in their order."""
    return tuple(_facts(session, _OF_CAUSES, {"team": team, "causes": causes}))


def corrections_of(session: Session, teams: Sequence[TeamId]) -> Mapping[TeamId, Sequence[Fact]]:
    """Return the corrections of each of some teams, in their order."""
    found: dict[TeamId, list[Fact]] = {team: [] for team in teams}
    for team, fact in _facts_of_teams(session, _CORRECTIONS, {"teams": teams}):
        found[team].append(fact)
    return found


def costs_of(session: Session, team: TeamId, task: str) -> Sequence[Fact]:
    """Return a team's facts that cost a task something, in their order."""
    asked = {"teams": [team], "tasks": [task]}
    return [fact for _, fact in _facts_of_teams(session, _COSTS, asked)]


def corrections_and_costs(
    session: Session, teams: Sequence[TeamId], tasks: Sequence[str]
) -> tuple[Mapping[TeamId, Sequence[Fact]], Mapping[tuple[TeamId, str], Sequence[Fact]]]:
    """Return what `corrections_of` does, and (team, task) → what `costs_of` does, if any."""
    corrections: dict[TeamId, list[Fact]] = {team: [] for team in teams}
    costs: dict[tuple[TeamId, str], list[Fact]] = {}
    asked = {"teams": teams, "tasks": tasks}
    for team, fact in _facts_of_teams(session, _CORRECTIONS_AND_COSTS, asked):
        if fact.cause is Cause.CORRECTION:
            corrections[team].append(fact)
        else:
            costs.setdefault((team, fact.subject), []).append(fact)
    return corrections, costs


def costs_so_far(session: Session, teams: Sequence[TeamId]) -> Mapping[tuple[str, str], int]:
    """Return (team, task) → what all facts so far cost the task, in thousandths."""
    cost = func.sum(_TABLE.milli_points)
    return _by_task(session, teams, cost, _IS_DEAR)


def last_attempts(session: Session, teams: Sequence[TeamId]) -> Mapping[tuple[str, str], timedelta]:
    """Return (team, task) → when an answer was last judged, on the team's clock."""
    judged = (_TABLE.cause_type == Cause.SUBMISSION) & (_TABLE.number > 0)
    last = _by_task(session, teams, func.max(_TABLE.exercise_ms), judged)
    return {key: at * _MILLISECOND for key, at in last.items()}


def _by_task(
    session: Session, teams: Sequence[TeamId], what: ColumnElement[int], which: ColumnElement[bool]
) -> dict[tuple[str, str], int]:
    query = select(_TABLE.team_id, _TABLE.subject, what).where(_TABLE.team_id.in_(teams), which)
    found = session.execute(query.group_by(_TABLE.team_id, _TABLE.subject))
    return {(team, subject): int(value) for team, subject, value in found}


def all_facts(session: Session, team: TeamId) -> Iterator[Fact]:
    """Give all facts of a team, in their order, as they are read."""
    return _facts(session, _OF_TEAM, {"team": team})


def _facts(
    session: Session, statement: Executable, parameters: Mapping[str, Any]
) -> Iterator[Fact]:
    instant = stored_instant(session)
    for rows in stored(session, statement, parameters):
        yield from map(_fact, rows, repeat(instant))


def _facts_of_teams(
    session: Session, statement: Executable, parameters: Mapping[str, Any]
) -> Iterator[tuple[TeamId, Fact]]:
    instant = stored_instant(session)
    for rows in stored(session, statement, parameters):
        yield from ((TeamId(team), _fact(columns, instant)) for team, *columns in rows)


def _fact(row: Sequence[Any], instant: Callable[[Any], Any]) -> Fact:
    cause, id_, at, user, subject, number, outcome, elapsed, milli_points, text = row
    ruling, decided = (None, None) if text is None else _read(text)
    # The class's own constructor, written in Python, would take longer than all of this line.
    return tuple.__new__(
        Fact,
        (
            _CAUSES[cause],
            id_,
            instant(at),
            user,
            subject,
            number,
            outcome,
            elapsed * _MILLISECOND,
            milli_points,
            ruling,
            decided,
        ),
    )


def _written(fact: Fact) -> str | None:
    if fact.decided is not None:
        return json.dumps({"decided": fact.decided.model_dump(mode="json")}, ensure_ascii=False)
    ruling = fact.ruling
    if ruling is None:
        return None
    grants = [
        [g.task, g.kind, g.milli_points, g.at.astimezone(UTC).isoformat() if g.at else None]
        for g in ruling.grants
    ]
    body = {"reverses": ruling.reverses, "grants": grants, "reason": ruling.reason}
    return json.dumps(body, ensure_ascii=False)


def _read(text: str) -> tuple[Ruling | None, Decided | None]:
    body = json.loads(text)
    if "decided" in body:
        return None, Decided.model_validate(body["decided"])
    ruling = Ruling(
        reverses=tuple(body["reverses"]),
        grants=tuple(
            Grant(
                task=task,
                kind=EntryKind(kind),
                milli_points=milli_points,
                at=datetime.fromisoformat(at) if at else None,
            )
            for task, kind, milli_points, at in body["grants"]
        ),
        reason=body["reason"],
    )
    return ruling, None
