"""Seals: the heads of all chains of an exercise, so that a ledger cut off at its end is noticed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from core.ids import ExerciseId
from scoring.domain.chain import GENESIS, seal_hash
from scoring.inserts import insert_into
from scoring.tables import ScoreEntryRow, SealRow


class Why(StrEnum):
    """On which occasion a ledger is sealed."""

    NIGHTLY = "nightly"
    END = "end"  # the exercise has ended
    DEMAND = "on demand"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealBreak:
    """A seal that does not hold, and why."""

    seal: int
    says: str


def heads(session: Session, exercise: ExerciseId) -> Mapping[str, tuple[int, str]]:
    """Return team → position and hash of its last entry."""
    row = ScoreEntryRow
    mine = row.exercise_id == exercise
    last = select(row.team_id, func.max(row.position)).where(mine).group_by(row.team_id)
    found = session.execute(
        select(row.team_id, row.position, row.hash).where(
            tuple_(row.team_id, row.position).in_(last)
        )
    )
    return {team: (position, digest) for team, position, digest in found}


def seals(session: Session, exercise: ExerciseId) -> Sequence[SealRow]:
    """Return the seals of an exercise, in their order."""
    mine = select(SealRow).where(SealRow.exercise_id == exercise)
    return session.scalars(mine.order_by(SealRow.number)).all()


def last_seal(session: Session, exercise: ExerciseId) -> str:
    """Return the hash of the last seal of an exercise, or nothing before the first."""
    last = select(SealRow.hash).where(SealRow.exercise_id == exercise)
    return session.scalar(last.order_by(SealRow.number.desc()).limit(1)) or ""


def seal(session: Session, exercise: ExerciseId, *, why: Why, at: datetime) -> None:
    """Seal the ledger of an exercise as it is, if anything was booked since the last seal.

    Of two at the same time one seals.
    """
    found = heads(session, exercise)
    earlier = seals(session, exercise)
    now = {team: list(head) for team, head in found.items()}
    if now == (earlier[-1].heads if earlier else {}):
        return
    former = earlier[-1].hash if earlier else GENESIS
    statement = insert_into(session, SealRow).values(
        exercise_id=exercise,
        number=len(earlier) + 1,
        heads=now,
        prev_hash=former,
        hash=_hash(former, exercise, found),
        why=why,
        sealed_at=at,
    )
    session.execute(statement.on_conflict_do_nothing(index_elements=["exercise_id", "number"]))


def broken_seals(session: Session, exercise: ExerciseId) -> list[SealBreak]:
    """Return the seals that do not hold: changed, out of line, or over entries that are gone."""
    former, found = GENESIS, []
    for number, row in enumerate(seals(session, exercise), start=1):
        own = {team: (head[0], head[1]) for team, head in row.heads.items()}
        if (row.number, row.prev_hash) != (number, former):
            says = f"it follows {row.prev_hash[:12]}, the one before is {former[:12]}"
            found.append(SealBreak(seal=row.number, says=says))
        elif row.hash != _hash(row.prev_hash, exercise, own):
            found.append(SealBreak(seal=row.number, says="it was changed"))
        else:
            found += [
                SealBreak(seal=row.number, says=says) for says in _lost(session, exercise, own)
            ]
        former = row.hash
    return found


def _lost(
    session: Session, exercise: ExerciseId, sealed: Mapping[str, tuple[int, str]]
) -> list[str]:
    row = ScoreEntryRow
    places = [(team, position) for team, (position, _) in sealed.items()]
    found = session.execute(
        select(row.team_id, row.position, row.hash).where(
            row.exercise_id == exercise, tuple_(row.team_id, row.position).in_(places)
        )
    )
    there = {(team, position): digest for team, position, digest in found}
    return [
        f"entry {position} of team {team} was {digest[:12]} and is"
        f" {there.get((team, position), 'gone')[:12]}"
        for team, (position, digest) in sealed.items()
        if there.get((team, position)) != digest
    ]


def _hash(former: str, exercise: str, found: Mapping[str, tuple[int, str]]) -> str:
    return seal_hash(former, exercise, [(team, *head) for team, head in found.items()])
