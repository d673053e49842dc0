"""What is kept of the facts of teams: the same once, and nothing else is taken for it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from core.db import Database
from core.scenario.load import LoadedScenario, load
from orchestrator.library import Library
from orchestrator.repository import ExerciseRepository
from orchestrator.service import TeamSpec
from orchestrator.team_facts import DerivedFacts, Source
from tests.fakes.clock import FakeClock
from tests.fakes.queue import RecordingQueue
from tests.fakes.scoring_stage import SCENARIO, Stage, create_tables


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}", queue=RecordingQueue())
    create_tables(database)
    yield Library(database, FakeClock(), tmp_path / "library")
    database.close()


def kept(library: Library, folder: Path, text: str) -> LoadedScenario:
    folder.mkdir()
    (folder / "scenario.yaml").write_text(text)
    loaded = load(folder)
    library.keep(loaded)
    return loaded


@pytest.fixture
def source(library: Library, tmp_path: Path) -> Source:
    return Source(
        digest=kept(library, tmp_path / "stage", SCENARIO).digest,
        secret=b"s" * 32,
        start=FakeClock().now(),
        slug="team-1",
        name="Team 1",
        number=1,
        teams=("team-1", "team-2"),
        held=(("office", "10.9.1.0/28"),),
    )


def test_the_same_is_derived_once(library: Library, source: Source) -> None:
    facts = DerivedFacts(library)
    assert facts.of(source) is facts.of(replace(source))


def test_whatever_facts_follow_from_makes_others(
    library: Library, source: Source, tmp_path: Path
) -> None:
    facts = DerivedFacts(library)
    first = facts.of(source)
    (tmp_path / "other").mkdir()
    longer = kept(library, tmp_path / "other" / "stage", SCENARIO.replace("ST{%s}", "XY{%s}"))
    for other in (
        replace(source, digest=longer.digest),
        replace(source, secret=b"t" * 32),
        replace(source, start=source.start + timedelta(days=1)),
        replace(source, slug="team-2"),
        replace(source, name="Team two"),
        replace(source, number=2),
        replace(source, teams=("team-1",)),
        replace(source, held=(("office", "10.9.2.0/28"),)),
        replace(source, held=()),
    ):
        assert facts.of(other) == DerivedFacts(library).of(other)
        assert facts.of(other) != first
    assert facts.of(source) is first


def test_teams_and_exercises_have_values_of_their_own_and_addresses_as_they_are_now(
    tmp_path: Path,
) -> None:
    stage = Stage.raised(f"sqlite:///{tmp_path / 'stage.db'}", tmp_path)
    first, second = (stage.exercises.facts(stage.exercise, stage.team(n)) for n in (1, 2))
    assert first.values["mark"] != second.values["mark"]
    again = stage.exercises.launch(
        stage.exercises.scenario(stage.exercise), teams=[TeamSpec(name="team 1")], by=None
    )
    assert stage.exercises.facts(again, again.teams[0]).values["mark"] != first.values["mark"]
    with stage.database.transaction() as transaction:
        repository = ExerciseRepository(transaction.session)
        repository.release_subnets(stage.team().id)
    released = stage.exercises.facts(stage.exercise, stage.team())
    assert released == first, "what it had is remembered"
    with stage.database.transaction() as transaction:
        repository = ExerciseRepository(transaction.session)
        repository.hold_subnets(stage.team().id, {"office": IPv4Network("10.9.7.0/28")})
    moved = stage.exercises.facts(stage.exercise, stage.team())
    assert str(moved.addresses["desk"]["office"]) == "10.9.7.2"
    stage.database.close()
