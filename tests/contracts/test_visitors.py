"""Throw-away containers on a network that teams share; over the fake and over a real engine."""

from datetime import timedelta
from ipaddress import IPv4Address, IPv4Network

import pytest

from core.ids import ExerciseId, new_id
from orchestrator.domain.world import Attachment, HostPlan, NetworkPlan, WorldKey
from orchestrator.ports import EngineRefusedError, RunResult, UnknownImageError
from tests.contracts.engine_cases import EngineCase

SOON = timedelta(seconds=60)


def visit(
    case: EngineCase,
    world: WorldKey,
    *command: str,
    image: str = "",
    timeout: timedelta = SOON,
    **environment: str,
) -> RunResult:
    return case.engine.visit(
        world.exercise,
        "arena",
        command,
        image=image or case.image,
        environment=environment,
        timeout=timeout,
    )


@pytest.fixture
def arena(case: EngineCase, world: WorldKey, subnet: IPv4Network) -> WorldKey:
    case.engine.raise_network(world, NetworkPlan(network="arena", subnet=subnet, shared=True))
    return world


def test_a_visitor_tells_how_its_command_ended_and_what_it_said(
    case: EngineCase, arena: WorldKey
) -> None:
    assert visit(case, arena, "true") == RunResult(exit_code=0, output="")
    assert visit(case, arena, "false").exit_code == 1
    assert visit(case, arena, "echo", "hello").output == "hello\n"


def test_a_visitor_that_hangs_is_ended_and_nothing_stays(case: EngineCase, arena: WorldKey) -> None:
    before = case.standing()
    assert visit(case, arena, "sleep", "60", timeout=timedelta(seconds=1)).exit_code == 124
    assert case.standing() == before


def test_a_visitor_needs_its_image_and_its_network(case: EngineCase, arena: WorldKey) -> None:
    with pytest.raises(UnknownImageError):
        visit(case, arena, "true", image="nobody/has:this")
    case.engine.remove_exercise(arena.exercise)
    with pytest.raises(EngineRefusedError, match="not found"):
        visit(case, arena, "true")


LOOK = """\
echo "$(id -u) $(id -G) $ASKED"
touch /tmp/mine && ! touch /mine && echo careful >&2
grep CapEff /proc/self/status | cut -f 2
tail -n +2 /proc/net/route | cut -f 1 | sort -u
getent hosts box.team-1 box.team-2 | tr -s ' '
hostname -i
"""


@pytest.mark.engine
def test_a_visitor_is_nobody_and_meets_the_hosts_of_all_teams(
    docker_case: EngineCase, subnet: IPv4Network
) -> None:
    exercise = ExerciseId(new_id())
    teams = [WorldKey(exercise=exercise, team=f"team-{n}") for n in (1, 2)]
    try:
        for number, team in enumerate(teams, start=10):
            plan = NetworkPlan(network="arena", subnet=subnet, shared=True)
            docker_case.engine.raise_network(team, plan)
            place = Attachment(
                network="arena", address=subnet[number], alias=f"box.{team.team}", shared=True
            )
            docker_case.engine.raise_host(
                team, HostPlan(host="box", image=docker_case.image, attachments=(place,))
            )
        ran = visit(docker_case, teams[0], "sh", "-c", LOOK, ASKED="it")
        *first, address = ran.output.splitlines()
        assert first == [
            "65534 65534 it",
            "0000000000000000",
            "eth0",
            f"{subnet[10]} box.team-1",
            f"{subnet[11]} box.team-2",
        ]
        _, upper = subnet.subnets()
        assert IPv4Address(address) in upper, "no host's place is taken"
        assert "careful" in ran.errors
        assert "Read-only file system" in ran.errors
    finally:
        docker_case.engine.remove_exercise(exercise)
