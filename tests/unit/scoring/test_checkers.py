"""What a checker is told, and what its end says of a service."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network

import pytest

from core.errors import PoligonError
from core.ids import ExerciseId
from core.scenario.schema_services import RoundFlag
from orchestrator.domain.world import NetworkPlan, WorldKey
from orchestrator.ports import EngineRefusedError, EngineUnavailableError, RunResult
from scoring.checks.checkers import Action, Checkers, Errand, TeamService, Told
from scoring.domain.flags import round_flag
from scoring.domain.verdicts import Verdict
from tests.fakes.fake_engine import BASE_IMAGE, FakeEngine

WORLD = WorldKey(exercise=ExerciseId("ex"), team="team-1")
LOCKER = TeamService(
    exercise=WORLD.exercise,
    network="arena",
    address=IPv4Address("10.9.1.3"),
    port=4100,
    image=BASE_IMAGE,
    command=("/checker/locker",),
    timeout=timedelta(seconds=10),
)
CHECK = Errand(action=Action.CHECK, round=1)


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    subnet = IPv4Network("10.9.1.0/27")
    engine.raise_network(WORLD, NetworkPlan(network="arena", subnet=subnet, shared=True))
    return engine


def asked(engine: FakeEngine, ran: RunResult, errand: Errand = CHECK) -> Told:
    engine.on_visit = lambda *_: ran
    return Checkers(engine).ask(LOCKER, errand)


def test_a_checker_is_told_all_it_needs(engine: FakeEngine) -> None:
    seen: dict[str, object] = {}

    def visit(command: tuple[str, ...], environment: Mapping[str, str]) -> RunResult:
        seen.update(environment, command=command)
        return RunResult(exit_code=0, output="")

    engine.on_visit = visit
    Checkers(engine).ask(LOCKER, Errand(action=Action.GET, round=7, flag="LCK{x}", flag_id="ana"))
    assert seen == {
        "command": ("/checker/locker",),
        "POLIGON_ACTION": "get",
        "POLIGON_TARGET": "10.9.1.3",
        "POLIGON_PORT": "4100",
        "POLIGON_ROUND": "7",
        "POLIGON_FLAG": "LCK{x}",
        "POLIGON_FLAG_ID": "ana",
    }


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (0, Verdict.UP),
        (1, Verdict.MUMBLE),
        (2, Verdict.DOWN),
        (3, Verdict.RECOVERING),
        (124, Verdict.DOWN),
        (4, Verdict.INFRA_ERROR),
        (127, Verdict.INFRA_ERROR),
        (137, Verdict.INFRA_ERROR),
        (255, Verdict.INFRA_ERROR),
    ],
)
def test_each_end_of_a_checker_has_one_meaning(
    engine: FakeEngine, code: int, verdict: Verdict
) -> None:
    assert asked(engine, RunResult(exit_code=code, output="")).verdict is verdict


def test_what_it_prints_is_the_flags_id_and_what_it_complains_of_is_not(engine: FakeEngine) -> None:
    ran = RunResult(exit_code=0, output=" 17/a\0b \n", errors="slow today\n")
    assert asked(engine, ran) == Told(
        verdict=Verdict.UP, flag_id="17/a�b", output="17/a�b\nslow today"
    )
    assert len(asked(engine, RunResult(exit_code=0, output="x" * 10_000)).flag_id) == 1000


@pytest.mark.parametrize("error", [EngineUnavailableError("away"), EngineRefusedError("no")])
def test_what_the_engine_cannot_do_is_nobodys_loss(engine: FakeEngine, error: PoligonError) -> None:
    engine.fail("visit", error)
    told = Checkers(engine).ask(LOCKER, CHECK)
    assert told == Told(verdict=Verdict.INFRA_ERROR, output=error.message)


def test_an_image_or_a_network_that_is_gone_is_nobodys_loss(engine: FakeEngine) -> None:
    for service in (replace(LOCKER, image="gone:1"), replace(LOCKER, network="home")):
        assert Checkers(engine).ask(service, CHECK).verdict is Verdict.INFRA_ERROR


def test_a_flag_is_derived_and_another_for_each_team_service_and_round() -> None:
    spec = RoundFlag(format="LCK{%s}", length=24, lives=5)
    ways = [(t, s, n) for t in ("t1", "t2") for s in ("locker", "desk") for n in (1, 2, 12)]
    flags = [round_flag(spec, key=b"k" * 32, team=t, service=s, number=n) for t, s, n in ways]
    assert len(set(flags)) == len(ways)
    assert flags[0] == "LCK{A1JK6HHW8PyfkgUXue8LkFOi}", "derived for ever"
    assert all(len(flag) == 29 and flag[4:-1].isalnum() for flag in flags)
