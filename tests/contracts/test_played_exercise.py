"""An exercise as somebody who plays it is told, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.users.model import Role, User
from orchestrator.domain.clock import Stop
from orchestrator.domain.phases import Phase
from orchestrator.service import ExerciseUnknownError
from orchestrator.timekeeping import Timekeeping
from tests.fakes.scoring_stage import Stage


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage.raised(database_url, tmp_path)
    yield stage
    stage.database.close()


def player(stage: Stage, number: int = 1) -> User:
    member = stage.team(number).members[0]
    return User(id=member.user, name=member.name, role=Role.TRAINEE)


def test_a_player_is_told_of_their_clock_and_team_as_they_are_now(stage: Stage) -> None:
    clocks = Timekeeping(stage.database, stage.clock, stage.exercises)
    assert stage.exercises.played_by(player(stage), stage.name) == stage.exercise
    clocks.pause_team(stage.exercise.id, "team-1")
    told = stage.exercises.played_by(player(stage), stage.name)
    assert told == stage.exercise
    assert told.teams[0].stopped is Stop.PAUSED
    clocks.resume_team(stage.exercise.id, "team-1")
    stage.exercises.end(stage.exercise.id)
    told = stage.exercises.played_by(player(stage), stage.name)
    assert (told.phase, told.teams[0].stopped) == (Phase.ENDED, None)


def test_an_exercise_of_others_is_unknown_also_once_it_was_played(stage: Stage) -> None:
    stage.exercises.played_by(player(stage), stage.name)
    stranger = User(id=stage.member(), name="sara", role=Role.STAFF)
    for who in (stranger, player(stage)):
        other = User(id=type(who.id)("nobody"), name=who.name, role=who.role)
        with pytest.raises(ExerciseUnknownError):
            stage.exercises.played_by(other, stage.name)
