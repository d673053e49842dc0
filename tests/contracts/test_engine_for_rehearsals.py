"""What a rehearsal asks of an engine besides worlds; over the fake and over a real one."""

from datetime import timedelta
from ipaddress import IPv4Network

import pytest

from core.ids import ExerciseId, new_id
from core.scenario.folder import Entry
from orchestrator.domain.world import Attachment, HostKey, HostPlan, NetworkPlan, WorldKey
from orchestrator.ports import HostGoneError, UnknownImageError
from tests.contracts.engine_cases import EngineCase

SOON = timedelta(seconds=60)
PLAY = Entry(path="play.sh", content=b"#!/bin/sh\necho played\n", executable=True)
NOTE = Entry(path="deep/note.txt", content=b"for later\n", executable=False)


@pytest.fixture
def host(case: EngineCase, world: WorldKey, subnet: IPv4Network) -> HostKey:
    case.engine.raise_network(world, NetworkPlan(network="lan", subnet=subnet))
    place = Attachment(network="lan", address=subnet[10])
    case.engine.raise_host(world, HostPlan(host="desk", image=case.image, attachments=(place,)))
    return world.host("desk")


def test_what_a_running_host_uses_is_told_and_only_grows_in_time(
    case: EngineCase, host: HostKey
) -> None:
    first = case.engine.usage(host.world.exercise)[host]
    second = case.engine.usage(host.world.exercise)[host]
    assert 0 < first.memory < 2**30
    assert timedelta() < first.cpu <= second.cpu


def test_a_host_that_ended_and_an_unknown_exercise_use_nothing(
    case: EngineCase, host: HostKey
) -> None:
    case.engine.stop_host(host)
    assert case.engine.usage(host.world.exercise) == {}
    assert case.engine.usage(ExerciseId(new_id())) == {}


def test_an_image_has_a_size(case: EngineCase) -> None:
    assert 2**20 < case.engine.image_size(case.image) < 2**31
    with pytest.raises(UnknownImageError):
        case.engine.image_size("nobody/has:this")


def test_a_folder_cannot_be_put_where_no_host_is(case: EngineCase, world: WorldKey) -> None:
    with pytest.raises(HostGoneError):
        case.engine.put_folder(world.host("desk"), "/tmp/solution", [PLAY])


def test_a_command_runs_apart_and_tells_how_it_ended(case: EngineCase) -> None:
    assert case.engine.run_apart(("true",), image=case.image, timeout=SOON).ok
    assert case.engine.run_apart(("false",), image=case.image, timeout=SOON).exit_code == 1
    assert case.engine.run_apart(("echo", "hello"), timeout=SOON).output == "hello\n"


def test_a_command_that_hangs_apart_is_ended(case: EngineCase) -> None:
    ran = case.engine.run_apart(("sleep", "60"), image=case.image, timeout=timedelta(seconds=1))
    assert ran.exit_code == 124


def test_apart_needs_an_image_that_is_there(case: EngineCase) -> None:
    with pytest.raises(UnknownImageError):
        case.engine.run_apart(("true",), image="nobody/has:this", timeout=SOON)


@pytest.mark.engine
def test_a_folder_is_put_into_a_host_and_can_be_run_from_there(docker_case: EngineCase) -> None:
    world = WorldKey(exercise=ExerciseId(new_id()), team="team-1")
    plan = HostPlan(host="desk", image=docker_case.image, attachments=())
    docker_case.engine.raise_host(world, plan)
    host = world.host("desk")
    try:
        docker_case.engine.put_folder(host, "/tmp/solution", [PLAY, NOTE])
        command = (
            "sh",
            "-c",
            "cd /tmp/solution && ./play.sh && cat deep/note.txt; stat -c %a /tmp",
        )
        ran = docker_case.engine.run(host, command, timeout=SOON, account="games")
        assert ran.output == "played\nfor later\n1777\n"
    finally:
        docker_case.engine.remove_exercise(world.exercise)


@pytest.mark.engine
def test_apart_there_is_no_network_and_nothing_stays(docker_case: EngineCase) -> None:
    before = docker_case.engine.remaining()
    command = ("sh", "-c", "cat /proc/net/dev | tail -n +3 | cut -d: -f1; cd /tmp/s; ./play.sh")
    ran = docker_case.engine.run_apart(
        command, image=docker_case.image, folder="/tmp/s", files=[PLAY], timeout=SOON
    )
    assert ran.output.split() == ["lo", "played"]
    assert docker_case.engine.remaining() == before
