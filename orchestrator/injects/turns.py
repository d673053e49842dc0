"""What is known of a team's injects: to look at, or for one transaction that adds to it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.clock import Clock
from core.db import Database, Transaction
from core.ids import ExerciseId, TeamId
from core.scenario.schema import Scenario
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.injects import Observed, Passing, Situation, latest
from orchestrator.injects.message_repository import MessageRepository
from orchestrator.injects.ports import Scorekeeper
from orchestrator.injects.records import Record
from orchestrator.injects.repository import InjectRepository
from orchestrator.repository import ExerciseRepository
from orchestrator.service import Exercises, ExerciseUnknownError


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamInjects:
    """The facts about a team's injects; `replied` is firing → when its first reply came."""

    team: Team
    situation: Situation
    records: tuple[Record, ...]
    replied: Mapping[str, timedelta]

    def record(self, inject: str, occurrence: int) -> Record | None:
        """Return what became of an occurrence; `None` while nothing has."""
        key = (inject, occurrence)
        mine = (r for r in self.records if (r.firing.inject, r.firing.occurrence) == key)
        return next(mine, None)

    @property
    def to_undo(self) -> tuple[Record, ...]:
        """The firings whose changed links are to be restored now."""
        now = self.situation.elapsed
        return tuple(r for r in self.records if r.undo is not None and r.undo <= now)

    def latest(self, inject: str) -> Record | None:
        """Return what became of the last occurrence of an inject that anything became of."""
        last = latest([record.firing for record in self.records], inject)
        return self.record(inject, last.occurrence) if last is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One transaction on a team's injects, alone in adding facts of the team."""

    transaction: Transaction
    repository: InjectRepository
    messages: MessageRepository
    exercise: Exercise
    scenario: Scenario
    injects: TeamInjects
    now: datetime

    @property
    def team(self) -> Team:
        """Whose turn it is."""
        return self.injects.team

    @property
    def elapsed(self) -> timedelta:
        """The team's clock."""
        return self.injects.situation.elapsed


class Turns:
    """Reads what is known of injects."""

    def __init__(
        self, database: Database, clock: Clock, exercises: Exercises, scorekeeper: Scorekeeper
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._scorekeeper = scorekeeper

    def look(self, exercises: Sequence[Exercise]) -> Mapping[TeamId, TeamInjects]:
        """Return the facts of every team, in a few queries however many exercises."""
        now = self._clock.now()
        with self._database.reading() as session:
            return self._known(session, exercises, now)

    @contextmanager
    def take(self, exercise: ExerciseId, team: TeamId) -> Iterator[Turn]:
        """Give one transaction on a team's injects; raises ExerciseUnknownError."""
        with self._database.transaction() as transaction:
            repository = InjectRepository(transaction.session)
            repository.take_turn(exercise, team)
            found = ExerciseRepository(transaction.session).find(exercise)
            if found is None:
                raise ExerciseUnknownError(exercise)
            now = self._clock.now()
            yield Turn(
                transaction=transaction,
                repository=repository,
                messages=MessageRepository(transaction.session),
                exercise=found,
                scenario=self._exercises.scenario(found).scenario,
                injects=self._known(transaction.session, [found], now, only=team)[team],
                now=now,
            )

    def _known(
        self,
        session: Session,
        exercises: Sequence[Exercise],
        now: datetime,
        *,
        only: TeamId | None = None,
    ) -> Mapping[TeamId, TeamInjects]:
        teams = [(e, t) for e in exercises for t in e.teams if only in {None, t.id}]
        ids = [team.id for _, team in teams]
        repository = InjectRepository(session)
        records, shifts = repository.records(ids), repository.shifts(ids)
        replied = MessageRepository(session).first_replies(ids)
        observed = self._observed(session, teams)
        return {
            team.id: TeamInjects(
                team=team,
                situation=Situation(
                    scenario=self._exercises.scenario(exercise).scenario,
                    elapsed=exercise.elapsed(now, team.id),
                    firings=[record.firing for record in records[team.id]],
                    shifts=shifts[team.id],
                    observed=observed[team.id],
                ),
                records=records[team.id],
                replied=replied,
            )
            for exercise, team in teams
        }

    def _observed(
        self, session: Session, teams: Sequence[tuple[Exercise, Team]]
    ) -> Mapping[TeamId, Observed]:
        ids = [team.id for _, team in teams]
        exercises = {team.id: exercise for exercise, team in teams}
        passing: dict[TeamId, dict[str, Passing]] = {key: {} for key in ids}
        for (team, check), seen in self._scorekeeper.passing(session, ids).items():
            passing[team][check] = seen
        solved: dict[TeamId, dict[str, timedelta]] = {key: {} for key in ids}
        for (team, task), at in self._scorekeeper.solved(session, ids).items():
            solved[team][task] = exercises[team].elapsed(at, team)
        return {key: Observed(passing=passing[key], solved=solved[key]) for key in ids}
