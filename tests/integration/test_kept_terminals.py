"""Shells that outlive their client and their host, on the real engine."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import asyncssh
import docker
import pytest

from orchestrator.gateway import inner_line, neighbours
from orchestrator.terminal.limits import TerminalLimits
from tests.fakes.gateway_stage import (
    PASSWORD,
    Box,
    Stage,
    a_box,
    a_stage,
    an_installation,
    eventually,
)
from tests.fakes.kept_shells import a_shell, lose, shown

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

OWNER = an_installation()
PEOPLE, SHELLS_EACH = 20, 3
KEPT = TerminalLimits(keep=timedelta(seconds=2), kept_per_person=SHELLS_EACH)


@pytest.fixture(scope="module")
def desk(docker_client: docker.DockerClient) -> Iterator[Box]:
    with a_box(OWNER, "desk") as box:
        yield box


@pytest.fixture
def stage(desk: Box, tmp_path: Path) -> Iterator[Stage]:
    with a_stage(
        tmp_path, installation=OWNER, hosts={"ana": desk.key}, terminal_limits=TerminalLimits()
    ) as made:
        yield made


def test_a_lost_connection_costs_neither_the_shell_nor_its_screen(stage: Stage) -> None:
    shell = a_shell(stage)
    shell.send(b"place=here; echo work$((40 + 2))\n")
    shown(shell, "work42")
    lose(shell, stage)
    again = a_shell(stage, width=100)
    again.send(b"stty size\n")
    seen = shown(again, r"\d+ \d+\r\n")
    assert "work42" in seen
    assert "You are back in the terminal that you left" in seen
    assert "24 100\r\n" in seen, "what is typed at once finds the new size"
    again.send(b"echo still-$place\n")
    shown(again, r"still-here\r\n")
    again.send(b"exit 3\n")
    assert again.recv_exit_status() == 3
    eventually(lambda: not list(stage.gateway.live), what="no session left")


def test_a_kept_shell_goes_when_its_person_may_not_stay(stage: Stage, desk: Box) -> None:
    shell = a_shell(stage)
    shell.send(b"sleep 5100\n")
    eventually(lambda: "sleep 5100" in desk.processes(), what="sleep to run")
    lose(shell, stage)
    stage.door.closed = "the exercise is paused"
    eventually(lambda: not desk.processes(), what="nothing left")


def test_kept_shells_leave_no_process_within_five_seconds_of_their_time(
    desk: Box, tmp_path: Path
) -> None:
    people = [f"ana{number}" for number in range(PEOPLE)]
    hosts = dict.fromkeys(people, desk.key)
    with a_stage(tmp_path, installation=OWNER, hosts=hosts, terminal_limits=KEPT) as stage:
        began = asyncio.run(abort_shells(stage, people))
        eventually(lambda: len(list(stage.gateway.live)) == 0, what="their time to be over")
        assert time.monotonic() - began > KEPT.keep.total_seconds(), "they were kept"
        # Five seconds, and what a busy machine takes longer to begin and to list processes.
        eventually(lambda: not desk.processes(), what="nothing left", seconds=20)


async def abort_shells(stage: Stage, people: list[str]) -> float:
    """Have shells running something in the background, then drop every connection at once.

    Returns when the first was dropped (monotonic seconds).
    """
    connections = await asyncio.gather(*(open_shells(stage, name) for name in people))
    began = time.monotonic()
    for connection in connections:
        connection.abort()
        await connection.wait_closed()
    return began


async def open_shells(stage: Stage, name: str) -> asyncssh.SSHClientConnection:
    connection = await asyncssh.connect(
        "127.0.0.1", stage.gateway.port, username=name, password=PASSWORD,
        known_hosts=None, client_keys=None, config=None, agent_path=None,
    )  # fmt: skip
    for _ in range(SHELLS_EACH):
        shell = await connection.create_process(term_type="xterm")
        shell.stdin.write("setsid sleep 5200 & echo ready$((1 + 1))\n")
        await shell.stdout.readuntil("ready2")
    return connection


def test_a_shell_is_offered_the_host_that_comes_after_a_reset(
    docker_client: docker.DockerClient, tmp_path: Path
) -> None:
    with (
        ExitStack() as undo,
        a_box(OWNER, "victim") as old,
        a_stage(tmp_path, installation=OWNER, hosts={"ana": old.key}) as stage,
    ):
        shell = a_shell(stage)
        shell.send(b"echo in; vanished=yes\n")
        shown(shell, r"\rin\r\n")
        # Hosts of the product have their accounts before anything runs in them; so has this one.
        again = str(old.container.commit().id)
        undo.callback(docker_client.images.remove, again, force=True)
        old.container.remove(force=True)
        shown(shell, "victim stopped or is being reset; waiting for it")
        with a_box(OWNER, "victim", again):
            shown(shell, "victim runs again; this is a new login")
            shell.send(b"echo new=${vanished-none}\n")
            shown(shell, "new=none")
            shell.send(b"exit\n")
            assert shell.recv_exit_status() == 0


def test_a_kept_shell_is_given_back_at_another_gateway(
    desk: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A login waits for its neighbours as long as a busy machine takes.
    monkeypatch.setattr(neighbours, "_PATIENCE_SECONDS", 20)
    monkeypatch.setattr(inner_line, "_ANSWER_SECONDS", 20)
    with two_gateways(desk, tmp_path) as (one, other):
        shell = a_shell(one)
        shell.send(b"place=here; echo work$((40 + 2))\n")
        shown(shell, "work42")
        lose(shell, one)
        again = a_shell(other)
        assert "work42" in shown(again, "You are back in the terminal that you left")
        again.send(b"echo still-$place\n")
        shown(again, r"still-here\r\n")
        assert [len(list(stage.gateway.live)) for stage in (one, other)] == [1, 0]
        again.send(b"exit 3\n")
        assert again.recv_exit_status() == 3
        eventually(lambda: not list(one.gateway.live), what="no session left")


def test_a_drained_gateway_takes_nobody_new_and_lets_sessions_end(
    desk: Box, tmp_path: Path
) -> None:
    with two_gateways(desk, tmp_path) as (one, _other):
        shell = a_shell(one)
        shell.send(b"echo in$((1 + 1))\n")
        shown(shell, "in2")
        one.loop.call_soon_threadsafe(partial(one.gateway.leave, within=timedelta(minutes=10)))
        shown(shell, "This gateway restarts in 10 minutes; save your work")
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", one.gateway.port), timeout=5)
        facts = one.gateway.facts()
        assert facts.draining is not None
        assert (facts.sessions, facts.connections) == (1, 1)
        shell.send(b"echo still$((1 + 1)); exit 5\n")
        shown(shell, "still2")
        assert shell.recv_exit_status() == 5
        one.ask(one.gateway.until_left())


def test_a_drain_ends_at_once_when_asked_again(desk: Box, tmp_path: Path) -> None:
    with two_gateways(desk, tmp_path) as (one, _other):
        shell = a_shell(one)
        shown(shell, r"\$ ")
        for within in (timedelta(minutes=10), timedelta()):
            one.loop.call_soon_threadsafe(partial(one.gateway.leave, within=within))
        shown(shell, "The gateway is going down; log in again shortly")
        assert shell.recv_exit_status() == 255
        one.ask(one.gateway.until_left())
        eventually(lambda: not desk.processes(), what="nothing left")


@contextmanager
def two_gateways(desk: Box, folder: Path) -> Iterator[tuple[Stage, Stage]]:
    """Lend two gateways of one machine, each with a port of its own."""
    with ExitStack() as held:
        stages = []
        for name in ("one", "other"):
            (folder / name).mkdir()
            stage = a_stage(
                folder / name,
                installation=OWNER,
                hosts={"ana": desk.key},
                terminal_limits=TerminalLimits(),
                doors=folder / "doors",
            )
            stages.append(held.enter_context(stage))
        yield stages[0], stages[1]
