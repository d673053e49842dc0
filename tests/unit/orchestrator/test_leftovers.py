"""Only what is old, ours and of no world that should stand is left over."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.ids import ExerciseId
from orchestrator.domain.leftovers import GRACE, Standing, leftovers

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
OLD = GRACE + timedelta(seconds=1)


def thing(
    exercise: str | None, team: str | None, *, throwaway: bool = False, age: timedelta = OLD
) -> Standing:
    return Standing(
        id=f"{exercise}-{team}-{throwaway}-{age}",
        name="x",
        is_network=False,
        throwaway=throwaway,
        exercise=ExerciseId(exercise) if exercise else None,
        team=team,
        made_at=NOON - age,
    )


things = st.builds(
    thing,
    st.sampled_from(["e", "f", None]),
    st.sampled_from(["team-1", "team-2", None]),
    throwaway=st.booleans(),
    age=st.timedeltas(min_value=timedelta(), max_value=timedelta(hours=1)),
)
WANTED = [(ExerciseId("e"), "team-1")]


def test_a_world_that_the_database_knows_stays() -> None:
    standing = [thing("e", "team-1"), thing("e", None)]
    assert leftovers(standing, wanted=WANTED, now=NOON) == ()


def test_what_no_exercise_or_team_wants_goes() -> None:
    standing = [thing("f", "team-1"), thing("e", "team-2"), thing("f", None), thing(None, None)]
    assert leftovers(standing, wanted=WANTED, now=NOON) == tuple(standing)


def test_an_old_probe_goes_though_its_world_stands() -> None:
    probe = thing("e", "team-1", throwaway=True)
    assert leftovers([probe], wanted=WANTED, now=NOON) == (probe,)


@given(st.lists(things))
def test_nothing_young_and_nothing_wanted_ever_goes(standing: list[Standing]) -> None:
    for gone in leftovers(standing, wanted=WANTED, now=NOON):
        assert NOON - gone.made_at > GRACE
        assert gone.throwaway or (gone.exercise, gone.team) not in WANTED


@given(st.lists(things))
def test_with_nothing_wanted_all_that_is_old_goes(standing: list[Standing]) -> None:
    old = [s for s in standing if NOON - s.made_at > GRACE]
    assert list(leftovers(standing, wanted=[], now=NOON)) == old
