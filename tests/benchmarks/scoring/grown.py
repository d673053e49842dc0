"""An exercise of any size that is under way on SQLite, written in bulk, as it would have been."""

import random
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from api.bootstrap import Services, assemble
from core.db import Base
from core.settings import Settings
from orchestrator.domain.exercise import Exercise, Team
from scoring.domain.attempts import AnswerVerdict
from scoring.domain.chain import GENESIS
from scoring.domain.ledger import MILLI, Cause, Fact, solved
from scoring.facts import fact_values
from scoring.ledger import link_values
from scoring.tables import FactRow, ScoreEntryRow, SolveRow, SubmissionRow
from tests.benchmarks.scoring.served_site import under_way
from tests.fakes.clock import FakeClock
from tests.fakes.fake_engine import FakeEngine
from tests.fakes.queue import RecordingQueue
from tests.fakes.scoring_stage import create_tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Grown:
    """A site's services, and the exercise on it that has the size."""

    services: Services
    exercise: Exercise


@contextmanager
def grown(*, teams: int, tasks: int, solves: int) -> Iterator[Grown]:
    """Lend an exercise in which so many tasks were solved in an hour, evenly over teams.

    A third of the solves follows a wrong answer. The answer to task `ask_N` is `this N`.
    """
    with tempfile.TemporaryDirectory(prefix="poligon-bench-") as folder:
        clock = FakeClock()
        settings = Settings(
            home=Path(folder) / "home", answers_per_person=10**6, answers_per_team=10**6
        )
        services = assemble(
            settings, clock=clock, queue=RecordingQueue(), engine=FakeEngine(clock=clock)
        )
        create_tables(services.database)
        exercise = under_way(
            services.exercises, services.database, Path(folder), teams=teams, tasks=tasks
        )
        with services.database.engine.begin() as connection:
            for team in exercise.teams:
                each = (solves + team.number - 1) // teams
                for row, values in _written(exercise, team, each).items():
                    if values:
                        connection.execute(insert(row), values)
        services.proving.rebuild(exercise)
        clock.advance(timedelta(hours=1, minutes=30))  # so that every team is stuck
        try:
            yield Grown(services=services, exercise=services.exercises.get(exercise.id))
        finally:
            services.close()


def _written(
    exercise: Exercise, team: Team, solves: int
) -> Mapping[type[Base], list[dict[str, Any]]]:
    """Return the rows of a team's answers, and of what follows from them."""
    begun = exercise.clock[0].at
    sent: list[Fact] = []
    chance = random.Random(team.number)  # a workload, no secret
    for task, second in enumerate(sorted(chance.uniform(0, 3600) for _ in range(solves))):
        at = begun + timedelta(seconds=second)
        wrong = [AnswerVerdict.WRONG] if task % 3 == 0 else []
        for attempt, outcome in enumerate([*wrong, AnswerVerdict.CORRECT], start=1):
            sent.append(
                Fact(
                    Cause.SUBMISSION,
                    f"{team.number:05}{len(sent):07}",
                    at,
                    team.members[0].user,
                    f"ask_{task}",
                    attempt,
                    outcome,
                    at - begun,
                )
            )
    right = [fact for fact in sent if fact.outcome == AnswerVerdict.CORRECT]
    entries: list[dict[str, Any]] = []
    for position, fact in enumerate(right, start=1):
        entry = solved(team.id, fact.subject, milli_points=10 * MILLI, fact=fact)
        former = entries[-1]["hash"] if entries else GENESIS
        entries.append(
            link_values(
                exercise.id,
                entry,
                position=position,
                prev_hash=former,
                reverses=None,
                recorded_at=fact.at,
            )
        )
    return {
        SubmissionRow: [_submission(exercise, team, fact) for fact in sent],
        FactRow: [
            {**fact_values(exercise.id, team.id, fact), "position": position}
            for position, fact in enumerate(sent, start=1)
        ],
        SolveRow: [
            {
                "team_id": team.id,
                "task": fact.subject,
                "exercise_id": exercise.id,
                "user_id": fact.user,
                "cause_type": fact.cause,
                "cause_id": fact.id,
                "solved_at": fact.at,
            }
            for fact in right
        ],
        ScoreEntryRow: entries,
    }


def _submission(exercise: Exercise, team: Team, fact: Fact) -> dict[str, Any]:
    number = fact.subject.removeprefix("ask_")
    right = fact.outcome == AnswerVerdict.CORRECT
    return {
        "id": fact.id,
        "exercise_id": exercise.id,
        "team_id": team.id,
        "user_id": fact.user,
        "task": fact.subject,
        "client_key": fact.id,
        "value": f"this {number}" if right else f"that {team.number}",
        "verdict": fact.outcome,
        "attempt": fact.number,
        "attempts_left": None,
        "milli_points": 10 * MILLI if right else 0,
        "received_at": fact.at,
    }
