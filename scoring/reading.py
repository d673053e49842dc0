"""What people see: always from facts and ledger, never from a copy."""

from datetime import timedelta

from core.clock import Clock
from core.db import Database
from core.ids import TeamId, UserId
from core.scenario.schema_tasks import AnsweredTask, ChecksTask, GuardTask, Task
from orchestrator.domain.exercise import Exercise, Team
from scoring.domain.ledger import AT_ONCE, MILLI
from scoring.ports import Exercises
from scoring.records.record import TrainingRecord, record_of
from scoring.repository import ScoreRepository
from scoring.results import Results, results_of
from scoring.team_scenario import TeamScenario
from scoring.terms import terms_of
from scoring.views import (
    CheckView,
    HintTaken,
    HintView,
    Signal,
    TaskState,
    TaskView,
)


class Reading:
    """Task lists, signals and records."""

    def __init__(self, database: Database, clock: Clock, exercises: Exercises) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises

    def tasks(self, exercise: Exercise, team: Team, *, language: str = "") -> tuple[TaskView, ...]:
        """See `Scoring.tasks`."""
        return self.views(exercise, team, self.results(team), language=language)

    def views(
        self, exercise: Exercise, team: Team, results: Results, *, language: str = ""
    ) -> tuple[TaskView, ...]:
        """Return a team's tasks by results that were read, of it or of more teams."""
        scenario = TeamScenario.of(self._exercises, exercise, team, language=language)
        elapsed = exercise.elapsed(self._clock.now(), team.id)
        return tuple(
            _task_view(scenario, team.id, name, task, results, elapsed)
            for name, task in scenario.scenario.tasks.items()
        )

    def signals(self, exercise: Exercise) -> tuple[Signal, ...]:
        """See `Scoring.signals`."""
        slugs: dict[str, str] = {team.id: team.slug for team in exercise.teams}
        with self._database.reading() as session:
            found = ScoreRepository(session).signals(exercise.id)
        return tuple(
            Signal(
                team=slugs[signal.team_id],
                user=UserId(signal.user_id),
                task=submission.task,
                owner=slugs[signal.owner_team_id],
                value=signal.value_name,
                submission=submission.id,
                at=signal.noticed_at,
            )
            for signal, submission in found
        )

    def hints_taken(self, exercise: Exercise) -> tuple[HintTaken, ...]:
        """See `Scoring.hints_taken`."""
        scenario = TeamScenario.of(self._exercises, exercise, exercise.teams[0])
        slugs: dict[str, str] = {team.id: team.slug for team in exercise.teams}
        with self._database.reading() as session:
            found = ScoreRepository(session).hints([team.id for team in exercise.teams])
        taken = [
            HintTaken(
                team=slugs[team],
                task=task,
                hint=row.hint,
                milli_points=scenario.hints(task)[row.hint - 1].cost * MILLI,
                user=UserId(row.user_id),
                at=row.taken_at,
            )
            for (team, task), rows in found.items()
            for row in rows
        ]
        return tuple(sorted(taken, key=lambda hint: hint.at))

    def record(self, exercise: Exercise, *, language: str = "") -> TrainingRecord:
        """See `Scoring.record`."""
        return record_of(
            exercise,
            {
                team.id: TeamScenario.of(self._exercises, exercise, team, language=language)
                for team in exercise.teams
            },
            self.results(*exercise.teams),
            now=self._clock.now(),
        )

    def results(self, *teams: Team) -> Results:
        """Read the results of teams."""
        with self._database.reading() as session:
            return results_of(session, [team.id for team in teams])


def _task_view(
    scenario: TeamScenario,
    team: TeamId,
    name: str,
    task: Task,
    results: Results,
    elapsed: timedelta,
) -> TaskView:
    used = results.attempts.get((team, name), 0)
    solve = results.solves.get((team, name))
    rounds = results.rounds(team, task)
    limit = task.attempts if isinstance(task, AnsweredTask) else None
    checks = tuple(
        _check_view(scenario, team, task, check, results) for check in scenario.checks_of(task)
    )
    times = results.times(team, task)
    if solve is not None:
        state = TaskState.DONE
    elif not times.is_open:
        state = TaskState.LOCKED
    elif times.is_over(elapsed):
        state = TaskState.OVERDUE
    elif isinstance(task, GuardTask) and results.points.get((team, name), 0):
        state = TaskState.LOST
    elif limit is not None and used >= limit:
        state = TaskState.NO_ATTEMPTS_LEFT
    elif isinstance(task, ChecksTask) and all(c.held is not None for c in checks):
        state = TaskState.HOLDING
    else:
        state = TaskState.OPEN
    locked = state is TaskState.LOCKED
    return TaskView(
        task=name,
        kind=task.kind,
        title=scenario.title(name),
        ask="" if locked else scenario.ask(name),
        objective=task.objective,
        milli_points=results.points.get((team, name), 0),
        of_milli_points=results.of_points(team, name, task),
        state=state,
        attempts=used,
        attempts_left=None if limit is None else max(limit - used, 0),
        solved_at=solve.solved_at if solve is not None else None,
        share=rounds.share if rounds is not None else None,
        checks=() if locked else checks,
        due=times.due,
        options=() if locked else scenario.options(name),
        hints=_hint_views(scenario, team, name, results, elapsed),
        source=scenario.source(name),
        terms=terms_of(scenario.texts.tasks[name], times, elapsed, results.sent(team, name)),
    )


def _hint_views(
    scenario: TeamScenario, team: TeamId, name: str, results: Results, elapsed: timedelta
) -> tuple[HintView, ...]:
    task = scenario.task(name)
    opened = results.times(team, task).opened
    taken = {row.hint: row for row in results.hints.get((team, name), ())}
    views = []
    for number, hint in enumerate(scenario.hints(name), start=1):
        row = taken.get(number)
        opens_at = opened + hint.after if opened is not None else None
        views.append(
            HintView(
                number=number,
                milli_points=hint.cost * MILLI,
                at_once=hint.charge == AT_ONCE,
                opens_at=opens_at,
                is_open=opens_at is not None and elapsed >= opens_at,
                text=scenario.shown(hint.text) if row is not None else "",
                taken_at=row.taken_at if row is not None else None,
                taken_by=UserId(row.user_id) if row is not None else None,
            )
        )
    return tuple(views)


def _check_view(
    scenario: TeamScenario, team: TeamId, task: Task, check: str, results: Results
) -> CheckView:
    alone = task.partial.get(check, 0) if isinstance(task, ChecksTask) else 0
    state = results.state(team, check)
    return CheckView(
        check=check,
        title=scenario.check_title(check),
        verdict=state.verdict,
        passing_since=state.passing_since,
        held=state.held,
        hold=scenario.scenario.checks[check].hold,
        milli_points=alone * MILLI,
        missed=state.missed,
    )
