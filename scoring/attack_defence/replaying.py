"""The proof that rounds follow from what was seen and taken in them: all of them, once more."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from core.ids import TeamId
from core.scenario.schema import Scenario
from orchestrator.domain.exercise import Exercise
from scoring.attack_defence.closing import Tallies, game_of, replayed
from scoring.attack_defence.repository import AttackDefenceRepository, Round
from scoring.attack_defence.rounds import moved
from scoring.domain.ledger import Cause, Fact
from scoring.facts import facts_of


def differing_rounds(session: Session, exercise: Exercise, scenario: Scenario) -> tuple[int, ...]:
    """Return the rounds whose tallies, or points in the ledger, do not follow from their facts."""
    repository = AttackDefenceRepository(session)
    booked = {
        (team.id, fact.id): fact.ruling
        for team in exercise.teams
        for fact in facts_of(session, team.id, Cause.SERVICE_ROUND)
    }
    differing = []
    for closed, before, after in _rounds(session, exercise, scenario):
        derived = {(team, fact.id): fact.ruling for team, fact in _moved(closed, before, after)}
        there = {key: ruling for key, ruling in booked.items() if key[1] == closed.id}
        if derived != there or repository.tallies(closed) != after:
            differing.append(closed.number)
    return tuple(differing)


def remake_tallies(session: Session, exercise: Exercise, scenario: Scenario) -> None:
    """Drop what is kept of rounds and make it from their facts again."""
    repository = AttackDefenceRepository(session)
    repository.drop_tallies(exercise.id)
    for closed, _, after in _rounds(session, exercise, scenario):
        repository.keep_tallies(closed, after)


def _rounds(
    session: Session, exercise: Exercise, scenario: Scenario
) -> Iterator[tuple[Round, Tallies, Tallies]]:
    before: Tallies = {}
    game, repository = game_of(exercise, scenario), AttackDefenceRepository(session)
    for closed, after in replayed(game, repository, exercise.id):
        yield closed, before, after
        before = after


def _moved(closed: Round, before: Tallies, after: Tallies) -> Iterator[tuple[TeamId, Fact]]:
    assert closed.closed_at is not None  # a round that is closed was closed at some time
    return moved(closed, before, after, at=closed.closed_at, elapsed=closed.deadline)
