"""All that facts and ledger say of some teams, read at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.ids import TeamId
from core.scenario.schema_tasks import AvailabilityTask, Task
from orchestrator.domain.injects import Firing
from orchestrator.injects.repository import InjectRepository
from scoring.domain.availability import Rounds
from scoring.domain.holds import CheckState
from scoring.domain.timing import Times, times_of
from scoring.repository import ScoreRepository
from scoring.tables import HintTakenRow, SolveRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What teams did and have; every key begins with the team's id. Points in thousandths."""

    points: Mapping[tuple[str, str], int]
    upto_entry: int
    solves: Mapping[tuple[str, str], SolveRow]
    attempts: Mapping[tuple[str, str], int]
    wrong_answers: Mapping[tuple[str, str], int]
    states: Mapping[tuple[str, str], CheckState]
    hints: Mapping[tuple[str, str], Sequence[HintTakenRow]]
    firings: Mapping[TeamId, Sequence[Firing]]

    def state(self, team: TeamId, check: str) -> CheckState:
        """Return what is known of a check of a team."""
        return self.states.get((team, check), CheckState())

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
    sums, upto_entry = repository.sums(teams)
    return Results(
        points={(s.team, s.task): s.milli_points for s in sums},
        upto_entry=upto_entry,
        solves=repository.solves(teams),
        attempts=repository.attempts(teams),
        wrong_answers=repository.wrong_answers(teams),
        states=repository.check_states(teams),
        hints=repository.hints(teams),
        firings={
            team: [record.firing for record in records]
            for team, records in InjectRepository(session).records(teams).items()
        },
    )
