"""All that facts and ledger say of some teams, read at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from core.ids import TeamId
from core.scenario.schema_tasks import AvailabilityTask, Task
from orchestrator.domain.injects import Firing
from orchestrator.injects.repository import InjectRepository
from scoring.domain.amending import Amendments
from scoring.domain.availability import Rounds
from scoring.domain.holds import CheckState
from scoring.domain.ledger import MILLI, Fact
from scoring.domain.timing import Times, times_of
from scoring.facts import corrections_of, costs_so_far, last_attempts
from scoring.ledger import standings_of
from scoring.marking.repository import MarkRepository
from scoring.repository import ScoreRepository
from scoring.tables import HintTakenRow, SolveRow
from scoring.terms import Sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What teams did and have; every key begins with the team's id. Points in thousandths."""

    points: Mapping[tuple[str, str], int]
    upto_entry: int
    solves: Mapping[tuple[str, str], SolveRow]
    attempts: Mapping[tuple[str, str], int]
    last_attempts: Mapping[tuple[str, str], timedelta]
    costs: Mapping[tuple[str, str], int]
    wrong_answers: Mapping[tuple[str, str], int]
    states: Mapping[tuple[str, str], CheckState]
    hints: Mapping[tuple[str, str], Sequence[HintTakenRow]]
    firings: Mapping[TeamId, Sequence[Firing]]
    corrections: Mapping[TeamId, Sequence[Fact]]
    marked: frozenset[tuple[str, str]] = frozenset()

    def of_points(self, team: TeamId, name: str, task: Task) -> int:
        """Return what a task gives a team by the corrections that hold, in thousandths."""
        corrections = self.corrections.get(team)
        if not corrections:  # as of most, and it is asked for every task of every team
            return task.points * MILLI
        return Amendments.of(corrections).of_points(name, task) * MILLI

    def state(self, team: TeamId, check: str) -> CheckState:
        """Return what is known of a check of a team."""
        return self.states.get((team, check), CheckState())

    def sent(self, team: TeamId, task: str) -> Sent:
        """Return what came of a team's answers to a task so far."""
        key = (team, task)
        return Sent(
            is_solved=key in self.solves,
            milli_points=self.points.get(key, 0),
            costs=self.costs.get(key, 0),
            last=self.last_attempts.get(key),
        )

    def times(self, team: TeamId, task: Task) -> Times:
        """Return when a task counts for a team."""
        return times_of(task, self.firings[team])

    def rounds(self, team: TeamId, task: Task) -> Rounds | None:
        """Return the rounds that an availability task counts; `None` for any other task."""
        return (
            self.state(team, task.availability).rounds
            if isinstance(task, AvailabilityTask)
            else None
        )


def results_of(session: Session, teams: Sequence[TeamId]) -> Results:
    """Read the results of `teams`."""
    repository = ScoreRepository(session)
    totals, upto_entry = standings_of(session, teams)
    return Results(
        points={
            (team, task): milli_points
            for team, total in totals.items()
            for task, milli_points in total.tasks.items()
        },
        upto_entry=upto_entry,
        solves=repository.solves(teams),
        attempts=repository.attempts(teams),
        last_attempts=last_attempts(session, teams),
        costs=costs_so_far(session, teams),
        wrong_answers=repository.wrong_answers(teams),
        states=repository.check_states(teams),
        hints=repository.hints(teams),
        marked=MarkRepository(session).decided(teams),
        corrections=corrections_of(session, teams),
        firings={
            team: [record.firing for record in records]
            for team, records in InjectRepository(session).records(teams).items()
        },
    )
