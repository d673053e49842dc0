"""Readiness is found inside the host: told by itself after a start, asked of it otherwise."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from core.ids import new_id
from core.waiting import until
from orchestrator.domain.world import (
    Attachment,
    HostKey,
    HostPlan,
    ImageBuild,
    NetworkPlan,
    ReadyProbe,
    WorldKey,
)
from orchestrator.engine.runtime import DockerEngine
from orchestrator.ports import HostGoneError, HostNotReadyError
from tests.contracts.engine_cases import DockerCase, EngineCase

SOON = timedelta(seconds=60)
AT_ONCE = timedelta(seconds=1)
TENTH = timedelta(milliseconds=100)

Raise = Callable[..., HostPlan]


@pytest.fixture
def raise_host(case: EngineCase, world: WorldKey, subnet: IPv4Network) -> Raise:
    """Raise a host with these probes, on a network of its own."""

    def raised(*probes: ReadyProbe, image: str = "") -> HostPlan:
        plan = HostPlan(
            host="desk",
            image=image or case.image,
            attachments=(Attachment(network="lan", address=subnet[10]),),
            probes=probes,
        )
        case.engine.raise_network(world, NetworkPlan(network="lan", subnet=subnet))
        case.engine.raise_host(world, plan)
        return plan

    return raised


def test_a_host_without_probes_is_ready_at_once(
    case: EngineCase, world: WorldKey, raise_host: Raise
) -> None:
    case.engine.await_ready(world, raise_host())


def test_a_host_whose_probes_pass_is_ready_each_time_it_is_asked(
    case: EngineCase, world: WorldKey, raise_host: Raise
) -> None:
    plan = raise_host(
        ReadyProbe(run=("true",), within=SOON), ReadyProbe(run=("echo", "a b"), within=SOON)
    )
    case.engine.await_ready(world, plan)
    case.engine.raise_host(world, plan)
    case.engine.await_ready(world, plan)


def test_a_failing_probe_is_named_with_its_host_and_time(
    case: EngineCase, world: WorldKey, raise_host: Raise
) -> None:
    plan = raise_host(
        ReadyProbe(run=("true",), within=SOON),
        ReadyProbe(run=("false",), within=AT_ONCE, every=TENTH),
    )
    with pytest.raises(HostNotReadyError) as late:
        case.engine.await_ready(world, plan)
    assert late.value.host == "desk"
    assert late.value.message == "desk did not become ready within 1 s: false"


def test_a_port_that_nobody_listens_on_is_not_ready(
    case: EngineCase, world: WorldKey, raise_host: Raise
) -> None:
    plan = raise_host(ReadyProbe(tcp=4100, within=AT_ONCE, every=TENTH))
    with pytest.raises(HostNotReadyError) as late:
        case.engine.await_ready(world, plan)
    assert "does not accept" in late.value.output


@pytest.fixture
def real(docker_case: DockerCase) -> DockerCase:
    return docker_case


def other_process(real: DockerCase) -> DockerEngine:
    """Return the same engine as another process sees it, which started nothing itself."""
    engine = real.engine
    assert isinstance(engine, DockerEngine)
    return DockerEngine(engine._connection.address, installation=engine._installation)


@pytest.mark.engine
class TestOnDocker:
    """What only a host that really runs can show."""

    @pytest.fixture(params=["docker"])
    def case(self, real: DockerCase) -> EngineCase:
        return real

    def run(self, case: EngineCase, world: WorldKey, script: str) -> str:
        key = HostKey(world=world, host="desk")
        return case.engine.run(key, ("sh", "-c", script), timeout=SOON).output

    def test_it_waits_for_what_comes_later(
        self, case: EngineCase, world: WorldKey, raise_host: Raise
    ) -> None:
        plan = raise_host(ReadyProbe(run=("test", "-e", "/tmp/x y"), within=SOON, every=TENTH))
        noted = "cat /run/cyberpoligon/ready"  # which is an error until it begins to ask itself
        until(lambda: self.run(case, world, noted) == "", what="it asks itself", within=SOON)
        self.run(case, world, "touch '/tmp/x y'")
        case.engine.await_ready(world, plan)

    @pytest.mark.parametrize("goes", ["ends", "is removed"])
    def test_nobody_waits_for_one_that_is_gone(
        self, goes: str, case: EngineCase, world: WorldKey, raise_host: Raise
    ) -> None:
        plan = raise_host(ReadyProbe(run=("false",), within=timedelta(minutes=5), every=TENTH))
        key = HostKey(world=world, host="desk")
        with ThreadPoolExecutor(max_workers=1) as pool:
            waiting = pool.submit(case.engine.await_ready, world, plan)
            if goes == "ends":
                case.end(key)
            else:
                case.engine.remove_host(key)
            with pytest.raises(HostGoneError):
                waiting.result(SOON.total_seconds())

    def test_what_it_said_at_its_start_is_not_believed_later(
        self, real: DockerCase, case: EngineCase, world: WorldKey, raise_host: Raise
    ) -> None:
        probe = ReadyProbe(run=("test", "!", "-e", "/tmp/broken"), within=AT_ONCE, every=TENTH)
        plan = raise_host(probe)
        case.engine.await_ready(world, plan)
        self.run(case, world, "touch /tmp/broken; echo no luck >&2")
        for engine in (case.engine, other_process(real)):
            engine.raise_host(world, plan)
            with pytest.raises(HostNotReadyError):
                engine.await_ready(world, plan)

    def test_a_port_is_found_by_a_host_that_just_started_and_by_asking(
        self, real: DockerCase, case: EngineCase, world: WorldKey, raise_host: Raise
    ) -> None:
        plan = raise_host(ReadyProbe(tcp=4100, within=SOON, every=TENTH))
        key = HostKey(world=world, host="desk")
        # The base image has nothing that listens: the toolbox does, in the host's network, until
        # somebody comes to another port.
        listen = ("sh", "-c", "nc -l -k -p 4100 & nc -l -p 4102")
        come = "bash -c 'exec 3<>/dev/tcp/127.0.0.1/4102'"
        with ThreadPoolExecutor(max_workers=1) as pool:
            listener = pool.submit(other_process(real).probe, key, listen, timeout=SOON)
            case.engine.await_ready(world, plan)
            assert case.engine.accepts_tcp(key, 4100)
            assert not case.engine.accepts_tcp(key, 4101)
            until(lambda: self.run(case, world, come) == "", what="its end", within=SOON)
            listener.result()

    def test_the_image_s_own_process_runs_as_if_nobody_asked(
        self, real: DockerCase, case: EngineCase, world: WorldKey, raise_host: Raise, tmp_path: Path
    ) -> None:
        (tmp_path / "Dockerfile").write_text(
            "FROM debian:bookworm-slim\nWORKDIR /srv\n"
            'ENTRYPOINT ["sh", "-c", "pwd >/tmp/where; echo $0 $* >/tmp/args; exec sleep 7200"]\n'
            'CMD ["first", "second"]\n'
        )
        reference = f"cyberpoligon-{new_id(6)}/own:1"
        case.engine.build_image(ImageBuild(reference=reference, context=tmp_path, host="desk"))
        plan = raise_host(
            ReadyProbe(run=("test", "-s", "/tmp/args"), within=SOON, every=TENTH), image=reference
        )
        case.engine.await_ready(world, plan)
        assert self.run(case, world, "cat /tmp/where /tmp/args") == "/srv\nfirst second\n"

        def names() -> list[str]:
            return self.run(case, world, "cat /proc/[0-9]*/comm").split()

        until(lambda: "sleep" in names(), what="the process to have become its last", within=SOON)
        assert names().count("sleep") == 1, "the questions are over and left nothing behind"

    def test_a_host_of_another_user_is_asked_as_root(
        self, case: EngineCase, world: WorldKey, raise_host: Raise, tmp_path: Path
    ) -> None:
        (tmp_path / "Dockerfile").write_text(
            'FROM debian:bookworm-slim\nUSER games\nCMD ["sleep", "infinity"]\n'
        )
        reference = f"cyberpoligon-{new_id(6)}/games:1"
        case.engine.build_image(ImageBuild(reference=reference, context=tmp_path, host="desk"))
        probe = ReadyProbe(run=("test", "-r", "/etc/shadow"), within=SOON)
        case.engine.await_ready(world, raise_host(probe, image=reference))
