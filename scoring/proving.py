"""Looking through ledgers: whether every chain and seal holds, each night and when asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database
from core.ids import ExerciseId, TeamId
from core.jobs import Job
from orchestrator.domain.clock import Tick
from orchestrator.domain.exercise import Exercise
from orchestrator.domain.phases import OVER
from orchestrator.journal import Journal
from orchestrator.tables import ClockEventRow
from scoring.attack_defence.replaying import remake_tallies
from scoring.domain.chain import first_break
from scoring.domain.standings import Total
from scoring.inserts import insert_into, wrote
from scoring.later import Later
from scoring.ledger import booked_entries, drop_standing, keep_standing, links, standings_of
from scoring.ports import Exercises
from scoring.repository import ScoreRepository
from scoring.seals import Why, broken_seals, last_seal, seal
from scoring.tables import ProofRow, StandingRow

log = structlog.get_logger()

PROVE = "scoring.prove"
BROKEN = "ledger.broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was found in a ledger: each fault a sentence; none when it holds.

    `seal` is the hash of the last seal, or empty before the first.
    """

    exercise: str
    entries: int
    faults: tuple[str, ...]
    seal: str


class Proving:
    """Ledgers, looked through every `every`, and their standings made again from them."""

    def __init__(
        self, database: Database, clock: Clock, exercises: Exercises, *, every: timedelta
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._every = every
        self._journal = Journal(database, clock)

    def verify(self, exercise: Exercise) -> Proof:
        """Return what is found in a ledger, as of one moment; nothing is changed."""
        with self._database.snapshot() as session:
            entries, faults = 0, []
            for team in exercise.teams:
                found = first_break(links(session, team.id))
                if found is not None:
                    faults.append(
                        f"entry {found.entry} of {team.slug} breaks the chain: its {found.what}"
                        f" should be {found.expected} and is {found.found}"
                    )
                total = Total.of([b.entry for b in booked_entries(session, team.id)])
                entries += total.entries
                faults += _kept_wrong(session, team.id, team.slug, total)
            faults += [f"seal {b.seal}: {b.says}" for b in broken_seals(session, exercise.id)]
            last = last_seal(session, exercise.id)
        return Proof(exercise=exercise.name, entries=entries, faults=tuple(faults), seal=last)

    def seal(self, exercise: Exercise, *, why: Why = Why.DEMAND) -> str:
        """Seal a ledger if anything was booked since the last seal; return the last one's hash."""
        with self._database.transaction() as transaction:
            seal(transaction.session, exercise.id, why=why, at=self._clock.now())
            return last_seal(transaction.session, exercise.id)

    def rebuild(self, exercise: Exercise) -> int:
        """Drop what is kept of a ledger and make it from the ledger again; return its teams."""
        for team in exercise.teams:
            # One at a time: whoever holds several teams' turns may wait crosswise for ever.
            with self._database.transaction() as transaction:
                session = transaction.session
                ScoreRepository(session).take_turn(exercise.id, team.id)
                drop_standing(session, team.id)
                booked = booked_entries(session, team.id)
                if booked:
                    total = Total.of([b.entry for b in booked])
                    keep_standing(Later(session, at_once=True), exercise.id, team.id, total)
        scenario = self._exercises.scenario(exercise).scenario
        if scenario.services:
            with self._database.transaction() as transaction:
                ScoreRepository(transaction.session).take_turns(exercise.id)
                remake_tallies(transaction.session, exercise, scenario)
        return len(exercise.teams)

    # Each night

    def sweep(self) -> int:
        """Send a job for each ledger that is due; return how many were sent.

        One is due when it was not looked through for so long, and once its exercise has ended.
        """
        now = self._clock.now()
        with self._database.reading() as session:
            due = _due(session, before=now - self._every)
        if not due:
            return 0
        with self._database.transaction() as transaction:
            for exercise, seen in due:
                if _claim(transaction.session, exercise, seen=seen, now=now):
                    transaction.after_commit(Job(PROVE, (exercise,)))
        return len(transaction.jobs)

    def prove(self, exercise_id: ExerciseId) -> Proof:
        """Look through a ledger, tell what is broken, and seal one that holds; return the proof."""
        exercise = self._exercises.get(exercise_id)
        proof = self.verify(exercise)
        over = exercise.phase in OVER
        with self._database.transaction() as transaction:
            session = transaction.session
            session.merge(
                ProofRow(exercise_id=exercise.id, at=self._clock.now(), faults=list(proof.faults))
            )
            if proof.faults:
                text = "; ".join(proof.faults)
                self._journal.note(transaction, exercise, BROKEN, text)
                log.error(BROKEN, exercise=exercise.name, faults=proof.faults)
            else:
                why = Why.END if over else Why.NIGHTLY
                seal(session, exercise.id, why=why, at=self._clock.now())
        return proof

    def known_faults(self) -> Mapping[str, tuple[str, ...]]:
        """Return exercise → what the last look through its ledger found; nothing is looked at."""
        with self._database.reading() as session:
            rows = session.scalars(select(ProofRow).order_by(ProofRow.exercise_id)).all()
        found = {row.exercise_id: tuple(row.faults) for row in rows if row.faults}
        return {self._exercises.get(id_).name: faults for id_, faults in found.items()}


def _kept_wrong(session: Session, team: TeamId, slug: str, total: Total) -> list[str]:
    kept = standings_of(session, [team])[0].get(team, Total())
    if kept == total:
        return []
    has = f"{kept.milli_points} thousandths after {kept.entries} entries"
    should = f"{total.milli_points} after {total.entries}"
    return [f"the standing of {slug} is {has}, by its ledger {should}: poligon score rebuild"]


def _due(session: Session, *, before: datetime) -> list[tuple[ExerciseId, datetime | None]]:
    ended = (
        select(ClockEventRow.exercise_id, func.max(ClockEventRow.at).label("at"))
        .where(ClockEventRow.tick == Tick.END, ClockEventRow.team_id.is_(None))
        .group_by(ClockEventRow.exercise_id)
        .subquery()
    )
    rows = session.execute(
        select(StandingRow.exercise_id, ProofRow.at)
        .distinct()
        .outerjoin(ProofRow, ProofRow.exercise_id == StandingRow.exercise_id)
        .outerjoin(ended, ended.c.exercise_id == StandingRow.exercise_id)
        .where(ProofRow.at.is_(None) | (ProofRow.at <= before) | (ProofRow.at < ended.c.at))
        .order_by(StandingRow.exercise_id)
    )
    return [(ExerciseId(exercise), at) for exercise, at in rows]


def _claim(session: Session, exercise: ExerciseId, *, seen: datetime | None, now: datetime) -> bool:
    statement = insert_into(session, ProofRow).values(exercise_id=exercise, at=now, faults=[])
    once = statement.on_conflict_do_update(
        index_elements=["exercise_id"], set_={"at": now}, where=ProofRow.at == (seen or now)
    )
    return wrote(session, once)
