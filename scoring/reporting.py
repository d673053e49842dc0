"""After-action reports, signals and stuck teams: everything is read and worked out anew."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from core.clock import Clock
from core.db import Database
from core.ids import TeamId
from core.scenario.fields import is_template
from core.scenario.schema import Scenario
from core.scenario.schema_answers import ChoiceAnswer
from core.scenario.schema_tasks import FlagTask, QuestionTask
from core.users.rows import login_names
from orchestrator.domain.exercise import Exercise, Team
from orchestrator.domain.phases import Phase
from scoring.chronicle import Chronicle
from scoring.domain.attempts import AnswerVerdict
from scoring.domain.integrity import (
    Answered,
    Evidence,
    Known,
    SignalKind,
    Suspicion,
    suspicions,
)
from scoring.domain.stuck import Stuck, stuck
from scoring.improving import Improving
from scoring.ports import Exercises
from scoring.reading import Reading
from scoring.records.items import items_of
from scoring.records.record import record_of
from scoring.records.report import (
    Report,
    areas,
    rated_competencies,
    rated_objectives,
    strengths,
)
from scoring.records.timeline import Moment, of_team
from scoring.report_repository import first_acts, last_tries, submissions
from scoring.repository import ScoreRepository
from scoring.results import Results, results_of
from scoring.surveying import Surveying
from scoring.tables import SubmissionRow
from scoring.team_scenario import TeamScenario
from scoring.views import TaskState

_OPEN = frozenset({TaskState.OPEN, TaskState.HOLDING})


class Reporting:
    """Reports of exercises."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        exercises: Exercises,
        chronicle: Chronicle,
        improving: Improving,
        surveying: Surveying,
    ) -> None:
        self._database = database
        self._clock = clock
        self._exercises = exercises
        self._chronicle = chronicle
        self._improving = improving
        self._surveying = surveying
        self._reading = Reading(database, clock, exercises)

    def timeline(self, exercise: Exercise, team: str = "") -> tuple[Moment, ...]:
        """Return all that happened in an exercise, or that concerned a team, oldest first."""
        found = self._chronicle.timeline(exercise)
        return of_team(found, team) if team else found

    def report(self, exercise: Exercise, *, team: str = "", signals: bool = False) -> Report:
        """Return the after-action report as of now: of an exercise or of one team, by its slug.

        That of a team says nothing of others: it has neither signals nor the analysis of items.
        """
        scenarios = {t.id: TeamScenario.of(self._exercises, exercise, t) for t in exercise.teams}
        results, sent = self._read(exercise)
        now = self._clock.now()
        record = record_of(exercise, scenarios, results, now=now)
        one = next(iter(scenarios.values()))
        items = items_of(exercise, one.scenario.tasks, record.teams, results, _wrong(sent))
        teams = tuple(t for t in record.teams if team in {"", t.team})
        titles = {task.task: task.title for task in teams[0].tasks}
        objectives = rated_objectives(teams)
        timeline = self.timeline(exercise, team)
        shown = () if team else items
        return Report(
            record=replace(record, teams=teams),
            team=team,
            made_at=now,
            summary=one.texts.scenario.summary or "",
            teams=teams,
            objectives=objectives,
            competencies=rated_competencies(
                objectives, {k: c.title for k, c in one.texts.competencies.items()}
            ),
            strengths=strengths(objectives, shown, titles),
            areas=areas(objectives, shown, titles, timeline),
            actions=self._improving.plan(exercise, team),
            items=shown,
            titles=titles,
            timeline=timeline,
            survey=self._surveying.results(exercise, team),
            signals=self._signals(exercise, results, sent) if signals and not team else None,
        )

    def signals(self, exercise: Exercise) -> tuple[Suspicion, ...]:
        """Return what looks odd, with its evidence. Not for trainees; no proof, no penalty."""
        return self._signals(exercise, *self._read(exercise))

    def _signals(
        self, exercise: Exercise, results: Results, sent: Sequence[SubmissionRow]
    ) -> tuple[Suspicion, ...]:
        scenario = self._exercises.scenario(exercise).scenario
        with self._database.reading() as session:
            people = login_names(session, {row.user_id for row in sent})
        teams: Mapping[str, Team] = {team.id: team for team in exercise.teams}
        answers = [
            _answered(exercise, teams[row.team_id], scenario, row, people)
            for row in sent
            if row.attempt is not None
        ]
        known = Known(
            teams=len(exercise.teams),
            opened=_opened(exercise, scenario, results),
            first_act=self._first_acts(exercise, scenario),
            needs_host=_needs_host(scenario),
        )
        return (*self._foreign(exercise, people), *suspicions(answers, known))

    def stuck(self, exercise: Exercise) -> tuple[Stuck, ...]:
        """Return the teams that run and have had no progress for STUCK_AFTER of their clock."""
        running = [t for t in exercise.teams if exercise.phase_for(t) is Phase.RUNNING]
        if not running:
            return ()
        with self._database.reading() as session:
            solves = ScoreRepository(session).solves([t.id for t in running])
            tried = last_tries(session, [t.id for t in running])
        solved = defaultdict[TeamId, list[datetime]](list)
        for (team_id, _), row in solves.items():
            solved[TeamId(team_id)].append(row.solved_at)
        # For all of them at once, and only if any had no progress.
        results = cache(lambda: self._reading.results(*running))
        found = (
            self._stuck(exercise, team, solved[team.id], tried.get(team.id), results)
            for team in running
        )
        return tuple(one for one in found if one is not None)

    def _stuck(
        self,
        exercise: Exercise,
        team: Team,
        solved: Sequence[datetime],
        tried: datetime | None,
        results: Callable[[], Results],
    ) -> Stuck | None:
        return stuck(
            team.slug,
            now=exercise.elapsed(self._clock.now(), team.id),
            progress=[exercise.elapsed(at, team.id) for at in solved],
            tries=[exercise.elapsed(tried, team.id)] if tried is not None else [],
            open_tasks=lambda: [
                view.task
                for view in self._reading.views(exercise, team, results())
                if view.state in _OPEN and view.kind not in {"availability", "guard", "rubric"}
            ],
        )

    def _read(self, exercise: Exercise) -> tuple[Results, list[SubmissionRow]]:
        teams = [team.id for team in exercise.teams]
        with self._database.snapshot() as session:
            return results_of(session, teams), submissions(session, teams)

    def _foreign(self, exercise: Exercise, people: Mapping[str, str]) -> tuple[Suspicion, ...]:
        return tuple(
            Suspicion(
                kind=SignalKind.FOREIGN,
                teams=(signal.team, signal.owner),
                what=f"{signal.value} of {signal.owner} was sent for {signal.task}",
                evidence=(
                    Evidence(
                        team=signal.team,
                        who=people.get(signal.user, ""),
                        task=signal.task,
                        at=signal.at,
                        elapsed=_elapsed(exercise, signal.team, signal.at),
                        text=f"it is {signal.value} of {signal.owner}",
                    ),
                ),
            )
            for signal in self._reading.signals(exercise)
        )

    def _first_acts(self, exercise: Exercise, scenario: Scenario) -> Mapping[str, datetime | None]:
        """Return when each team first did something in a host; nothing where it may be unseen."""
        entered = {entry.host for entry in scenario.access}
        unseen = [h for h in entered if not scenario.hosts[h].record.commands]
        if not entered or unseen:
            return {}
        with self._database.reading() as session:
            found = first_acts(session, [team.id for team in exercise.teams])
        return {team.slug: found.get(team.id) for team in exercise.teams}


def _wrong(sent: Sequence[SubmissionRow]) -> Mapping[tuple[str, str], list[str]]:
    wrong: dict[tuple[str, str], list[str]] = {}
    for row in sent:
        if row.verdict == AnswerVerdict.WRONG:  # never a secret of another team
            wrong.setdefault((row.team_id, row.task), []).append(row.value)
    return wrong


def _answered(
    exercise: Exercise,
    team: Team,
    scenario: Scenario,
    row: SubmissionRow,
    people: Mapping[str, str],
) -> Answered:
    task = scenario.tasks[row.task]
    picked = isinstance(task, QuestionTask) and isinstance(task.answer, ChoiceAnswer)
    return Answered(
        team=team.slug,
        who=people.get(row.user_id, ""),
        task=row.task,
        text=row.value,
        right=row.verdict == AnswerVerdict.CORRECT,
        at=row.received_at,
        elapsed=exercise.elapsed(row.received_at, team.id),
        typed=not picked,
    )


def _opened(
    exercise: Exercise, scenario: Scenario, results: Results
) -> Mapping[tuple[str, str], timedelta]:
    opened = {
        (team.slug, name): results.times(team.id, task).opened
        for team in exercise.teams
        for name, task in scenario.tasks.items()
    }
    return {key: at for key, at in opened.items() if at is not None}


def _needs_host(scenario: Scenario) -> frozenset[str]:
    """Return the tasks whose right answer differs between teams: it lies in their worlds."""
    return frozenset(
        name
        for name, task in scenario.tasks.items()
        if isinstance(task, FlagTask)
        or (isinstance(task, QuestionTask) and is_template(task.answer.model_dump_json()))
    )


def _elapsed(exercise: Exercise, slug: str, at: datetime) -> timedelta:
    team = exercise.team(slug)
    return exercise.elapsed(at, team.id if team is not None else None)
