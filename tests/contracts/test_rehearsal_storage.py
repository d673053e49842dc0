"""What is kept of rehearsals, on both databases."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.db import Database
from orchestrator.domain.rehearsal import ImageSize, Proven, Rehearsal, Step, TeamUse
from orchestrator.rehearsals import Rehearsals
from tests.fakes.queue import RecordingQueue
from tests.fakes.scoring_stage import create_tables
from tests.fakes.statements import noted_statements

DONE = Rehearsal(
    scenario="night-shift",
    version="1.1.0",
    digest="a" * 64,
    at=datetime(2026, 11, 23, 12, tzinfo=UTC),
    findings=(),
    remarks=("how_many has the same answer in every team",),
    steps=(Step(name="worlds", seconds=3.5),),
    proven=Proven(answers=3, checks=2, injects=3),
    use=(TeamUse(team="team-1", peak_memory=20_000_000, cpu_seconds=1.25, peak_cpus=0.5),),
    images=(ImageSize(host="desk", image="debian:bookworm-slim", bytes=75_000_000),),
)


@pytest.fixture
def rehearsals(database_url: str) -> Iterator[Rehearsals]:
    database = Database(database_url, queue=RecordingQueue())
    create_tables(database)
    yield Rehearsals(database)
    database.close()


def test_a_rehearsal_comes_back_as_it_was_kept(rehearsals: Rehearsals) -> None:
    rehearsals.keep(DONE)
    assert rehearsals.of([DONE.digest, "b" * 64]) == {DONE.digest: DONE}
    assert rehearsals.of([]) == {}


def test_a_later_one_of_the_same_content_takes_its_place(rehearsals: Rehearsals) -> None:
    rehearsals.keep(replace(DONE, findings=("who: the answer of the solution is refused",)))
    rehearsals.keep(DONE)
    assert rehearsals.of([DONE.digest]) == {DONE.digest: DONE}


def test_a_launch_is_doubted_unless_this_content_passed(rehearsals: Rehearsals) -> None:
    def doubts(*digests: str) -> list[str]:
        return list(rehearsals.doubts(dict.fromkeys(digests, "night-shift")).values())

    assert doubts(DONE.digest) == ["it was never rehearsed here"]
    rehearsals.keep(DONE)
    changed = "it changed since its rehearsal of 2026-11-23 12:00 UTC"
    assert doubts(DONE.digest, "b" * 64) == ["", changed]
    later = replace(DONE, digest="b" * 64, at=DONE.at + timedelta(days=1), findings=("Broken",))
    rehearsals.keep(later)
    changed = "it changed since its rehearsal of 2026-11-24 12:00 UTC"
    broken = "its rehearsal failed: Broken"
    assert doubts(DONE.digest, "b" * 64, "c" * 64) == ["", broken, changed]
    assert rehearsals.doubts({"d" * 64: "harbour"}) == {"d" * 64: "it was never rehearsed here"}


def test_many_scenarios_are_asked_about_in_two_statements(rehearsals: Rehearsals) -> None:
    asked = {f"{number:064}": f"case-{number}" for number in range(40)}
    with noted_statements() as statements:
        assert set(rehearsals.doubts(asked).values()) == {"it was never rehearsed here"}
    assert len([statement for statement in statements if "FROM rehearsals" in statement]) == 2
