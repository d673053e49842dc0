"""The items of an exercise for item analysis: what each team made of each task."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction

from core.ids import TeamId
from core.scenario.schema_tasks import GuardTask, SolvableTask, Task
from orchestrator.domain.exercise import Exercise, Team
from scoring.domain.item_analysis import Item, Outcome, analysed
from scoring.records.record import ObjectiveRecord, TaskRecord, TeamRecord
from scoring.results import Results

SOLVED_FROM = Fraction(3, 5)
"""The share of points from which a task that is never solved as such counts as solved, unless its
objective has a pass mark."""

Wrong = Mapping[tuple[str, str], Sequence[str]]


def items_of(
    exercise: Exercise,
    tasks: Mapping[str, Task],
    records: Sequence[TeamRecord],
    results: Results,
    wrong: Wrong,
) -> tuple[Item, ...]:
    """Return the analysis of each task but guards; `wrong` is (team, task) → wrong answers."""
    teams = [
        (team, record, {task.task: task for task in record.tasks})
        for team, record in zip(exercise.teams, records, strict=True)
    ]
    return tuple(
        analysed(
            name,
            [
                outcome
                for team, record, found in teams
                if (outcome := _outcome(exercise, team, record, found[name], task, results, wrong))
            ],
        )
        for name, task in tasks.items()
        if not isinstance(task, GuardTask)
    )


def _outcome(
    exercise: Exercise,
    team: Team,
    record: TeamRecord,
    found: TaskRecord,
    task: Task,
    results: Results,
    wrong: Wrong,
) -> Outcome | None:
    opened = results.times(team.id, task).opened
    if opened is None or (task.points and not found.of_milli_points):
        return None
    share = _share(found)
    return Outcome(
        team=team.slug,
        solved=_solved(task, found, share, record.objectives),
        share=share,
        rest=record.milli_points - found.milli_points,
        took=_took(exercise, team.id, found, opened),
        attempts=found.attempts,
        wrong=tuple(wrong.get((team.id, found.task), ())),
        hints=len(found.hints),
    )


def _share(task: TaskRecord) -> Fraction:
    if not task.of_milli_points:
        return Fraction(task.solved_at is not None)
    return min(max(Fraction(task.milli_points, task.of_milli_points), Fraction(0)), Fraction(1))


def _solved(
    task: Task, found: TaskRecord, share: Fraction, objectives: Sequence[ObjectiveRecord]
) -> bool:
    if isinstance(task, SolvableTask):
        return found.solved_at is not None
    mine = (o.pass_mark for o in objectives if o.objective == task.objective)
    return share >= next(mine, SOLVED_FROM)


def _took(
    exercise: Exercise, team: TeamId, task: TaskRecord, opened: timedelta
) -> timedelta | None:
    if task.solved_at is None:
        return None
    return max(exercise.elapsed(task.solved_at, team) - opened, timedelta())
