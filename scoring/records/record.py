"""The training record of an exercise: what each team achieved, by task and by objective.

It is the criterion score: the share of each objective's points. Ranking, ties and anything else of
the game never enter it. Points are in thousandths.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from core.ids import ExerciseId, TeamId, UserId
from core.scenario.schema_tasks import FeedTask, Objective, RubricTask, Task
from orchestrator.domain.clock import Tick
from orchestrator.domain.exercise import Exercise, Member, Team
from orchestrator.domain.phases import OVER
from scoring.domain.ledger import MILLI, Fact
from scoring.results import Results
from scoring.team_scenario import TeamScenario

_SolvedBy = Mapping[tuple[str, str | None], Sequence[str]]
"""(team, user) → the tasks that they solved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HintRecord:
    """A hint of a task that a team took, by its number there, and what it costs at most."""

    hint: int
    milli_points: int
    taken_at: datetime
    taken_by: UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """What a team achieved in a task.

    `share` is for availability only. A task with a check that could never be carried out, or that
    nobody marked or fed, has `of_milli_points` 0: it counts on neither side.
    """

    task: str
    title: str
    kind: str
    objective: str | None
    milli_points: int
    of_milli_points: int
    attempts: int
    solved_at: datetime | None
    solved_by: UserId | None
    share: Fraction | None
    hints: tuple[HintRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveRecord:
    """How much of an objective's positive points a team has: nothing of them at least, all at most.

    `None` where nothing could be assessed.
    """

    objective: str
    title: str
    competency: str
    share: Fraction | None
    pass_mark: Fraction
    passed: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRecord:
    """A person of the team: the tasks whose right answer they sent, and their wrong answers."""

    user: UserId
    name: str
    role: str
    solved: tuple[str, ...]
    wrong_answers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionRecord:
    """A correction that two people decided on: its id, kind and reason."""

    correction: str
    kind: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamRecord:
    """What a team achieved, and who was in it. Its objectives are those of each member."""

    team: str
    name: str
    members: tuple[MemberRecord, ...]
    milli_points: int
    of_milli_points: int
    tasks: tuple[TaskRecord, ...]
    objectives: tuple[ObjectiveRecord, ...]
    corrections: tuple[CorrectionRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """An exercise's results as of ledger entry `upto_entry`; provisional until `final`.

    `ran` is exercise time: pauses do not count.
    """

    exercise: ExerciseId
    name: str
    scenario: str
    scenario_version: str
    scenario_title: str
    scenario_digest: str
    started_at: datetime | None
    ended_at: datetime | None
    ran: timedelta
    final: bool
    upto_entry: int
    competencies: Mapping[str, str]
    teams: tuple[TeamRecord, ...]


def record_of(
    exercise: Exercise,
    scenarios: Mapping[TeamId, TeamScenario],
    results: Results,
    *,
    now: datetime,
) -> TrainingRecord:
    """Put together what an exercise's teams achieved; `scenarios` holds it for each team."""
    ticks = {event.tick: event.at for event in exercise.clock}
    competencies = next(iter(scenarios.values())).scenario.competencies if scenarios else {}
    solved = _solved_by(results)
    return TrainingRecord(
        exercise=exercise.id,
        name=exercise.name,
        scenario=exercise.scenario_id,
        scenario_version=exercise.scenario_version,
        scenario_title=exercise.scenario_title,
        scenario_digest=exercise.scenario_digest,
        started_at=ticks.get(Tick.START),
        ended_at=ticks.get(Tick.END),
        ran=exercise.elapsed(now),
        final=exercise.phase in OVER,
        upto_entry=results.upto_entry,
        competencies={name: c.title for name, c in competencies.items()},
        teams=tuple(
            _team_record(team, scenarios[team.id], results, solved) for team in exercise.teams
        ),
    )


def _solved_by(results: Results) -> _SolvedBy:
    solved = defaultdict[tuple[str, str | None], list[str]](list)
    for (team, task), solve in results.solves.items():
        solved[team, solve.user_id].append(task)
    return solved


def _team_record(
    team: Team, scenario: TeamScenario, results: Results, solved: _SolvedBy
) -> TeamRecord:
    tasks = tuple(
        _task_record(team, name, task, scenario, results)
        for name, task in scenario.scenario.tasks.items()
    )
    return TeamRecord(
        team=team.slug,
        name=team.name,
        members=tuple(_member_record(team, member, results, solved) for member in team.members),
        milli_points=sum(t.milli_points for t in tasks),
        of_milli_points=sum(max(0, t.of_milli_points) for t in tasks),
        tasks=tasks,
        objectives=tuple(
            _objective_record(name, objective, scenario, tasks)
            for name, objective in scenario.scenario.objectives.items()
        ),
        corrections=tuple(map(_correction_record, results.corrections.get(team.id, ()))),
    )


def _correction_record(fact: Fact) -> CorrectionRecord:
    assert fact.decided is not None  # corrections are decided
    return CorrectionRecord(
        correction=fact.id,
        kind=fact.decided.amendment.kind,
        reason=fact.decided.reason,
        at=fact.at,
    )


def _task_record(
    team: Team, name: str, task: Task, scenario: TeamScenario, results: Results
) -> TaskRecord:
    solve = results.solves.get((team.id, name))
    rounds = results.rounds(team.id, task)
    was_scored = (
        (team.id, name) in results.marked
        if isinstance(task, RubricTask)
        else all(results.state(team.id, c).rounds.scored for c in scenario.checks_of(task))
    )
    if isinstance(task, FeedTask):
        was_scored = (team.id, name) in results.points
    return TaskRecord(
        task=name,
        title=scenario.title(name),
        kind=task.kind,
        objective=task.objective,
        milli_points=results.points.get((team.id, name), 0),
        of_milli_points=results.of_points(team.id, name, task) if was_scored else 0,
        attempts=results.attempts.get((team.id, name), 0),
        solved_at=solve.solved_at if solve is not None else None,
        solved_by=UserId(solve.user_id) if solve is not None and solve.user_id else None,
        share=rounds.share if rounds is not None else None,
        hints=tuple(
            HintRecord(
                hint=row.hint,
                milli_points=scenario.hints(name)[row.hint - 1].cost * MILLI,
                taken_at=row.taken_at,
                taken_by=UserId(row.user_id),
            )
            for row in results.hints.get((team.id, name), ())
        ),
    )


def _member_record(team: Team, member: Member, results: Results, solved: _SolvedBy) -> MemberRecord:
    return MemberRecord(
        user=member.user,
        name=member.name,
        role=member.role,
        solved=tuple(sorted(solved.get((team.id, member.user), ()))),
        wrong_answers=results.wrong_answers.get((team.id, member.user), 0),
    )


def _objective_record(
    name: str, objective: Objective, scenario: TeamScenario, tasks: Sequence[TaskRecord]
) -> ObjectiveRecord:
    mine = [t for t in tasks if t.objective == name]
    of = sum(max(0, t.of_milli_points) for t in mine)
    has = sum(t.milli_points for t in mine)
    share = min(Fraction(max(0, has), of), Fraction(1)) if of else None
    return ObjectiveRecord(
        objective=name,
        title=scenario.shown(objective.title or name),
        competency=objective.competency,
        share=share,
        pass_mark=objective.pass_,
        passed=None if share is None else share >= objective.pass_,
    )
