"""Closing a round: now, from what is kept at hand, and in a replay, from the facts alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from core.ids import ExerciseId, TeamId
from core.scenario.schema import Scenario
from orchestrator.domain.exercise import Exercise
from scoring.attack_defence.repository import AttackDefenceRepository, Round
from scoring.domain.amending import Amendments
from scoring.domain.amendments import Defective
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
from scoring.domain.attack_defence.spoilt import Spoilt
from scoring.domain.ledger import Cause, Fact
from scoring.domain.verdicts import Verdict
from scoring.facts import facts_of

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


def defective_checkers(session: Session, exercise: Exercise, *also: Fact) -> tuple[Defective, ...]:
    """Return which checkers were defective, by the corrections so far and `also` these.

    Such a correction is a fact of every team: any of them tells.
    """
    corrections = facts_of(session, exercise.teams[0].id, Cause.CORRECTION)
    return Amendments.of((*corrections, *also)).checkers


def spoilt_rounds(
    session: Session, exercise: Exercise, scenario: Scenario, defective: Sequence[Defective]
) -> Spoilt:
    """Return what defective checkers spoilt of the rounds that are closed."""
    if not defective:
        return Spoilt()
    closed = AttackDefenceRepository(session).closed_rounds(exercise.id)
    return Spoilt.of(
        {
            name: {
                each.number
                for each in closed
                for wrong in defective
                if wrong.service == name
                and each.closed_at is not None
                and wrong.meets(each.opened_at, each.closed_at)
            }
            for name in scenario.services
        },
        {name: service.flag.lives for name, service in scenario.services.items()},
    )


def close_now(
    game: Game,
    repository: AttackDefenceRepository,
    exercise: ExerciseId,
    closing: Round,
    spoilt: Spoilt,
) -> tuple[Tallies, Tallies]:
    """Return what every service had before a round, and what it has after it."""
    facts = _facts(repository, exercise, closing, spoilt)
    before = repository.tallies(repository.last_closed(exercise, before=closing.number))
    return before, game.close(before, facts, _past(game, repository, exercise, facts, spoilt))


def replayed(
    game: Game, repository: AttackDefenceRepository, exercise: ExerciseId, spoilt: Spoilt
) -> Iterator[tuple[Round, Tallies]]:
    """Yield every closed round with what every service has after it, from the facts alone."""
    tallies: Tallies = {}
    verdicts: dict[int, Mapping[Place, Verdict]] = {}
    began_at: dict[int, Mapping[TeamId, int]] = {}
    for closed in repository.closed_rounds(exercise):
        if tallies:
            began_at[closed.number] = _ranks(game, tallies)
        facts = _facts(repository, exercise, closed, spoilt)
        tallies = game.close(tallies, facts, Past(verdicts=verdicts, ranks=began_at))
        verdicts[closed.number] = facts.verdicts
        yield closed, tallies


def _facts(
    repository: AttackDefenceRepository, exercise: ExerciseId, closing: Round, spoilt: Spoilt
) -> RoundFacts:
    return RoundFacts(
        number=closing.number,
        looks=spoilt.counted(closing.number, repository.looks(exercise, closing.number)),
        taken=repository.taken(exercise, closing.number),
        whole=closing.whole,
    )


def _past(
    game: Game,
    repository: AttackDefenceRepository,
    exercise: ExerciseId,
    facts: RoundFacts,
    spoilt: Spoilt,
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
            looks = spoilt.counted(number, repository.looks(exercise, number))
            seen = RoundFacts(number=number, looks=looks)
            verdicts[number] = seen.verdicts
    return Past(verdicts=verdicts, ranks=began_at)


def _ranks(game: Game, tallies: Tallies) -> dict[TeamId, int]:
    points = points_of(tallies.items())
    return ranks({team: points[team] for team in game.field.ranked})


def cut_short(closing: Round) -> Round:
    """Return a round that the end of the exercise closes before its deadline."""
    return replace(closing, whole=False)
