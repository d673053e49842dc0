"""The ledger as it is stored: entries read back, the chain, and the standings kept beside it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Executable, Row, bindparam, delete, func, select
from sqlalchemy.orm import Session

from core.db import stored, stored_instant, table_of
from core.ids import ExerciseId, TeamId
from scoring.domain.chain import GENESIS, Content, Link, link_hash
from scoring.domain.ledger import Cause, Entry, EntryKind, Fact
from scoring.domain.standings import Total
from scoring.inserts import dialect_of, put_into
from scoring.later import Later
from scoring.tables import ScoreEntryRow, StandingRow

_KINDS = {kind.value: kind for kind in EntryKind}
_CAUSES = {cause.value: cause for cause in Cause}

_TABLE, _TAKEN_BACK = table_of(ScoreEntryRow), table_of(ScoreEntryRow).alias()
_ADD = _TABLE.insert()
_HEAD = (
    select(_TABLE.c.position, _TABLE.c.hash)
    .where(_TABLE.c.team_id == bindparam("team"))
    .order_by(_TABLE.c.position.desc())
    .limit(1)
)
_OF_TEAM = (
    select(
        _TABLE.c.id,
        _TABLE.c.team_id,
        _TABLE.c.task,
        _TABLE.c.kind,
        _TABLE.c.milli_points,
        _TABLE.c.idem_key,
        _TABLE.c.cause_type,
        _TABLE.c.cause_id,
        _TABLE.c.effective_at,
        _TABLE.c.user_id,
        _TAKEN_BACK.c.idem_key.label("reverses"),
        _TABLE.c.reason,
    )
    .select_from(_TABLE.outerjoin(_TAKEN_BACK, _TAKEN_BACK.c.id == _TABLE.c.reverses_id))
    .where(_TABLE.c.team_id == bindparam("team"))
    .order_by(_TABLE.c.position)
)
_UNTIL = _OF_TEAM.where(_TABLE.c.recorded_at <= bindparam("recorded"))
_OF_KEY = _OF_TEAM.where(_TABLE.c.idem_key == bindparam("key"))
_KEPT = table_of(StandingRow).c
_STANDINGS = select(_KEPT.team_id, _KEPT.tasks, _KEPT.moved_at, _KEPT.version, _KEPT.upto_entry)
_STANDING = _STANDINGS.where(_KEPT.team_id == bindparam("team"))
_OF_SAME_TEAM = table_of(ScoreEntryRow).alias()
_LAST_POSITION = select(func.max(_OF_SAME_TEAM.c.position)).where(
    _OF_SAME_TEAM.c.team_id == _TABLE.c.team_id
)
_ENDS = (
    select(
        *(_TABLE.c.team_id, _TABLE.c.position, _TABLE.c.hash),
        *(_KEPT.tasks, _KEPT.moved_at, _KEPT.version),
    )
    .select_from(_TABLE.outerjoin(table_of(StandingRow), _KEPT.team_id == _TABLE.c.team_id))
    .where(
        _TABLE.c.team_id.in_(bindparam("teams", expanding=True)),
        _TABLE.c.position == _LAST_POSITION.scalar_subquery(),
    )
)


class Head(NamedTuple):
    """The position and the hash of a team's last entry; before the first, those of none."""

    position: int = 0
    hash: str = GENESIS


class Booked(NamedTuple):
    """An entry of the ledger and its id there. Of its fact it knows the proof only."""

    id: int
    entry: Entry


def link_values(
    exercise: ExerciseId,
    entry: Entry,
    *,
    position: int,
    prev_hash: str,
    reverses: int | None,
    recorded_at: datetime,
) -> dict[str, Any]:
    """Return the columns of an entry behind the last link of its team's chain.

    `reverses` is the id of the entry that it takes back.
    """
    content = Content(
        exercise=exercise,
        team=entry.team,
        position=position,
        user=entry.fact.user,
        task=entry.task,
        kind=entry.kind,
        milli_points=entry.milli_points,
        effective_at=entry.effective_at,
        recorded_at=recorded_at,
        cause_type=entry.fact.cause,
        cause_id=entry.fact.id,
        key=entry.key,
        reverses=reverses,
        reason=entry.reason,
    )
    return {
        "exercise_id": content.exercise,
        "team_id": content.team,
        "position": content.position,
        "user_id": content.user,
        "task": content.task,
        "kind": content.kind,
        "milli_points": content.milli_points,
        "effective_at": content.effective_at,
        "recorded_at": content.recorded_at,
        "cause_type": content.cause_type,
        "cause_id": content.cause_id,
        "idem_key": content.key,
        "reverses_id": content.reverses,
        "reason": content.reason,
        "prev_hash": prev_hash,
        "hash": link_hash(prev_hash, content),
    }


def head(session: Session, team: TeamId) -> Head:
    """Return the head of a team's chain."""
    found = session.execute(_HEAD, {"team": team}).first()
    return Head(*found) if found is not None else Head()


def ends(session: Session, teams: Sequence[TeamId]) -> Mapping[TeamId, tuple[Head, Total]]:
    """Return team → the head of its chain and what it has; not of one whose standing is lost."""
    found = {row.team_id: row for row in session.execute(_ENDS, {"teams": teams})}
    none = {team: (Head(), Total()) for team in teams if team not in found}
    return none | {
        team: (Head(row.position, row.hash), _total(row))
        for team, row in found.items()
        if row.version is not None
    }


def add_entry(writes: Later, values: Mapping[str, Any]) -> None:
    """Add an entry behind its team's last one, as `link_values` says."""
    writes.add(_ADD, values)


def booked_entries(session: Session, team: TeamId) -> list[Booked]:
    """Return a team's entries, in the order of the chain."""
    return _entries(session, _OF_TEAM, {"team": team})


def booked_until(session: Session, team: TeamId, recorded: datetime) -> list[Booked]:
    """Return a team's entries that were booked by then, in the order of the chain."""
    return _entries(session, _UNTIL, {"team": team, "recorded": recorded})


def booked_entry(session: Session, team: TeamId, key: str) -> Booked | None:
    """Return the entry of an effect of a team; `None` when there is none."""
    return next(iter(_entries(session, _OF_KEY, {"team": team, "key": key})), None)


def links(session: Session, team: TeamId) -> Iterator[Link]:
    """Give the chain of a team, from its first entry on, as it is read."""
    row = ScoreEntryRow
    query = (
        select(
            row.id,
            row.prev_hash,
            row.hash,
            row.exercise_id,
            row.team_id,
            row.position,
            row.user_id,
            row.task,
            row.kind,
            row.milli_points,
            row.effective_at,
            row.recorded_at,
            row.cause_type,
            row.cause_id,
            row.idem_key,
            row.reverses_id,
            row.reason,
        )
        .where(row.team_id == team)
        .order_by(row.position)
        .execution_options(yield_per=10_000)
    )
    with session.execute(query) as rows:  # whoever finds a break reads no further
        for id_, prev_hash, hash_, *content in rows:
            yield Link(id=id_, content=Content(*content), prev_hash=prev_hash, hash=hash_)


def _entries(
    session: Session, statement: Executable, parameters: Mapping[str, Any]
) -> list[Booked]:
    instant = stored_instant(session)
    return [
        _booked(row, instant) for rows in stored(session, statement, parameters) for row in rows
    ]


def _booked(row: Sequence[Any], instant: Callable[[Any], Any]) -> Booked:
    id_, team, task, kind, milli_points, key, cause, cause_id, at, user, reverses, reason = row
    fact = Fact(_CAUSES[cause], cause_id, instant(at), user)
    return Booked(
        id_, Entry(team, task, _KINDS[kind], milli_points, key, fact, None, reverses, reason)
    )


# Standings: a projection


def standing(session: Session, team: TeamId) -> Total:
    """Return what a team has; from the ledger if nothing is kept of it."""
    row = session.execute(_STANDING, {"team": team}).first()
    if row is None:
        return Total.of([booked.entry for booked in booked_entries(session, team)])
    return _total(row)


def keep_standing(writes: Later, exercise: ExerciseId, team: TeamId, total: Total) -> None:
    """Keep what a team has after its last entry, which is one that was added before."""
    writes.add(
        _keep_standing(dialect_of(writes.session)),
        {
            "of_team": team,
            "team_id": team,
            "exercise_id": exercise,
            "milli_points": total.milli_points,
            "tasks": dict(total.tasks),
            "moved_at": total.moved_at,
            "version": total.entries,
        },
    )


@cache
def _keep_standing(dialect: str) -> Executable:
    last = select(_TABLE.c.id).where(_TABLE.c.team_id == bindparam("of_team"))
    last = last.order_by(_TABLE.c.position.desc()).limit(1)
    columns = tuple(column.name for column in _KEPT)
    return put_into(dialect, StandingRow, columns).values(upto_entry=last.scalar_subquery())


def drop_standing(session: Session, team: TeamId) -> None:
    """Keep nothing of a team any more."""
    session.execute(delete(StandingRow).where(StandingRow.team_id == team))


def standings_of(session: Session, teams: Sequence[TeamId]) -> tuple[Mapping[str, Total], int]:
    """Return what teams have, of those that have any entry, and the last entry's id (or 0).

    One query, so that standings and id fit each other on every database.
    """
    rows = session.execute(_STANDINGS.where(_KEPT.team_id.in_(teams))).all()
    totals = {row.team_id: _total(row) for row in rows}
    return totals, max((row.upto_entry for row in rows), default=0)


def _total(row: Row[*tuple[Any, ...]]) -> Total:
    return Total(tasks=dict(row.tasks), moved_at=row.moved_at, entries=row.version)
