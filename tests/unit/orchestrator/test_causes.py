"""Failures are told by cause, not by team."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from core.ids import TeamId
from orchestrator.domain.causes import causes
from orchestrator.domain.exercise import Problem, Stage, Team
from orchestrator.domain.phases import WorldPhase


def team(number: int, problem: Problem | None) -> Team:
    return Team(
        id=TeamId(f"t{number}"),
        slug=f"team-{number}",
        name=f"Team {number}",
        number=number,
        members=(),
        world=WorldPhase.FAILED,
        world_since=datetime(2026, 1, 1, tzinfo=UTC),
        problem=problem,
    )


def test_nine_teams_that_lack_an_image_are_one_cause() -> None:
    missing = Problem(stage=Stage.IMAGES, message="the engine has no image x", next_command="y")
    slow = Problem(stage=Stage.READINESS, message="desk did not become ready", host="desk")
    teams = [team(0, slow), *(team(n, missing) for n in range(1, 10)), team(10, None)]
    first, second = causes(teams)
    assert str(first) == "9 teams: the engine has no image x"
    assert (first.next_command, first.teams[0]) == ("y", "team-1")
    assert str(second) == "1 team: desk did not become ready"


def test_a_teams_own_name_makes_no_cause_of_its_own() -> None:
    def stuck(number: int) -> Problem:
        return Problem(stage=Stage.HOSTS, message=f"host desk of team-{number} does not run")

    (cause,) = causes([team(number, stuck(number)) for number in (1, 2)])
    assert str(cause) == "2 teams: host desk of a team does not run"
    (alone,) = causes([team(1, stuck(1))])
    assert alone.message == "host desk of team-1 does not run"


PROBLEMS = st.none() | st.builds(
    Problem, stage=st.sampled_from(Stage), message=st.sampled_from("ab"), host=st.sampled_from("xy")
)


@given(st.lists(PROBLEMS, max_size=12))
def test_every_team_with_a_problem_is_in_exactly_one_cause(problems: list[Problem | None]) -> None:
    teams = [team(number, problem) for number, problem in enumerate(problems)]
    told = [slug for cause in causes(teams) for slug in cause.teams]
    assert sorted(told) == sorted(t.slug for t in teams if t.problem is not None)
