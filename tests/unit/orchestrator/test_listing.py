"""Listing exercises: what it costs must not add up over the life of a site."""

from datetime import timedelta

import pytest

from orchestrator.service import ExerciseUnknownError
from tests.fakes.statements import noted_statements
from tests.unit.orchestrator.conftest import Site


def statements(site: Site) -> list[str]:
    """Return what the database is asked when every exercise is listed."""
    with noted_statements() as asked:
        site.exercises.recent()
    return asked


def test_every_exercise_is_listed_with_its_own_teams_newest_first(site: Site) -> None:
    first = site.launch(teams=1)
    site.clock.advance(timedelta(seconds=1))
    second = site.launch(teams=2)
    assert site.exercises.recent() == (site.now(second), site.now(first))
    assert [len(exercise.teams) for exercise in site.exercises.recent()] == [2, 1]


def test_the_statements_do_not_depend_on_how_many_exercises_there_are(site: Site) -> None:
    # A connection keeps what it prepared: a new text for each number of exercises is kept, too.
    site.launch()
    one = statements(site)
    assert one
    for _ in range(3):
        site.launch()
    assert statements(site) == one


def test_page_by_page_every_exercise_is_listed_once(site: Site) -> None:
    launched = []
    for number in range(7):
        launched.append(site.launch(teams=1).name)
        site.clock.advance(timedelta(seconds=number % 2))  # some of them in the same moment
    seen: list[str] = []
    while page := site.exercises.recent(limit=3, before=seen[-1] if seen else ""):
        assert len(page) <= 3
        seen += [exercise.name for exercise in page]
    assert sorted(seen) == sorted(launched)
    assert seen[-1] in launched[:2], "the oldest come last"


def test_nothing_is_older_than_an_exercise_that_never_was(site: Site) -> None:
    with pytest.raises(ExerciseUnknownError):
        site.exercises.recent(before="nothing-abc")
