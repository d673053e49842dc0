"""What `ssh -L` cannot reach: everything that the landing host itself cannot.

A forward is opened in the network of the host where its owner lands, so that nothing but the
scenario's flows decides. Each attack is asked of a port that answers to somebody who may.
"""

import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import docker
import pytest
from docker.models.containers import Container

from core.waiting import until
from orchestrator.engine.hardening import NOBODY
from orchestrator.engine.labels import EXERCISE, KIND, TEAM, Kind
from orchestrator.engine.names import container_name
from orchestrator.engine.toolbox_name import toolbox_reference
from tests.fakes.gateway_stage import Stage, a_stage, eventually
from tests.security.test_flows import SOON, Ground, _listens, _raise, ground

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

__all__ = ["ground"]

OPEN = "open"
NOWHERE = "do not lead there"
SILENT = "nothing answered"
METADATA = "169.254.169.254"


@pytest.fixture(scope="module")
def stage(
    ground: Ground,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    installation = ground.engine._installation
    with a_stage(
        tmp_path_factory.mktemp("stage"),
        installation=installation,
        hosts={"ana": ground.key("pc"), "bob": ground.key("pc", "blue")},
        toolbox=toolbox_reference(installation),
    ) as made:
        yield made


def asked(stage: Stage, goal: str, login: str = "ana") -> str:
    """Return OPEN, or why a connection was not made."""
    ended = stage.ssh(options=["-W", goal, "-o", "LogLevel=INFO"], login=login)
    return OPEN if ended.returncode == 0 else ended.stderr.decode()


def is_open(stage: Stage, goal: str, login: str = "ana") -> bool:
    return asked(stage, goal, login) == OPEN


def all_asked(stage: Stage, goals: list[str], login: str = "ana") -> dict[str, str]:
    with ThreadPoolExecutor(len(goals)) as pool:
        return dict(
            zip(goals, pool.map(lambda goal: asked(stage, goal, login), goals), strict=True)
        )


def require_said(stage: Stage, wanted: dict[str, str]) -> None:
    """Fail unless goals are OPEN that are to be, never another one, and these words said of those.

    They are asked for again: a busy engine resolves names too late for what carries forwards.
    """
    said: dict[str, str] = {}
    open_ones = {goal for goal, words in wanted.items() if words == OPEN}

    def is_said() -> bool:
        said.update(all_asked(stage, [*wanted]))
        assert {goal for goal, why in said.items() if why == OPEN} <= open_ones
        return all(
            why == OPEN or (goal not in open_ones and wanted[goal] in why)
            for goal, why in said.items()
        )

    until(is_said, what="what is said of goals", within=SOON, last_seen=lambda: str(said))


def test_the_flows_decide_what_a_forward_reaches(ground: Ground, stage: Stage) -> None:
    web = ground.address("web")
    require_said(
        stage,
        {
            **dict.fromkeys(["mail:8080", "mail.test:9001", "gate:9000", "localhost:8080"], OPEN),
            **dict.fromkeys(["mail:9003", f"{web}:8080"], SILENT),
        },
    )
    ground.require({"gate": {f"tcp:{web}:8080"}})  # it is open to whom a flow lets pass


def test_other_teams_the_engines_host_and_metadata_are_out_of_reach(
    ground: Ground,
    stage: Stage,
) -> None:
    theirs = f"{ground.address('mail', team='blue')}:8080"
    gateway = ground.plans["red"].networks[0].subnet[1]
    with socket.create_server(("0.0.0.0", 0)) as service:
        port = service.getsockname()[1]
        until(lambda: _listens(gateway, port), what="the control", within=SOON)
        until(lambda: is_open(stage, theirs, "bob"), what="the control", within=SOON)
        said = all_asked(
            stage, [theirs, f"{gateway}:{port}", f"{METADATA}:80", "10.255.255.254:22"]
        )
    assert not [goal for goal, why in said.items() if "open failed" not in why], said
    assert not [goal for goal, why in said.items() if SILENT not in why and NOWHERE not in why]


def test_a_hidden_host_is_no_name_for_a_forward(ground: Ground, stage: Stage) -> None:
    # Its alias is known, and only UDP leads there.
    require_said(stage, {"c2:9000": "the host knows no such name", "c2.test:9000": SILENT})


def test_a_crafted_address_asks_nothing(stage: Stage) -> None:
    goals = ["-x:80", "a;b:80", "%s%n:80", f"{'a' * 255}:80"]
    said = all_asked(stage, goals)
    assert all("open failed" in why for why in said.values()), said
    until(lambda: is_open(stage, "localhost:8080"), what="what carries forwards", within=SOON)


def test_what_carries_forwards_has_no_power_and_is_not_seen_from_the_host(
    ground: Ground,
    stage: Stage,
    docker_client: docker.DockerClient,
) -> None:
    until(lambda: is_open(stage, "localhost:8080"), what="a carrier", within=SOON)
    (carrier,) = beside(docker_client, ground, "red")
    host = docker_client.containers.get(
        container_name(ground.engine._installation, ground.key("pc"))
    )
    (standing,) = (thing for thing in ground.engine.standing() if thing.id == carrier.id)
    assert (standing.throwaway, standing.team) == (False, "red"), "the janitor leaves it alone"
    options = carrier.attrs["HostConfig"]
    assert options["NetworkMode"] == f"container:{host.id}"
    assert (options["CapDrop"], options["CapAdd"] or []) == (["ALL"], [])
    assert (options["ReadonlyRootfs"], options["Privileged"]) == (True, False)
    assert (options["PidMode"], options["Binds"] or [], carrier.attrs["Mounts"]) == ("", [], [])
    assert carrier.attrs["Config"]["User"] == NOBODY
    status = carrier.exec_run(["grep", "CapEff", "/proc/1/status"]).output
    assert isinstance(status, bytes)
    assert status.decode().split() == ["CapEff:", "0" * 16]
    inside = host.exec_run(["sh", "-c", "cat /proc/[0-9]*/cmdline"]).output
    assert b"IO::Socket" in inside, "the host's own service is seen"
    assert b"AI_NUMERICHOST" not in inside


def test_a_world_that_is_removed_takes_its_forwards_along(
    ground: Ground,
    stage: Stage,
    docker_client: docker.DockerClient,
) -> None:
    program, *line = stage.ssh_line(login="bob")
    with subprocess.Popen(
        [program, "-W", "localhost:8080", *line],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as client:  # fmt: skip
        eventually(
            lambda: bool(beside(docker_client, ground, "blue")), what="a carrier", seconds=60
        )
        ground.engine.remove_world(ground.plans["blue"].key)
        client.wait(timeout=60)
    assert not [left for left in ground.engine._removal.remaining() if ".blue." in left]
    # One that the gateway began meanwhile ends with the host, and the engine removes it then.
    eventually(
        lambda: not beside(docker_client, ground, "blue"), what="the carrier's end", seconds=60
    )
    until(lambda: is_open(stage, "mail:8080"), what="the other team's", within=SOON)
    _raise(ground.engine, ground.plans["blue"])  # tests come in any order


def beside(
    client: docker.DockerClient,
    ground: Ground,
    team: str,
) -> list[Container]:
    world = ground.plans[team].key
    labels = [f"{EXERCISE}={world.exercise}", f"{TEAM}={team}", f"{KIND}={Kind.REACH}"]
    return client.containers.list(all=True, ignore_removed=True, filters={"label": labels})
