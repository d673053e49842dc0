"""An exercise as somebody who plays it is told, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.users.model import Role, User
from orchestrator.service import ExerciseUnknownError
from tests.contracts.test_answer_cost import statements
from tests.fakes.scoring_stage import Stage


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage.raised(database_url, tmp_path)
    yield stage
    stage.database.close()


def player(stage: Stage, number: int = 1) -> User:
    member = stage.team(number).members[0]
    return User(id=member.user, name=member.name, role=Role.TRAINEE)


def test_an_exercise_is_read_once_for_all_who_play_it(stage: Stage) -> None:
    assert stage.exercises.played_by(player(stage), stage.name) == stage.exercise
    other = player(stage, 2)
    asked = statements(lambda: stage.exercises.played_by(other, stage.name))
    assert asked == []


def test_an_exercise_of_others_is_unknown_also_once_it_was_played(stage: Stage) -> None:
    stage.exercises.played_by(player(stage), stage.name)
    stranger = User(id=stage.member(), name="sara", role=Role.STAFF)
    for who in (stranger, player(stage)):
        other = User(id=type(who.id)("nobody"), name=who.name, role=who.role)
        with pytest.raises(ExerciseUnknownError):
            stage.exercises.played_by(other, stage.name)
