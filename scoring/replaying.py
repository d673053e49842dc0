"""Deriving the ledger of an exercise again from its facts, and comparing the two."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.db import Database
from core.garbage import settled_memory
from orchestrator.domain.exercise import Exercise, Team
from scoring.attack_defence.replaying import differing_rounds
from scoring.domain.replay import Difference, differences, replay
from scoring.domain.rules import Rules
from scoring.domain.standings import Total, board_hash
from scoring.facts import all_facts
from scoring.ledger import booked_entries
from scoring.ports import Exercises


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamReplay:
    """What a team's facts lead to, beside what its ledger has."""

    team: str
    ledger: Total
    replay: Total
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """An exercise's ledger and its replay: how many entries each has, and the board of each.

    `rounds` are those of attack and defence that do not follow from what was seen and taken.
    """

    exercise: str
    teams: tuple[TeamReplay, ...]
    rounds: tuple[int, ...] = ()

    @property
    def ledger_hash(self) -> str:
        """The hash of the board that the ledger makes."""
        return board_hash({team.team: team.ledger for team in self.teams})

    @property
    def replay_hash(self) -> str:
        """The hash of the board that the facts make."""
        return board_hash({team.team: team.replay for team in self.teams})

    @property
    def holds(self) -> bool:
        """Whether ledger and replay agree in every entry."""
        return not self.rounds and not any(team.differences for team in self.teams)


class Replaying:
    """Replays of exercises."""

    def __init__(self, database: Database, exercises: Exercises) -> None:
        self._database = database
        self._exercises = exercises

    def replay(self, exercise: Exercise) -> Replay:
        """Return the replay of an exercise, as of one moment; nothing is changed."""
        scenario = self._exercises.scenario(exercise).scenario
        rules = Rules.of(scenario)
        with settled_memory(), self._database.snapshot() as session:
            teams = tuple(_replayed(session, team, rules) for team in exercise.teams)
            rounds = differing_rounds(session, exercise, scenario) if scenario.services else ()
        return Replay(exercise=exercise.name, teams=teams, rounds=rounds)


def _replayed(session: Session, team: Team, rules: Rules) -> TeamReplay:
    booked = {found.entry.key: found.entry for found in booked_entries(session, team.id)}
    books, impossible = replay(team.id, all_facts(session, team.id), rules)
    return TeamReplay(
        team=team.slug,
        ledger=Total.of(list(booked.values())),
        replay=Total.of(list(books.entries.values())),
        differences=(*impossible, *differences(booked, books.entries)),
    )
