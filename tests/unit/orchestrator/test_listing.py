"""Listing every exercise: what it costs must not add up over the life of a site."""

from datetime import timedelta

from sqlalchemy import event
from sqlalchemy.engine import Connection

from tests.unit.orchestrator.conftest import Site


def statements(site: Site) -> list[str]:
    """Return what the database is asked when every exercise is listed."""
    asked: list[str] = []

    def note(_: Connection, __: object, statement: str, *___: object) -> None:
        asked.append(statement)

    event.listen(site.database.engine, "before_cursor_execute", note)
    try:
        site.exercises.all()
    finally:
        event.remove(site.database.engine, "before_cursor_execute", note)
    return asked


def test_every_exercise_is_listed_with_its_own_teams_newest_first(site: Site) -> None:
    first = site.launch(teams=1)
    site.clock.advance(timedelta(seconds=1))
    second = site.launch(teams=2)
    assert site.exercises.all() == (site.now(second), site.now(first))
    assert [len(exercise.teams) for exercise in site.exercises.all()] == [2, 1]


def test_the_statements_do_not_depend_on_how_many_exercises_there_are(site: Site) -> None:
    # A connection keeps what it prepared: a new text for each number of exercises is kept, too.
    site.launch()
    one = statements(site)
    for _ in range(3):
        site.launch()
    assert statements(site) == one
