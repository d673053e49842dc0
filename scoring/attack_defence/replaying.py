"""Rounds, played once more from what was seen and taken in them: to prove, remake and correct."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from sqlalchemy.orm import Session

from core.ids import TeamId
from core.scenario.schema import Scenario
from orchestrator.domain.exercise import Exercise
from scoring.attack_defence.closing import (
    Tallies,
    defective_checkers,
    game_of,
    replayed,
    spoilt_rounds,
)
from scoring.attack_defence.repository import AttackDefenceRepository, Round
from scoring.attack_defence.rounds import moved
from scoring.domain.amending import Amendments
from scoring.domain.amendments import Defective
from scoring.domain.attack_defence.entries import round_ruling
from scoring.domain.ledger import Cause, Fact, Ruling
from scoring.facts import facts_of

_BEARING = (Cause.SERVICE_ROUND, Cause.CORRECTION)
_Played = tuple[Round, Tallies, Tallies]
"""A round with what every service had before it, and has after it."""
_Moves = Mapping[TeamId, Mapping[str, Fact]]
"""What each round moved of each team, by the round's id."""


def differing_rounds(session: Session, exercise: Exercise, scenario: Scenario) -> tuple[int, ...]:
    """Return the rounds whose tallies, or points in the ledger, do not follow from their facts."""
    differing = set[int]()
    kept = AttackDefenceRepository(session).tallies

    def compared(rounds: Iterable[_Played]) -> Iterator[_Played]:
        for closed, before, after in rounds:
            if kept(closed) != after:
                differing.add(closed.number)
            yield closed, before, after

    now = defective_checkers(session, exercise)
    found = {now: _moves(exercise, compared(_rounds(session, exercise, scenario, now)))}

    def moves(defective: tuple[Defective, ...]) -> _Moves:
        if defective not in found:
            found[defective] = _moves(exercise, _rounds(session, exercise, scenario, defective))
        return found[defective]

    for team in exercise.teams:
        differing.update(_differing(team.id, facts_of(session, team.id, *_BEARING), moves))
    return tuple(sorted(differing))


def remake_tallies(session: Session, exercise: Exercise, scenario: Scenario) -> None:
    """Drop what is kept of rounds and make it from their facts again."""
    repository = AttackDefenceRepository(session)
    repository.drop_tallies(exercise.id)
    defective = defective_checkers(session, exercise)
    for closed, _, after in _rounds(session, exercise, scenario, defective):
        repository.keep_tallies(closed, after)


def restated(
    session: Session, exercise: Exercise, scenario: Scenario, corrections: Mapping[TeamId, Fact]
) -> dict[TeamId, tuple[Fact, ...]]:
    """Return corrections that say what rounds move now, one for each team.

    A round that did not move a team is no fact of it: when a correction moves it, the fact comes
    before the correction.
    """
    defective = defective_checkers(session, exercise, next(iter(corrections.values())))
    moves = _moves(exercise, _rounds(session, exercise, scenario, defective))
    return {
        team: _restated(correction, facts_of(session, team, *_BEARING), moves[team])
        for team, correction in corrections.items()
    }


def _restated(
    correction: Fact, facts: Iterable[Fact], moves: Mapping[str, Fact]
) -> tuple[Fact, ...]:
    assert correction.decided is not None  # corrections are decided
    stand: dict[str, Ruling] = {}
    for fact in facts:
        stand |= _standing(fact)
    changed = {
        id_: _points(_ruling(moves.get(id_)))
        for id_ in dict.fromkeys((*stand, *moves))
        if stand.get(id_) != _ruling(moves.get(id_))
    }
    unmoved = [moves[id_]._replace(ruling=round_ruling(0)) for id_ in changed if id_ not in stand]
    decided = correction.decided.model_copy(update={"rounds": changed})
    return (*unmoved, correction._replace(decided=decided))


def _differing(
    team: TeamId, facts: Iterable[Fact], moves: Callable[[tuple[Defective, ...]], _Moves]
) -> Iterator[int]:
    """Yield the rounds that did not move a team as they should have, by the corrections then."""
    numbers: dict[str, int] = {}
    stand: dict[str, Ruling] = {}
    corrections: list[Fact] = []
    wanted = moves(())[team]
    for fact in facts:
        new = _standing(fact)
        stand |= new
        if fact.cause is Cause.SERVICE_ROUND:
            numbers[fact.id] = fact.number
        else:
            corrections.append(fact)
            wanted, new = moves(Amendments.of(corrections).checkers)[team], stand
        yield from (numbers[id_] for id_ in new if stand[id_] != _ruling(wanted.get(id_)))
    yield from (fact.number for id_, fact in wanted.items() if id_ not in stand)


def _standing(fact: Fact) -> dict[str, Ruling]:
    """Return what rounds move by a fact of a round, or of a correction."""
    if fact.decided is not None:
        return {id_: round_ruling(points) for id_, points in fact.decided.rounds.items()}
    return {fact.id: _ruling(fact)} if fact.cause is Cause.SERVICE_ROUND else {}


def _ruling(fact: Fact | None) -> Ruling:
    return fact.ruling if fact is not None and fact.ruling is not None else round_ruling(0)


def _points(ruling: Ruling) -> int:
    return sum(grant.milli_points for grant in ruling.grants)


def _moves(exercise: Exercise, rounds: Iterable[_Played]) -> _Moves:
    moves: dict[TeamId, dict[str, Fact]] = {team.id: {} for team in exercise.teams}
    for closed, before, after in rounds:
        assert closed.closed_at is not None  # a round that is closed was closed at some time
        for team, fact in moved(
            closed, before, after, at=closed.closed_at, elapsed=closed.deadline
        ):
            moves[team][fact.id] = fact
    return moves


def _rounds(
    session: Session, exercise: Exercise, scenario: Scenario, defective: Sequence[Defective]
) -> Iterator[_Played]:
    before: Tallies = {}
    game, repository = game_of(exercise, scenario), AttackDefenceRepository(session)
    spoilt = spoilt_rounds(session, exercise, scenario, defective)
    for closed, after in replayed(game, repository, exercise.id, spoilt):
        yield closed, before, after
        before = after
