"""Gateways that have no folder in common, and one Redis."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import docker
import pytest
from pydantic import SecretStr

from api.bootstrap import open_services
from api.cli.gateway import guard
from api.gateways import gateways_of
from core.background import spawn
from core.migration import upgrade
from core.settings import Settings
from orchestrator.gateway import inner_line, neighbours
from orchestrator.gateway.doors import NearAndFar, SocketDoors
from orchestrator.gateway.facts import GatewayFacts
from orchestrator.gateway.inner_calls import Gateways
from orchestrator.gateway.limits import Limits
from orchestrator.gateway.over_redis import bell, line
from orchestrator.gateway.over_redis import place as at_redis
from orchestrator.gateway.over_redis.doors import RedisDoors
from orchestrator.gateway.over_redis.place import RedisPlace
from orchestrator.terminal.limits import TerminalLimits
from tests.contracts.redis_server import RedisServer, redis_server
from tests.fakes.gateway_stage import Box, Stage, a_box, a_stage, an_installation, eventually
from tests.fakes.inner_place import heard
from tests.fakes.inner_place import shown as seen_by
from tests.fakes.kept_shells import a_shell, lose, shown
from tests.fakes.terminal_stage import play
from tests.ports import free_port

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

OWNER = an_installation()


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let who asks a neighbour, or Redis, wait as long as a busy machine takes."""
    monkeypatch.setattr(neighbours, "_PATIENCE_SECONDS", 20)
    monkeypatch.setattr(inner_line, "_ANSWER_SECONDS", 20)
    for seconds in ("_LOOK_SECONDS", "_CONNECT_SECONDS", "_ANSWER_SECONDS"):
        monkeypatch.setattr(at_redis, seconds, 20)
    monkeypatch.setattr(line, "_OPENING_SECONDS", 20)
    monkeypatch.setattr(line, "_SILENCE_SECONDS", 30)
    monkeypatch.setattr(bell, "_EXPIRY_SECONDS", 60)


@pytest.fixture(scope="module")
def redis(docker_client: docker.DockerClient) -> Iterator[RedisServer]:
    with redis_server(docker_client) as server:
        yield server


@pytest.fixture(scope="module")
def desk() -> Iterator[Box]:
    with a_box(OWNER, "desk") as box:
        yield box


@pytest.fixture
def place(redis: RedisServer) -> RedisPlace:
    return RedisPlace(url=redis.url, installation=OWNER)


@contextmanager
def a_machine(folder: Path, desk: Box, place: RedisPlace) -> Iterator[Stage]:
    folder.mkdir()
    with a_stage(
        folder,
        installation=OWNER,
        hosts={"ana": desk.key},
        terminal_limits=TerminalLimits(),
        limits=Limits(sessions_per_person=1),
        doors=folder / "doors",
        redis=place,
    ) as stage:
        eventually(lambda: stage.gateway.facts().at_redis is True, what="its place at Redis")
        yield stage


@pytest.fixture
def machines(desk: Box, place: RedisPlace, tmp_path: Path) -> Iterator[tuple[Stage, Stage]]:
    with ExitStack() as held:
        one, other = (
            held.enter_context(a_machine(tmp_path / name, desk, place)) for name in ("one", "other")
        )
        yield one, other


@pytest.fixture
def gateways(place: RedisPlace, tmp_path: Path) -> Gateways:
    """Lend what a third machine sees."""
    return Gateways(NearAndFar(SocketDoors(tmp_path / "nobody"), RedisDoors(place)))


def test_a_shell_that_was_left_at_one_machine_is_given_back_at_another(
    machines: tuple[Stage, Stage],
) -> None:
    one, other = machines
    shell = a_shell(one)
    shell.send(b"place=here; echo work$((40 + 2))\n")
    shown(shell, "work42")
    lose(shell, one)
    again = a_shell(other)
    assert "work42" in shown(again, "You are back in the terminal that you left")
    again.send(b"echo still-$place\n")
    shown(again, r"still-here\r\n")
    again.send(b"exit 3\n")
    assert again.recv_exit_status() == 3
    eventually(
        lambda: not any(list(stage.gateway.live) for stage in machines), what="no session left"
    )


def test_a_third_machine_counts_watches_speaks_and_ends(
    machines: tuple[Stage, Stage], gateways: Gateways
) -> None:
    one, other = machines
    shell = a_shell(one)
    shown(shell, r"\$ ")
    with pytest.raises(AssertionError, match="You have 1 sessions open"):
        shown(a_shell(other), r"\$ ")
    assert sorted(facts.sessions for facts in other.ask(gateways.status())) == [0, 1]
    [session] = other.ask(gateways.sessions())

    async def followed() -> bytes:
        found = await gateways.find(session.id)
        async with found.watched() as eye:
            await heard(eye, "opened")
            await found.say("Look at the log")
            await seen_by(eye, b"Look at the log")
            shell.send(b"echo typed$((1 + 1))\n")
            told = await seen_by(eye, b"typed2\r\n")
            await found.end(sentence="Time is up", by="Nina")
            await heard(eye, "ended")
            return told

    assert b"typed2" in other.ask(followed())
    shown(shell, "Nina ended it: Time is up")


def test_redis_may_go_and_come_and_no_session_of_a_gateways_own_is_lost(
    machines: tuple[Stage, Stage], gateways: Gateways, redis: RedisServer
) -> None:
    one, other = machines
    shell = a_shell(one)
    shown(shell, r"\$ ")
    redis.kill()
    try:
        eventually(lambda: one.gateway.facts().at_redis is False, what="a gateway that noticed")
        shell.send(b"echo on$((1 + 1))\n")
        shown(shell, r"on2\r\n")
        assert other.ask(gateways.status()) == ()
        alone = a_shell(other)
        shown(alone, r"\$ ")
        alone.send(b"exit 4\n")
        assert alone.recv_exit_status() == 4
    finally:
        redis.start()
    eventually(lambda: len(other.ask(gateways.status())) == 2, what="both found again")
    lose(shell, one)
    back = a_shell(other)
    shown(back, "You are back in the terminal that you left")
    back.send(b"exit\n")
    assert back.recv_exit_status() == 0


def test_a_shell_is_kept_where_it_is_when_redis_goes_while_it_is_used_from_elsewhere(
    machines: tuple[Stage, Stage], redis: RedisServer
) -> None:
    one, other = machines
    shell = a_shell(one)
    shell.send(b"place=here; echo work$((40 + 2))\n")
    shown(shell, "work42")
    lose(shell, one)
    again = a_shell(other)
    shown(again, "You are back")
    redis.kill()
    try:
        shown(again, "The gateway that kept this terminal is gone; log in again")
        assert again.recv_exit_status() == 255
        eventually(lambda: all(live.kept_since for live in one.gateway.live), what="it kept")
        back = a_shell(one)
        back.send(b"echo still-$place; exit 5\n")
        shown(back, r"still-here\r\n")
        assert back.recv_exit_status() == 5
    finally:
        redis.start()


def test_a_site_with_a_redis_has_its_gateways_there_where_they_are_drained_by_name(
    redis: RedisServer, tmp_path: Path
) -> None:
    here, elsewhere = (
        Settings(
            home=tmp_path / home,
            installation=OWNER,
            ssh_port=free_port(),
            broker_url=SecretStr(redis.url),
        )
        for home in ("here", "elsewhere")
    )
    upgrade(here.effective_database_url())
    services = open_services(here)

    async def story() -> None:
        serving = spawn(guard(services))
        gateways = gateways_of(elsewhere)
        found: tuple[GatewayFacts, ...] = ()
        while not found:
            found = await gateways.status()
        [facts] = found
        assert facts.at_redis
        assert await gateways.drain(within=timedelta()) == (), "nobody else's without its name"
        assert await gateways.drain(within=timedelta(), names=[facts.name]) == (facts.name,)
        await serving
        assert await gateways.status() == ()

    play(story())
    services.close()
