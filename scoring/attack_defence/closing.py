"""Closing a round: now, from what is kept at hand, and in a replay, from the facts alone."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from core.ids import ExerciseId, TeamId
from core.scenario.schema import Scenario
from orchestrator.domain.exercise import Exercise
from scoring.attack_defence.repository import AttackDefenceRepository, Round
from scoring.domain.attack_defence.game import (
    Field,
    Game,
    Past,
    Place,
    RoundFacts,
    Tally,
    points_of,
    ranks,
)
from scoring.domain.attack_defence.presets import PRESETS
from scoring.domain.verdicts import Verdict

Tallies = Mapping[Place, Tally]


def game_of(exercise: Exercise, scenario: Scenario) -> Game:
    """Return an exercise's rules and who plays."""
    return Game(
        preset=PRESETS[scenario.scoring.preset],
        field=Field(
            teams=tuple(team.id for team in exercise.teams),
            services=tuple(scenario.services),
            unranked=frozenset(team.id for team in exercise.teams if team.reference),
        ),
    )


def close_now(
    game: Game, repository: AttackDefenceRepository, exercise: ExerciseId, closing: Round
) -> tuple[Tallies, Tallies]:
    """Return what every service had before a round, and what it has after it."""
    facts = _facts(repository, exercise, closing)
    before = repository.tallies(repository.last_closed(exercise, before=closing.number))
    return before, game.close(before, facts, _past(game, repository, exercise, facts))


def replayed(
    game: Game, repository: AttackDefenceRepository, exercise: ExerciseId
) -> Iterator[tuple[Round, Tallies]]:
    """Yield every closed round with what every service has after it, from the facts alone."""
    tallies: Tallies = {}
    verdicts: dict[int, Mapping[Place, Verdict]] = {}
    began_at: dict[int, Mapping[TeamId, int]] = {}
    for closed in repository.closed_rounds(exercise):
        if tallies:
            began_at[closed.number] = _ranks(game, tallies)
        facts = _facts(repository, exercise, closed)
        tallies = game.close(tallies, facts, Past(verdicts=verdicts, ranks=began_at))
        verdicts[closed.number] = facts.verdicts
        yield closed, tallies


def _facts(repository: AttackDefenceRepository, exercise: ExerciseId, closing: Round) -> RoundFacts:
    return RoundFacts(
        number=closing.number,
        looks=repository.looks(exercise, closing.number),
        taken=repository.taken(exercise, closing.number),
        whole=closing.whole,
    )


def _past(
    game: Game, repository: AttackDefenceRepository, exercise: ExerciseId, facts: RoundFacts
) -> Past:
    """Return what there is to know of the rounds in which the flags were issued."""
    if not game.preset.looks_back:
        return Past()
    issued = {flag.round for flag in facts.taken}
    verdicts: dict[int, Mapping[Place, Verdict]] = {}
    began_at: dict[int, Mapping[TeamId, int]] = {}
    for number in sorted(issued):
        earlier = repository.tallies(repository.last_closed(exercise, before=number))
        if earlier:
            began_at[number] = _ranks(game, earlier)
        if number != facts.number:
            seen = RoundFacts(number=number, looks=repository.looks(exercise, number))
            verdicts[number] = seen.verdicts
    return Past(verdicts=verdicts, ranks=began_at)


def _ranks(game: Game, tallies: Tallies) -> dict[TeamId, int]:
    points = points_of(tallies.items())
    return ranks({team: points[team] for team in game.field.ranked})


def cut_short(closing: Round) -> Round:
    """Return a round that the end of the exercise closes before its deadline."""
    return replace(closing, whole=False)
