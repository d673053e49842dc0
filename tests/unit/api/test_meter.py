"""What is told of the use of hosts, from looks now and then."""

import time
from datetime import timedelta

import pytest

from api.rehearsal.meter import Meter
from core.ids import ExerciseId
from orchestrator.domain.world import HostPlan, WorldKey
from orchestrator.ports import EngineUnavailableError, Usage
from tests.fakes.fake_engine import FakeEngine, FakeHost

EXERCISE = ExerciseId("e")
DESK = WorldKey(exercise=EXERCISE, team="team-1").host("desk")
MIB = 1024**2


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    plan = HostPlan(host="desk", image="debian", attachments=())
    engine.hosts[DESK] = FakeHost(plan=plan, running=True)
    return engine


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Lend the time that a meter reads."""
    times = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: times[0])
    return times


def test_peaks_of_memory_and_processors_and_the_whole_time_are_kept(
    engine: FakeEngine, now: list[float]
) -> None:
    meter = Meter(engine, EXERCISE, every=timedelta(seconds=1))
    for at, memory, cpu in ((100, 10, 1), (102, 30, 4), (102.1, 20, 4.1), (106, 20, 4.4)):
        now[0] = at
        engine.hosts[DESK].used = Usage(memory=memory * MIB, cpu=timedelta(seconds=cpu))
        meter.look()
    (use,) = meter.use()
    assert (use.team, use.peak_memory, use.cpu_seconds) == ("team-1", 30 * MIB, 4.4)
    assert use.peak_cpus == 1.5, "three seconds of processor time in two; 0.1 in 0.1 is no peak"


def test_a_host_that_started_again_counts_on(engine: FakeEngine, now: list[float]) -> None:
    meter = Meter(engine, EXERCISE, every=timedelta(seconds=1))
    for cpu in (5, 1):
        engine.hosts[DESK].used = Usage(memory=MIB, cpu=timedelta(seconds=cpu))
        meter.look()
    assert meter.use()[0].cpu_seconds == 6


def test_an_engine_that_does_not_answer_is_asked_again(engine: FakeEngine) -> None:
    engine.fail("usage", EngineUnavailableError("away"))
    meter = Meter(engine, EXERCISE, every=timedelta(seconds=1))
    meter.look()
    assert meter.use() == ()
    meter.look()
    assert meter.use()[0].peak_memory == 16 * MIB
