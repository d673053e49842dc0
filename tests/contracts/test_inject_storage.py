"""Injects on both databases: many workers at once, and each thing happens once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.errors import PoligonError
from tests.fakes.inject_site import InjectSite, inject_site


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[InjectSite]:
    with inject_site(tmp_path, url=database_url, teams=3) as site:
        yield site


def test_six_workers_that_sweep_at_once_let_each_inject_out_once(site: InjectSite) -> None:
    site.clock.advance(site.exercise.duration / 3)
    with ThreadPoolExecutor(max_workers=6) as pool:
        for future in [pool.submit(site.services.injects.sweep) for _ in range(12)]:
            future.result()
    for number in (1, 2, 3):
        assert sorted(site.fired(number)) == ["brief", "note", "tip"]
        assert site.told(number) == [f"Good morning, Team {number}.", "The north."]


def test_six_workers_with_the_same_job_run_its_command_once(site: InjectSite) -> None:
    site.pass_time(1)
    site.clock.advance(site.exercise.duration / 5)
    site.sweep()
    jobs = site.queue.take() * 6
    with ThreadPoolExecutor(max_workers=6) as pool:
        for job in jobs:
            pool.submit(site.services.injects.carry_out, *job.arguments)  # type: ignore[arg-type]
    assert [site.ran(number) for number in (1, 2, 3)] == [
        [("drop-note", f"team-{number}")] for number in (1, 2, 3)
    ]


def test_two_instructors_and_a_sweep_at_once_fire_it_once(site: InjectSite) -> None:
    site.clock.advance(site.exercise.duration / 5)
    site.pass_time(0)

    def fire() -> int:
        try:
            return len(site.services.injects.fire(site.exercise.id, "tip", team="team-1"))
        except PoligonError:
            return 0

    site.clock.advance(site.exercise.duration / 5)
    with ThreadPoolExecutor(max_workers=3) as pool:
        sweeping = pool.submit(site.services.injects.sweep)
        fired = [pool.submit(fire) for _ in range(2)]
        sweeping.result()
        done = sum(future.result() for future in fired)
    assert site.fired(1).count("tip") == 1
    assert done <= 1
    assert site.told(1).count("The north.") == 1


def test_an_answer_and_a_cost_at_once_leave_the_task_with_what_it_is_worth(
    site: InjectSite,
) -> None:
    site.pass_time(1)

    def answer() -> None:
        site.services.scoring.answer(
            site.exercise,
            site.team(1),
            site.member(1),
            task="door",
            value="north",
            client_key="k",
        )

    with ThreadPoolExecutor(max_workers=2) as pool:
        answering = pool.submit(answer)
        pool.submit(site.services.injects.fire, site.exercise.id, "tip", team="team-1").result()
        answering.result()
    assert site.task("door").milli_points == 15_000
