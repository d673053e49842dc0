"""Tasks that open with an inject, and tasks that are due some time after one."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scoring.errors import TaskLockedError, TaskOverdueError
from scoring.views import Outcome
from tests.fakes.inject_site import MINUTE, InjectSite, inject_site

STORY = """\
  note: {at: 10m, message: {text: A note lies there.}}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[InjectSite]:
    with inject_site(tmp_path, STORY) as site:
        yield site


def answer(site: InjectSite, value: str, *, key: str, number: int = 1) -> Outcome:
    return site.services.scoring.answer(
        site.exercise,
        site.team(number),
        site.member(number),
        task="who",
        value=value,
        client_key=key,
    )


def look(site: InjectSite, times: int = 1) -> None:
    """Carry out so many rounds of every check."""
    for _ in range(times):
        site.clock.advance(timedelta(seconds=30, microseconds=400))
        site.services.scoring.sweep()
        for job in site.queue.take():
            exercise, team, check, number = job.arguments
            site.services.scoring.run_check(exercise, team, check, int(number))  # type: ignore[arg-type]


def test_a_locked_task_shows_its_title_and_takes_no_answer(site: InjectSite) -> None:
    site.pass_time(9)
    locked = site.task("who")
    assert (locked.state, locked.title, locked.ask, locked.due) == ("locked", "Who", "", None)
    assert site.task("contain").checks == ()
    with pytest.raises(TaskLockedError, match="who is not open yet"):
        answer(site, "me", key="a")
    site.pass_time(1)
    assert (site.task("who").state, site.task("who").ask) == ("open", "Who was it?")
    assert answer(site, "me", key="a").verdict == "correct"


def test_a_locked_task_of_checks_is_solved_once_it_opens(site: InjectSite) -> None:
    site.engine.answer(["is-dead"])
    look(site, 6)
    assert (site.task("contain").state, site.task("contain").milli_points) == ("locked", 0)
    site.pass_time(7)
    assert site.task("contain").state == "holding"
    look(site)
    assert site.task("contain").milli_points == 30_000


def test_a_skipped_inject_opens_its_tasks_and_sets_no_deadline(site: InjectSite) -> None:
    site.services.injects.skip(site.exercise.id, "note", team="team-2")
    assert [site.task("contain", n).state for n in (1, 2)] == ["locked", "open"]
    assert site.task("contain", 2).due is None
    assert answer(site, "me", key="b", number=2).verdict == "correct"


def test_the_deadline_is_on_the_teams_clock_from_when_the_inject_went_out(
    site: InjectSite,
) -> None:
    site.pass_time(11)
    assert site.task("contain").due == 51 * MINUTE
    site.services.exercises.pause(site.exercise.id)
    site.clock.advance(600 * MINUTE)
    site.services.exercises.resume(site.exercise.id)
    site.clock.advance(39 * MINUTE)
    assert site.task("contain").state == "open"
    site.clock.advance(1.1 * MINUTE)
    assert site.task("contain").state == "overdue"


def test_what_is_done_after_the_deadline_gives_nothing(site: InjectSite) -> None:
    site.pass_time(10)
    site.clock.advance(41 * MINUTE)
    site.engine.answer(["is-dead"])
    look(site, 6)
    assert (site.task("contain").state, site.task("contain").milli_points) == ("overdue", 0)


def test_what_was_done_in_time_stays_done(site: InjectSite) -> None:
    site.pass_time(10)
    site.engine.answer(["is-dead"])
    look(site, 6)
    site.clock.advance(60 * MINUTE)
    assert (site.task("contain").state, site.task("contain").milli_points) == ("done", 30_000)


def test_an_answer_after_the_deadline_is_refused_and_an_earlier_one_told_again(
    tmp_path: Path,
) -> None:
    story = "  note: {at: 1m, message: {text: Hurry.}}\n"
    with inject_site(tmp_path, story, due_who=True) as site:
        site.pass_time(1)
        assert answer(site, "you", key="a").verdict == "wrong"
        site.clock.advance(11 * MINUTE)
        with pytest.raises(TaskOverdueError, match="it was due at 0:11:00 of your clock"):
            answer(site, "me", key="b")
        assert answer(site, "you", key="a").verdict == "wrong"
        assert site.task("who").state == "overdue"
