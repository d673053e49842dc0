"""The janitor takes down what nobody uses and what belongs to nothing, and nothing else."""

from datetime import timedelta

import pytest

from core.ids import ExerciseId
from orchestrator.domain.leftovers import GRACE, Standing
from orchestrator.domain.phases import Phase
from orchestrator.janitor import Janitor
from orchestrator.ports import EngineUnavailableError, Removed
from tests.unit.orchestrator.conftest import Site

DAYS = timedelta(days=3)


@pytest.fixture
def janitor(site: Site) -> Janitor:
    return Janitor(site.exercises, site.engine, site.clock, expiry=DAYS)


def stray(site: Site, exercise: str | None = "gone") -> Standing:
    return Standing(
        id="stray",
        name="poligon.test.gone.team-1.desk",
        is_network=False,
        throwaway=exercise is None,
        exercise=ExerciseId(exercise) if exercise else None,
        team="team-1",
        made_at=site.clock.now(),
    )


def test_an_exercise_that_nobody_touches_is_destroyed_as_an_instructor_would(
    site: Site, janitor: Janitor
) -> None:
    exercise = site.launch(teams=1)
    site.work()
    site.clock.advance(DAYS - timedelta(seconds=1))
    assert janitor.expire() == ()
    site.clock.advance(timedelta(seconds=1))
    janitor.sweep()
    assert site.now(exercise).phase is Phase.CANCELLED
    site.work()
    assert site.engine.hosts == {}


def test_an_ended_exercise_is_closed(site: Site, janitor: Janitor) -> None:
    exercise = site.launch(teams=1)
    site.work()
    site.exercises.start(exercise.id)
    site.clock.advance(timedelta(hours=1))
    site.exercises.end(exercise.id)
    site.clock.advance(DAYS)
    assert [e.phase for e in janitor.expire()] == [Phase.CLOSED]


@pytest.mark.parametrize("paused", [False, True])
def test_a_running_or_paused_one_is_only_warned_of(
    site: Site, janitor: Janitor, *, paused: bool
) -> None:
    exercise = site.launch(teams=1)
    site.work()
    site.exercises.start(exercise.id)
    if paused:
        site.exercises.pause(exercise.id)
    site.clock.advance(10 * DAYS)
    assert janitor.expire() == ()
    outlook = janitor.outlook(site.now(exercise))
    assert outlook is not None
    assert outlook.is_near(site.clock.now())
    assert not outlook.destroys


def test_keeping_it_puts_the_end_off(site: Site, janitor: Janitor) -> None:
    exercise = site.launch(teams=1)
    site.work()
    site.clock.advance(DAYS - timedelta(hours=1))
    site.exercises.keep(exercise.id)
    site.clock.advance(timedelta(hours=2))
    assert janitor.expire() == ()
    site.clock.advance(DAYS)
    assert len(janitor.expire()) == 1


def test_what_no_exercise_knows_is_removed_and_known_worlds_stay(
    site: Site, janitor: Janitor
) -> None:
    site.launch(teams=1)
    site.work()
    site.engine.throwaways = [stray(site)]
    hosts = dict(site.engine.hosts)
    site.engine.made_at = site.clock.now()
    site.clock.advance(GRACE)
    assert janitor.clean_up() == Removed(), "it may still be on its way"
    site.clock.advance(timedelta(seconds=1))
    assert janitor.clean_up() == Removed(containers=1)
    assert site.engine.hosts == hosts


def test_what_a_world_left_behind_is_removed(site: Site, janitor: Janitor) -> None:
    exercise = site.launch(teams=1)
    site.work()
    hosts, networks = dict(site.engine.hosts), dict(site.engine.networks)
    site.exercises.destroy(exercise.id)
    site.work()
    site.engine.hosts, site.engine.networks = hosts, networks
    site.engine.made_at = site.clock.now()
    site.clock.advance(2 * GRACE)
    assert janitor.clean_up() == Removed(containers=2, networks=2)
    assert site.engine.hosts == {}


def test_an_old_probe_is_removed(site: Site, janitor: Janitor) -> None:
    site.engine.throwaways = [stray(site, exercise=None)]
    site.clock.advance(2 * GRACE)
    assert janitor.clean_up() == Removed(containers=1)


def test_a_round_is_made_once_a_minute(site: Site, janitor: Janitor) -> None:
    for _ in range(5):
        janitor.sweep()
    assert site.engine.calls.count("standing") == 1
    site.clock.advance(timedelta(minutes=1))
    janitor.sweep()
    assert site.engine.calls.count("standing") == 2


def test_an_engine_that_is_away_keeps_nothing_from_expiring(site: Site, janitor: Janitor) -> None:
    exercise = site.launch(teams=1)
    site.work()
    site.clock.advance(DAYS)
    site.engine.fail("standing", EngineUnavailableError("away"))
    with pytest.raises(EngineUnavailableError):
        janitor.sweep()
    assert site.now(exercise).phase is Phase.CANCELLED
