"""What only a real Docker Engine can show."""

import io
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Network
from pathlib import Path

import docker
import pytest
from docker.errors import APIError

from core.ids import ExerciseId, new_id
from core.settings import read_settings
from core.waiting import pause, until
from orchestrator.domain.world import (
    AccountPlan,
    Attachment,
    HostKey,
    HostPlan,
    ImageBuild,
    NetworkPlan,
    WorldKey,
)
from orchestrator.engine import removal
from orchestrator.engine.hosts import Hosts
from orchestrator.engine.labels import OWNER, Labels
from orchestrator.engine.names import bridge_prefix, container_name
from orchestrator.engine.runtime import DockerEngine
from orchestrator.engine.toolbox import Toolbox
from orchestrator.ports import EngineRefusedError, RunResult, UnknownImageError
from tests.contracts.engine_cases import DockerCase

pytestmark = pytest.mark.engine

SOON = timedelta(seconds=60)


@pytest.fixture
def host(docker_case: DockerCase, subnet: IPv4Network) -> Iterator[HostKey]:
    """Lend a host with an account, `ann`, whose password is `open sesame`."""
    world = WorldKey(exercise=ExerciseId(new_id()), team="team-1")
    docker_case.engine.raise_network(world, NetworkPlan(network="lan", subnet=subnet))
    docker_case.engine.raise_host(world, desk(docker_case, subnet))
    yield HostKey(world=world, host="desk")
    docker_case.engine.remove_exercise(world.exercise)


def desk(docker_case: DockerCase, subnet: IPv4Network) -> HostPlan:
    return HostPlan(
        host="desk",
        image=docker_case.image,
        attachments=(Attachment(network="lan", address=subnet[10], alias="pc"),),
        accounts=(AccountPlan(name="ann", password="open sesame"),),
    )


def test_a_host_that_was_left_half_filled_gets_the_images_accounts(
    docker_case: DockerCase, docker_client: docker.DockerClient, host: HostKey, subnet: IPv4Network
) -> None:
    plan = replace(
        desk(docker_case, subnet),
        host="half",
        attachments=(Attachment(network="lan", address=subnet[12]),),
    )
    half = replace(host, host="half")
    docker_case.leave_created(host.world, plan)
    # As a full disk leaves it.
    name = container_name(docker_case._installation, half)
    docker_client.api.put_archive(name, "/etc", archive_of("passwd", b"ro"))
    another = DockerEngine(read_settings().docker_host, installation=docker_case._installation)
    another.raise_host(host.world, plan)
    for account in ("root", "ann"):
        ran = another.run(half, ("whoami",), timeout=SOON, account=account)
        assert (ran.exit_code, ran.output) == (0, f"{account}\n")
    ours = {"label": f"{OWNER}={docker_case._installation}"}
    containers = docker_client.api.containers(all=True, filters=ours)
    assert [c for c in containers if c["Command"] == "true"] == []


def archive_of(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        header = tarfile.TarInfo(name)
        header.size = len(content)
        tar.addfile(header, io.BytesIO(content))
    return buffer.getvalue()


def test_a_limit_of_the_disk_that_the_engine_cannot_keep_to_stops_no_host(
    docker_case: DockerCase, host: HostKey, subnet: IPv4Network
) -> None:
    plan = desk(docker_case, subnet)
    limited = replace(
        plan,
        host="limited",
        attachments=(Attachment(network="lan", address=subnet[11]),),
        limits=replace(plan.limits, disk=2 * 1024**3),
    )
    docker_case.engine.raise_host(host.world, limited)
    assert replace(host, host="limited") in docker_case.engine.running(host.world.exercise)


def test_what_a_host_writes_beyond_its_image_is_told_in_bytes(
    docker_case: DockerCase, host: HostKey
) -> None:
    exercise = host.world.exercise
    before = docker_case.engine.written(exercise)[host]
    fill = ("sh", "-c", "head -c 5000000 /dev/zero > /var/tmp/ballast")
    assert docker_case.engine.run(host, fill, timeout=SOON).exit_code == 0
    grown = docker_case.engine.written(exercise)[host] - before
    assert 5_000_000 <= grown < 6_000_000


def ended(
    case: DockerCase, host: HostKey, command: tuple[str, ...], *, says: int, account: str = "root"
) -> RunResult:
    """Return how a command ends that goes on for ever, after so many bytes of output.

    Its time runs from before the engine begins it, which takes a busy one seconds.
    """
    timeout = timedelta(seconds=3)
    while True:
        result = case.engine.run(host, command, timeout=timeout, account=account)
        if len(result.output) >= says or timeout > SOON / 2:
            return result
        timeout *= 4


@pytest.mark.parametrize("account", ["root", "ann"])
def test_a_command_that_is_ended_leaves_no_process(
    docker_case: DockerCase, host: HostKey, account: str
) -> None:
    family = ("sh", "-c", "echo begun; sleep 3601 & sleep 3602")
    result = ended(docker_case, host, family, says=len("begun\n"), account=account)
    assert result == RunResult(exit_code=124, output="begun\n")
    command = ("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    until(
        lambda: "sleep 360" not in docker_case.engine.run(host, command, timeout=SOON).output,
        what="the processes to be gone",
        within=SOON,
    )


def test_a_command_that_never_stops_talking_is_ended_too(
    docker_case: DockerCase, host: HostKey
) -> None:
    result = ended(docker_case, host, ("yes",), says=64 * 1024)
    assert result.exit_code == 124
    assert len(result.output) == 64 * 1024


def test_a_command_that_says_too_much_still_tells_how_it_ended(
    docker_case: DockerCase, host: HostKey
) -> None:
    command = ("bash", "-c", "head -c 3000000 /dev/zero | tr '\\0' x; exit 3")
    result = docker_case.engine.run(host, command, timeout=SOON)
    assert (result.exit_code, len(result.output)) == (3, 64 * 1024)


def test_a_command_runs_as_the_account_in_the_root_folder_with_both_outputs(
    docker_case: DockerCase, host: HostKey
) -> None:
    command = ("sh", "-c", "whoami; pwd >&2; exit 5")
    result = docker_case.engine.run(host, command, timeout=SOON, account="ann")
    assert (result.exit_code, sorted(result.output.split())) == (5, ["/", "ann"])


def test_quick_answers_are_never_lost(docker_case: DockerCase, host: HostKey) -> None:
    def echo(number: int) -> str:
        return docker_case.engine.run(host, ("echo", str(number)), timeout=SOON).output

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(echo, range(40))) == [f"{number}\n" for number in range(40)]


def test_the_planned_password_is_the_one_that_a_login_accepts(
    docker_case: DockerCase, host: HostKey
) -> None:
    check = 'my $h = (getpwnam "ann")[1]; exit(crypt($ARGV[0], $h) eq $h ? 0 : 1)'
    right = docker_case.engine.run(host, ("perl", "-e", check, "open sesame"), timeout=SOON)
    wrong = docker_case.engine.run(host, ("perl", "-e", check, "close sesame"), timeout=SOON)
    assert (right.exit_code, wrong.exit_code) == (0, 1)


def test_a_probe_stands_in_the_hosts_network_with_its_tools(
    docker_case: DockerCase, host: HostKey, subnet: IPv4Network
) -> None:
    command = ("sh", "-c", "ip -br -4 addr; dig +short pc; command -v curl; command -v nc")
    said = docker_case.engine.probe(host, command, timeout=SOON).output
    assert f"{subnet[10]}/24" in said
    assert f"\n{subnet[10]}\n" in said
    assert "/usr/bin/curl" in said
    assert "/usr/bin/nc" in said


def test_every_host_stays_up_behind_an_init(
    docker_case: DockerCase, host: HostKey, subnet: IPv4Network
) -> None:
    lasting = HostPlan(
        host="own",
        image=docker_case.looking_image,
        attachments=(Attachment(network="lan", address=subnet[11]),),
    )
    docker_case.engine.raise_host(host.world, lasting)
    first = ("cat", "/proc/1/cmdline")
    bare = docker_case.engine.run(host, first, timeout=SOON).output
    own = docker_case.engine.run(replace(host, host="own"), first, timeout=SOON).output
    assert bare.startswith("/sbin/docker-init")
    assert own.startswith("/sbin/docker-init")


def test_two_installations_on_one_engine_leave_each_other_alone(
    docker_case: DockerCase, host: HostKey
) -> None:
    other = DockerEngine(read_settings().docker_host, installation=f"other-{new_id(6)}")
    other.remove_everything()
    assert docker_case.engine.observe(host.world.exercise)[0].running
    assert other.observe(host.world.exercise) == ()


def test_removing_everything_takes_images_and_firewall_rule_along(
    docker_case: DockerCase, docker_client: docker.DockerClient
) -> None:
    installation = f"gone-{new_id(6)}"
    engine = DockerEngine(read_settings().docker_host, installation=installation)
    engine.protect_host()
    others = docker_case._engine._toolbox
    assert bridge_prefix(installation) in _firewall(others)
    removed = engine.remove_everything()
    assert removed.images == 1
    assert bridge_prefix(installation) not in _firewall(others)
    assert not docker_client.images.list(filters={"label": f"{OWNER}={installation}"})
    with pytest.raises(UnknownImageError):
        engine.require_image(engine._toolbox.reference)


@pytest.mark.parametrize(
    "words",
    [
        "task {}: already exists",
        "failed to start shim: mkdir /run/docker/containerd/daemon/task/moby/{}: file exists",
        "id already in use",
    ],
)
def test_a_host_that_the_engine_lost_half_started_is_made_again(
    docker_client: docker.DockerClient,
    docker_case: DockerCase,
    host: HostKey,
    subnet: IPv4Network,
    words: str,
) -> None:
    """What an engine says that was killed while it started a container; seen by bench faults."""
    lost = docker_client.containers.get(docker_case._name(host))
    lost.stop(timeout=0)
    start = Hosts._start

    def refusing(hosts: Hosts, container: str) -> None:
        if container == lost.id:
            raise EngineRefusedError(f"the Docker Engine refused: {words.format(container)}")
        start(hosts, container)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Hosts, "_start", refusing)
        docker_case.engine.raise_host(host.world, desk(docker_case, subnet))
    made = docker_client.containers.get(docker_case._name(host))
    assert made.id != lost.id
    assert made.status == "running"


def test_a_helper_that_a_killed_process_left_goes_with_the_next_removal(
    docker_client: docker.DockerClient,
    docker_case: DockerCase,
    host: HostKey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    labels = Labels(installation=docker_case._installation).helper()
    left = docker_client.containers.create(docker_case.image, labels=labels)
    docker_case.engine.remove_world(host.world)
    left.reload()  # it is young, and may be at work
    monkeypatch.setattr(removal, "_STRAY_AFTER", "0s")

    def is_gone() -> bool:
        docker_case.engine.remove_world(host.world)  # one at a time on an engine: it may be skipped
        return not docker_client.containers.list(
            all=True, sparse=True, filters={"id": left.id or ""}
        )

    until(is_gone, what="the helper to go", within=SOON)


def test_builds_take_no_place_of_worlds_and_are_two_at_once(
    docker_client: docker.DockerClient, tmp_path: Path
) -> None:
    installation = f"slow-{new_id(6)}"
    narrow = DockerEngine(read_settings().docker_host, installation=installation, parallelism=1)
    builds = [held_build(tmp_path / str(number), installation) for number in range(3)]

    def steps() -> list[str]:
        """Return the containers of build steps that run now."""
        listed = docker_client.api.containers()
        return [found["Id"] for found in listed if installation in found["Command"]]

    most = 0
    with ThreadPoolExecutor(3) as pool:
        built = [pool.submit(narrow.build_image, build) for build in builds]
        until(lambda: len(steps()) > 1, what="two builds to be under way", within=SOON)
        assert narrow.running(ExerciseId(new_id())) == frozenset()
        pause(2)  # in which a third one might begin
        while not all(future.done() for future in built):
            under_way = steps()
            most = max(most, len(under_way))
            for step in under_way:
                let_go(docker_client, step)
        for future in built:
            future.result()
    narrow.remove_everything()
    assert most == 2


def let_go(client: docker.DockerClient, step: str) -> None:
    """Let a step of `held_build` end; it may have ended."""
    with suppress(APIError):
        made = client.api.exec_create(step, ["touch", "/go"])
        client.api.exec_start(made["Id"])


def held_build(folder: Path, mark: str) -> ImageBuild:
    """Return a build that waits to be let go, in a step whose command has `mark` in it."""
    folder.mkdir()
    wait = "for i in $(seq 100); do [ -e /go ] && break; sleep 1; done"
    step = f"RUN echo {mark} {new_id()}; {wait}"
    (folder / "Dockerfile").write_text(f"FROM {DockerCase.image}\n{step}\n")
    return ImageBuild(reference=f"slow-{new_id(8)}:1", context=folder, host="desk")


def test_the_firewall_rule_is_set_once_and_cleared(docker_case: DockerCase) -> None:
    toolbox = docker_case._engine._toolbox
    prefix = bridge_prefix(docker_case._installation)
    docker_case.engine.protect_host()
    docker_case.engine.protect_host()
    assert _firewall(toolbox).count(prefix) == 2  # one for IPv4, one for IPv6
    docker_case._engine._rules.clear()
    assert prefix not in _firewall(toolbox)


def _firewall(toolbox: Toolbox) -> str:
    command = ("sh", "-c", "iptables-nft -w -S INPUT; ip6tables-nft -w -S INPUT")
    return toolbox.run(
        command,
        network_mode="host",
        labels={},
        timeout=SOON,
        capabilities=("NET_ADMIN", "NET_RAW"),
    ).output
