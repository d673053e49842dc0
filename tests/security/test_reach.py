"""The engine's machine, seen from a host: no service of it answers, at no address of it.

The controls: the same program gets an answer to every question in an ordinary container, and in the
host itself from its own network once our rule is taken away. (Newer engines give a host on an
internal network no way to the machine's other addresses in the first place.)
"""

import socket
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from ipaddress import IPv4Network
from itertools import product
from pathlib import Path
from select import select

import docker
import pytest
from docker.models.containers import Container

from api.app import create_app
from core.waiting import WaitedTooLongError, until
from orchestrator.engine.names import bridge_name
from tests.fakes.gateway_stage import a_stage
from tests.fakes.served import served
from tests.security.attacked_range import BLUE, RED, SOON, Range, connecting, ordinary, said_by
from tests.security.probes import ASK, HELLO, LISTEN, PORT

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

METADATA = "169.254.169.254"
ADDRESSES = ("own network", "other team's network", "docker0", "its own", "metadata service")
SERVICES = ("any service", "datagrams", "engine 2375", "engine 2376", "gateway", "web", "ping")
EVERYWHERE = "0.0.0.0"


@pytest.fixture(scope="module")
def addresses(attacked: Range, docker_client: docker.DockerClient) -> Iterator[dict[str, str]]:
    """Lend addresses of the machine; it has that of clouds' metadata services for the while."""
    bridge = docker_client.networks.get("bridge").attrs["IPAM"]["Config"][0]
    # An engine that was never restarted does not say it.
    docker0 = bridge.get("Gateway", str(IPv4Network(bridge["Subnet"])[1]))
    found = {
        "own network": str(attacked.gateway(RED)),
        "other team's network": str(attacked.gateway(BLUE)),
        "docker0": docker0,
        "its own": docker0,
        "metadata service": METADATA,
    }
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outwards, suppress(OSError):
        outwards.connect(("192.0.2.1", 9))  # nothing is sent; a machine alone has no way there
        found["its own"] = outwards.getsockname()[0]
    _on_machine(attacked, "replace")  # it may be left of a run that was killed
    try:
        yield found
    finally:
        _on_machine(attacked, "del")


def _on_machine(attacked: Range, act: str) -> None:
    result = attacked.engine._toolbox.run(
        ("ip", "address", act, f"{METADATA}/32", "dev", "lo"),
        network_mode="host",
        labels=attacked.engine._labels.helper(),
        timeout=SOON,
        capabilities=("NET_ADMIN",),
    )
    assert result.ok, result.output


@pytest.fixture(scope="module")
def services(
    attacked: Range, addresses: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, tuple[str, int]]]:
    """Lend services of the machine that listen at all its addresses: how to ask, and the port."""
    folder = tmp_path_factory.mktemp("reach")
    with ExitStack() as held:
        listening = {
            name: held.enter_context(socket.create_server((EVERYWHERE, port)))
            for name, port in (("any service", 0), ("engine 2375", 2375), ("engine 2376", 2376))
        }
        ports = {name: ("tcp", one.getsockname()[1]) for name, one in listening.items()}
        stage = a_stage(folder, installation=attacked.installation, hosts={}, address=EVERYWHERE)
        ports["gateway"] = "tcp", held.enter_context(stage).gateway.port
        web = held.enter_context(served(create_app(attacked.services), address=EVERYWHERE))
        ports["web"] = "tcp", int(web.rpartition(":")[2])
        ports["datagrams"] = "udp", held.enter_context(_echo(set(addresses.values())))
        ports["ping"] = "icmp", 0
        yield ports


@contextmanager
def _echo(addresses: Iterable[str]) -> Iterator[int]:
    """Lend the port at which each address sends datagrams back, and from where it was asked."""
    with ExitStack() as held:
        ears = [held.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in addresses]
        port = 0
        for ear, address in zip(ears, addresses, strict=True):
            ear.bind((address, port))
            port = ear.getsockname()[1]
        is_over = threading.Event()

        def answer() -> None:
            while not is_over.is_set():
                for ear in select(ears, [], [], 0.1)[0]:
                    ear.sendto(*ear.recvfrom(64))

        answering = threading.Thread(target=answer)
        answering.start()
        held.callback(answering.join)
        held.callback(is_over.set)
        yield port


@pytest.fixture(scope="module")
def questions(
    addresses: Mapping[str, str], services: Mapping[str, tuple[str, int]]
) -> dict[tuple[str, str], str]:
    asked = {}
    for service, (kind, port) in services.items():
        for name, address in addresses.items():
            asked[service, name] = f"{kind}:{address}:{port}" if port else f"{kind}:{address}"
    return asked


def _answered(ask: Callable[[], str], wanted: Iterable[str]) -> frozenset[str]:
    """Return what is answered, and ask again as long as something is not that is wanted.

    On a busy machine a question's time is over before it was sent.
    """
    answered, missing = set[str](), set(wanted)

    def is_all_answered() -> bool:
        answered.update(ask().split())
        return missing <= answered

    with suppress(WaitedTooLongError):  # each test tells which one it misses
        until(is_all_answered, what="every answer", within=SOON)
    return frozenset(answered)


@pytest.fixture(scope="module")
def without_the_rule(attacked: Range, questions: Mapping[tuple[str, str], str]) -> frozenset[str]:
    attacked.engine._rules.clear()
    own = (question for (_, name), question in questions.items() if name == "own network")
    try:
        return _answered(lambda: attacked.said(*_asking(questions)), own)
    finally:
        attacked.engine.protect_host()


@pytest.fixture(scope="module")
def outside(neighbour: Container, questions: Mapping[tuple[str, str], str]) -> frozenset[str]:
    return _answered(lambda: said_by(neighbour, *_asking(questions)), questions.values())


@pytest.fixture(scope="module")
def inside(
    attacked: Range, questions: Mapping[tuple[str, str], str], without_the_rule: frozenset[str]
) -> frozenset[str]:
    assert without_the_rule, "the control, which also set the rule again"
    return frozenset(attacked.said(*_asking(questions)).split())


def _asking(questions: Mapping[tuple[str, str], str]) -> tuple[str, ...]:
    return ("perl", "-e", ASK, *questions.values())


@pytest.mark.parametrize(("service", "address"), list(product(SERVICES, ADDRESSES)))
def test_no_service_of_the_machine_is_reached(
    questions: Mapping[tuple[str, str], str],
    outside: frozenset[str],
    inside: frozenset[str],
    service: str,
    address: str,
) -> None:
    question = questions[service, address]
    assert question in outside, "the control: an ordinary container reaches it"
    assert question not in inside


@pytest.mark.parametrize("service", SERVICES)
def test_it_is_our_rule_that_closes_the_machine(
    questions: Mapping[tuple[str, str], str], without_the_rule: frozenset[str], service: str
) -> None:
    assert questions[service, "own network"] in without_the_rule


def test_a_port_that_another_container_publishes_is_not_reached(
    attacked: Range,
    neighbour: Container,
    docker_client: docker.DockerClient,
    addresses: Mapping[str, str],
) -> None:
    published = {f"{PORT}/tcp": [{"HostIp": EVERYWHERE, "HostPort": ""}]}
    serve = ("perl", "-e", LISTEN)
    with ordinary(docker_client, *serve, ports=[PORT], PortBindings=published) as service:
        bound = service.attrs["NetworkSettings"]["Ports"][f"{PORT}/tcp"]
        port = int(bound[0]["HostPort"])
        until(
            lambda: _connects(neighbour, addresses["docker0"], port),
            what="the control: an ordinary container reaches it",
            within=SOON,
        )
        asked = {f"tcp:{address}:{port}" for address in addresses.values()}
        assert attacked.said("perl", "-e", ASK, *asked) == ""


def _connects(container: Container, address: str, port: int) -> bool:
    return bool(container.exec_run(connecting(address, port)).exit_code == 0)


def test_the_machine_still_reaches_a_range(attacked: Range) -> None:
    with socket.socket() as connection:
        assert connection.connect_ex((str(attacked.address("peer")), 9)) != 0
    serving = f"perl -e '{LISTEN}' >/dev/null 2>&1 &"
    assert attacked.attempt("sh", "-c", serving, host="peer") == "done"
    until(lambda: attacked.engine.accepts_tcp(attacked.host("peer"), PORT), what="it", within=SOON)
    with socket.create_connection((str(attacked.address("peer")), PORT), timeout=60) as connection:
        assert connection.getpeername()[1] == PORT


def test_over_ipv6_nobody_on_the_link_is_told_anything(
    attacked: Range, docker_client: docker.DockerClient
) -> None:
    bridge = _link_addresses(bridge_name(attacked.installation, attacked.network()))
    told = [*bridge, "ff02::1"]
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as ears:
        ears.bind(("::", 0))
        hello = ("perl", "-e", HELLO, str(ears.getsockname()[1]), *told)
        with _with_ipv6(docker_client, attacked.network()) as neighbour:
            attacked.engine._rules.clear()
            try:
                said_by(neighbour, *hello)
                wanted = {f"hello {one}" for one in told} if bridge else set()
                heard = _heard(ears, wanted)
            finally:
                attacked.engine.protect_host()
            assert heard == wanted, "the control"
            assert said_by(neighbour, *hello) == "sent\n" * len(told)
        assert attacked.said(*hello) == "refused\n" * len(told)
        assert _heard(ears) == set()


def _link_addresses(device: str) -> list[str]:
    """Return the IPv6 addresses of a device of the machine; not every engine gives a bridge one."""
    lines = [line.split() for line in Path("/proc/net/if_inet6").read_text().splitlines()]
    return [
        socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits))
        for digits, *_, name in lines
        if name == device
    ]


@contextmanager
def _with_ipv6(client: docker.DockerClient, network: str) -> Iterator[Container]:
    sysctls = {"net.ipv6.conf.all.disable_ipv6": "0"}
    with ordinary(client, "sleep", "7200", network=network, Sysctls=sysctls) as container:
        until(
            lambda: " 20 80 " in said_by(container, "cat", "/proc/net/if_inet6"),
            what="its address on the link",
            within=SOON,
        )
        yield container


def _heard(ears: socket.socket, wanted: Collection[str] = ()) -> set[str]:
    """Return what was said until half a second of silence, once all was that is wanted."""
    heard = set[str]()
    with suppress(TimeoutError):
        while True:
            ears.settimeout(0.5 if heard.issuperset(wanted) else SOON.total_seconds())
            heard.add(ears.recv(64).decode())
    return heard
