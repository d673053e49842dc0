"""Making a board from the standings, and keeping what must not move any more."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database
from core.ids import ExerciseId, TeamId
from core.scenario.schema import Scenario
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import UNDER_WAY
from orchestrator.repository import ExerciseRepository
from scoring.boards.drawing import Seen, drawn
from scoring.boards.repository import BoardRepository
from scoring.boards.standings import KnownStandings
from scoring.boards.tables import BoardSnapshotRow
from scoring.domain.board_text import WrittenRows, read, written
from scoring.domain.boards import Audience, Board
from scoring.domain.standings import Total
from scoring.ledger import booked_until
from scoring.ports import Exercises

_PACKING = 5


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A board of one audience: its text, the SHA-256 of that, and what it follows from."""

    body: bytes
    sha256: str
    version: str
    upto_entry: int
    made_at: datetime

    @cached_property
    def board(self) -> Board:
        """The board as values."""
        return read(self.body)

    @cached_property
    def packed(self) -> bytes:
        """The text in gzip, as browsers take it; a board of many teams is mostly repetition."""
        return gzip.compress(self.body, _PACKING, mtime=0)


@dataclass(slots=True, kw_only=True)
class _Known:
    """What was read and written for the last board of an exercise, and holds for the next."""

    exercise: Exercise
    standings: KnownStandings = field(default_factory=KnownStandings)
    rows: WrittenRows = field(default_factory=dict)


class BoardMaking:
    """Boards, each made for its audience alone and from the ledger's standings only."""

    def __init__(self, database: Database, clock: Clock, exercises: Exercises) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._known: dict[ExerciseId, _Known] = {}

    def made(self, exercise: Exercise, audience: Audience, former: Snapshot | None) -> Snapshot:
        """Return the board as it is now: `former` when nothing that it follows from has moved.

        Of `exercise` only what never changes is taken: its teams, and which scenario it is of.
        """
        now = self._clock.now()
        known = self._known.setdefault(exercise.id, _Known(exercise=exercise))
        with self._database.snapshot() as session:
            seen = self._seen(session, known, audience, now)
            if former is not None and former.version == seen.version:
                return former
            if seen.is_kept:
                kept = BoardRepository(session).kept(exercise.id, audience, frozen=seen.all_frozen)
                if kept is not None and kept.version == seen.version:
                    return _snapshot(kept)
            late = _not_frozen_yet(session, seen)
            fresh = None if late else _fresh(session, seen, known, now)
        if fresh is None:
            self._freeze(seen, late)
            return self.made(exercise, audience, None)
        return self._keep(seen, fresh) if seen.is_kept else fresh

    def forget(self) -> None:
        """Read everything again for the next board of each exercise."""
        self._known.clear()

    def drop(self, exercise: ExerciseId) -> None:
        """Keep no board of an exercise but those of the freeze."""
        self._known.pop(exercise, None)
        with self._database.transaction() as transaction:
            BoardRepository(transaction.session).drop(exercise)

    def _seen(self, session: Session, known: _Known, audience: Audience, now: datetime) -> Seen:
        state = BoardRepository(session).state(known.exercise.id)
        if len(known.exercise.clock) != state.ticks:
            clock = ExerciseRepository(session).clock(known.exercise.id)
            known.exercise = replace(known.exercise, clock=clock)
        current = replace(known.exercise, phase=state.phase)
        scenario = self._exercises.scenario(current).scenario
        return Seen(
            exercise=current,
            scenario=scenario,
            audience=audience,
            state=state,
            frozen={} if audience is Audience.STAFF else _frozen(current, scenario, now),
        )

    def _freeze(self, seen: Seen, late: Mapping[TeamId, datetime]) -> None:
        with self._database.reading() as session:
            booked = {team: booked_until(session, team, at) for team, at in late.items()}
        with self._database.transaction() as transaction:
            repository = BoardRepository(transaction.session)
            for team, entries in booked.items():
                repository.freeze(
                    seen.exercise.id,
                    team,
                    Total.of([b.entry for b in entries]),
                    upto_entry=entries[-1].id if entries else 0,
                    at=late[team],
                )

    def _keep(self, seen: Seen, fresh: Snapshot) -> Snapshot:
        with self._database.transaction() as transaction:
            repository = BoardRepository(transaction.session)
            row = BoardSnapshotRow(
                exercise_id=seen.exercise.id,
                audience=seen.audience,
                frozen=seen.all_frozen,
                version=fresh.version,
                upto_entry=fresh.upto_entry,
                body=fresh.body.decode(),
                sha256=fresh.sha256,
                made_at=fresh.made_at,
            )
            repository.keep(row)
            # Of two that made the board of a freeze at once the first one counts for both.
            kept = repository.kept(seen.exercise.id, seen.audience, frozen=seen.all_frozen)
        return _snapshot(kept) if kept is not None else fresh


def _frozen(exercise: Exercise, scenario: Scenario, now: datetime) -> Mapping[TeamId, datetime]:
    """Return since when boards show nothing new of teams, by their own clocks."""
    freeze = scenario.end.freeze
    # No team's clock is ahead of the exercise's.
    if freeze is None or exercise.phase not in UNDER_WAY or exercise.elapsed(now) < freeze:
        return {}
    reached = {team.id: exercise.reached(freeze, now, team.id) for team in exercise.teams}
    return {team: at for team, at in reached.items() if at is not None}


def _not_frozen_yet(session: Session, seen: Seen) -> Mapping[TeamId, datetime]:
    if not seen.frozen:
        return {}
    done = BoardRepository(session).frozen_totals(seen.exercise.id)
    return {team: at for team, at in seen.frozen.items() if team not in done}


def _fresh(session: Session, seen: Seen, known: _Known, now: datetime) -> Snapshot:
    board = drawn(session, seen, known.standings)
    body = written(board, known.rows)
    return Snapshot(
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
        version=seen.version,
        upto_entry=board.upto_entry,
        made_at=now,
    )


def _snapshot(row: BoardSnapshotRow) -> Snapshot:
    return Snapshot(
        body=row.body.encode(),
        sha256=row.sha256,
        version=row.version,
        upto_entry=row.upto_entry,
        made_at=row.made_at,
    )
