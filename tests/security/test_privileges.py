"""What a site's policy permits reaches the host, and nothing that it does not permit."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network
from pathlib import Path

import docker
import pytest

from core.ids import ExerciseId, new_id
from core.settings import read_settings
from core.waiting import until
from orchestrator.domain.world import (
    Attachment,
    HostKey,
    HostPlan,
    NetworkPlan,
    Privileges,
    WorldKey,
)
from orchestrator.engine.commands import TIMED_OUT
from orchestrator.engine.names import container_name
from orchestrator.engine.runtime import DockerEngine
from orchestrator.ports import EngineRefusedError
from orchestrator.terminal.commands import reaping
from tests.addresses import fresh_subnet
from tests.security.attacked_range import IMAGE
from tests.security.probes import SEND, arp_frame

pytestmark = [pytest.mark.engine, pytest.mark.enable_socket]

SOON = timedelta(seconds=60)
NET_RAW, SYS_PTRACE = 13, 19  # linux/capability.h

# Prints every frame that comes in, in hex.
HEAR = """
$| = 1; socket(my $s, 17, 3, 0x0300) or die "socket: $!"; print "hears\n";
while (defined recv($s, my $frame, 2000, 0)) { print unpack("H*", $frame), "\n" }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A team's network; `raised` makes a host on it with these privileges."""

    engine: DockerEngine
    installation: str
    world: WorldKey
    subnet: IPv4Network

    def plan(self, host: str, privileges: Privileges, *, on_lan: bool = True) -> HostPlan:
        address = self.subnet[10 + ("box", "peer", "odd").index(host)]
        places = (Attachment(network="lan", address=address),) if on_lan else ()
        return HostPlan(host=host, image=IMAGE, attachments=places, privileges=privileges)

    def raised(
        self, privileges: Privileges, host: str = "box", *, on_lan: bool = True
    ) -> Callable[..., str]:
        """Raise a host; return what runs a command of it as root and returns what it said."""
        self.engine.raise_host(self.world, self.plan(host, privileges, on_lan=on_lan))
        key = HostKey(world=self.world, host=host)

        def said(*command: str) -> str:
            return self.engine.run(key, command, timeout=SOON).output.strip()

        return said


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    installation = f"may-{new_id(6)}"
    engine = DockerEngine(read_settings().docker_host, installation=installation)
    subnet = fresh_subnet()
    world = WorldKey(exercise=ExerciseId(new_id()), team="red")
    try:
        engine.raise_network(world, NetworkPlan(network="lan", subnet=subnet))
        yield Ground(engine=engine, installation=installation, world=world, subnet=subnet)
    finally:
        engine.remove_everything()


def capabilities(said: Callable[..., str]) -> int:
    (line,) = said("grep", "CapEff", "/proc/self/status").splitlines()
    return int(line.split()[1], 16)


def test_capabilities_are_those_that_were_permitted(ground: Ground) -> None:
    usual = capabilities(ground.raised(Privileges()))
    more = capabilities(ground.raised(Privileges(capabilities=("NET_RAW", "SYS_PTRACE"))))
    assert more ^ usual == 1 << NET_RAW | 1 << SYS_PTRACE


def test_a_privileged_host_has_every_capability_or_is_refused(ground: Ground) -> None:
    """The engine gives all or nothing: one that lacks a capability itself starts no such host."""
    (bound,) = (
        line for line in Path("/proc/1/status").read_text().splitlines() if "CapBnd" in line
    )
    every = (2 << int(Path("/proc/sys/kernel/cap_last_cap").read_text())) - 1
    if int(bound.split()[1], 16) != every:
        with pytest.raises(EngineRefusedError, match="unable to apply caps"):
            ground.raised(Privileges(privileged=True))
        ground.engine.remove_host(HostKey(world=ground.world, host="box"))
        return
    said = ground.raised(Privileges(privileged=True))
    assert capabilities(said) == every
    assert said("grep", "^Seccomp:", "/proc/self/status").split() == ["Seccomp:", "0"]


def test_sysctls_are_set_in_the_hosts_own_network(ground: Ground) -> None:
    path = "/proc/sys/net/ipv4/tcp_fin_timeout"
    usual = ground.raised(Privileges())("cat", path)
    assert usual != "17"
    assert (
        ground.raised(Privileges(sysctls={"net.ipv4.tcp_fin_timeout": "17"}))("cat", path) == "17"
    )
    assert Path(path).read_text().strip() != "17", "and the machine keeps its own"


def test_more_names_stand_in_the_hosts_file(ground: Ground) -> None:
    said = ground.raised(Privileges(names={"old.test": "192.0.2.7"}))
    assert said("getent", "ahostsv4", "old.test").split()[:3] == ["192.0.2.7", "STREAM", "old.test"]


def test_a_device_is_there_only_where_it_was_permitted(ground: Ground) -> None:
    look = ("sh", "-c", "test -c /dev/net/tun && : < /dev/net/tun && echo opened || echo none")
    assert ground.raised(Privileges())(*look).endswith("none")
    assert ground.raised(Privileges(devices=("/dev/net/tun",)))(*look) == "opened"


def test_a_volume_is_read_only_unless_it_says_otherwise(ground: Ground, tmp_path: Path) -> None:
    (tmp_path / "note").write_text("hello")
    said = ground.raised(Privileges(volumes=(f"{tmp_path}:/given",)))
    assert said("cat", "/given/note") == "hello"
    assert "Read-only file system" in said("touch", "/given/new")
    ground.raised(Privileges(volumes=(f"{tmp_path}:/given:rw",)))("touch", "/given/new")
    assert (tmp_path / "new").exists()


def test_a_place_that_is_missing_is_refused_and_not_made(ground: Ground, tmp_path: Path) -> None:
    with pytest.raises(EngineRefusedError, match="bind source path does not exist"):
        ground.raised(Privileges(volumes=(f"{tmp_path}/gone:/given",)))
    assert not (tmp_path / "gone").exists()


def test_a_runtime_that_the_engine_lacks_is_named(ground: Ground) -> None:
    assert "runc" in ground.engine.info().runtimes
    assert "nosuch" not in ground.engine.info().runtimes
    with pytest.raises(EngineRefusedError, match="nosuch") as refused:
        ground.raised(Privileges(runtime="nosuch"))
    assert refused.value.message == "the engine has no runtime nosuch"
    assert ground.raised(Privileges(runtime="runc"))("echo", "runs") == "runs"


def test_guards_are_off_where_that_was_permitted(ground: Ground) -> None:
    show = ("grep", "-E", "^(Seccomp|NoNewPrivs):", "/proc/self/status")
    assert ground.raised(Privileges())(*show).split() == ["NoNewPrivs:", "1", "Seccomp:", "2"]
    security = ("seccomp:unconfined", "no-new-privileges:false", "apparmor:unconfined")
    without = ground.raised(Privileges(security=security))
    assert without(*show).split() == ["NoNewPrivs:", "0", "Seccomp:", "0"]


def test_shared_memory_is_the_machines_where_that_was_permitted(ground: Ground) -> None:
    machine = str(Path("/proc/self/ns/ipc").readlink())
    assert ground.raised(Privileges())("readlink", "/proc/self/ns/ipc") != machine
    assert ground.raised(Privileges(host_ipc=True))("readlink", "/proc/self/ns/ipc") == machine


def test_user_ids_are_the_machines_where_that_was_permitted(
    ground: Ground, docker_client: docker.DockerClient
) -> None:
    ground.raised(Privileges(host_users=True))
    name = container_name(ground.installation, HostKey(world=ground.world, host="box"))
    assert docker_client.api.inspect_container(name)["HostConfig"]["UsernsMode"] == "host"


def namespace(kind: str) -> str:
    return str(Path(f"/proc/self/ns/{kind}").readlink())


def test_the_machines_name_is_lent_where_that_was_permitted(ground: Ground) -> None:
    assert ground.raised(Privileges())("hostname") == "box"
    lent = ground.raised(Privileges(host_name=True))
    assert lent("hostname") == socket.gethostname()
    assert lent("readlink", "/proc/self/ns/uts") == namespace("uts")
    assert "you must be root" in lent("hostname", "other"), "nor can its root change it"


def test_a_host_without_any_network_hears_and_reaches_nothing(ground: Ground) -> None:
    ground.raised(Privileges(), host="peer")
    look = ("sh", "-c", "ls /sys/class/net; getent hosts peer || echo nobody")
    assert "eth0" in ground.raised(Privileges())(*look).split()
    alone = ground.raised(Privileges(), on_lan=False)
    assert alone(*look).split() == ["lo", "nobody"]
    assert alone("readlink", "/proc/self/ns/net") != namespace("net")


def test_the_machines_network_is_lent_where_that_was_permitted(ground: Ground) -> None:
    """Raw sockets are not held there to addresses of its own: the rules would be the machine's."""
    lent = ground.raised(Privileges(host_network=True, capabilities=("NET_RAW",)), on_lan=False)
    assert lent("readlink", "/proc/self/ns/net") == namespace("net")
    assert lent("hostname") == "box"
    assert lent("cat", "/etc/resolv.conf") == Path("/etc/resolv.conf").read_text().strip()


def alive(mark: str) -> set[str]:
    """Return the numbers of the machine's processes that were started with this mark."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (process / "cmdline").read_text():
                found.add(process.name)
    return found


def test_the_machines_processes_are_seen_where_that_was_permitted(ground: Ground) -> None:
    look = ("readlink", "/proc/self/ns/pid")
    assert ground.raised(Privileges())(*look) != namespace("pid")
    lent = ground.raised(Privileges(host_processes=True))
    assert lent(*look) == namespace("pid")
    assert lent("cat", f"/proc/{os.getpid()}/comm") == Path("/proc/self/comm").read_text().strip()


def test_only_its_own_end_in_a_host_that_sees_the_machines_processes(ground: Ground) -> None:
    """Commands by their group, sessions by their mark, and all of the host's with the host."""
    ground.raised(Privileges(host_processes=True))
    key = HostKey(world=ground.world, host="box")
    word, other = new_id(12), new_id(12)

    def left(mark: str, session: str) -> None:
        line = f"POLIGON_SESSION={session} setsid sh -c 'sleep 300; : {mark}' >/dev/null 2>&1 &"
        assert ground.engine.run(key, ("sh", "-c", line), timeout=SOON).ok
        # A process that is just becoming another program has no command line for a moment.
        until(lambda: bool(alive(mark)), what="what was left to run", within=SOON)

    left(f"own-{word}", word)
    left(f"other-{other}", other)
    late = ("sh", "-c", f"sleep 300; : late-{word}")
    ran = ground.engine.run(key, late, timeout=timedelta(seconds=1))
    assert ran.exit_code == TIMED_OUT
    until(lambda: not alive(f"late-{word}"), what="its end", within=SOON)
    assert alive(f"own-{word}")
    ground.engine.run(key, reaping([word]), timeout=SOON)
    until(lambda: not alive(f"own-{word}"), what="the session's end", within=SOON)
    assert len(alive(f"other-{other}")) == 1
    ground.engine.stop_host(key)
    until(lambda: not alive(f"other-{other}"), what="the host's end", within=SOON)


def _hex(address: object) -> str:
    return bytes(map(int, str(address).split("."))).hex()


def _ip(sender: str, source: str, target: str) -> str:
    """Return a frame with an empty datagram to one host."""
    header = bytes.fromhex(f"4500001c0000000040110000{source}{target}")
    total = sum(int.from_bytes(header[i : i + 2], "big") for i in range(0, 20, 2))
    check = 0xFFFF - (total % 0xFFFF)  # the bridge looks at it
    return f"{'f' * 12}{sender}0800{header[:10].hex()}{check:04x}{source}{target}0000000900080000"


def test_a_host_with_raw_sockets_cannot_pass_for_another(ground: Ground) -> None:
    box = ground.raised(Privileges(capabilities=("NET_RAW",)))
    peer = ground.raised(Privileges(capabilities=("NET_RAW",)), host="peer")
    mac, own = box("cat", "/sys/class/net/eth0/address").replace(":", ""), _hex(ground.subnet[10])
    there = _hex(ground.subnet[11])
    other, elsewhere = _hex(ground.subnet[77]), "02aabbccddee"
    honest = [arp_frame(mac, mac, own), _ip(mac, own, there)]
    forged = {
        "another address": arp_frame(mac, mac, other),
        "another source": arp_frame(mac, elsewhere, own),
        "another sender": arp_frame(elsewhere, elsewhere, own),
        "another sender of ip": _ip(elsewhere, own, there),
        "another address of ip": _ip(mac, other, there),
        "an address where ip has it": arp_frame(mac, f"02aabbcc{own[:4]}", f"{own[4:]}0101"),
        "a tag before it": f"{'f' * 12}{mac}81000001{arp_frame(mac, mac, other)[24:]}",
        "ipv6": f"{'f' * 12}{mac}86dd60" + "0" * 78,
    }
    key = HostKey(world=ground.world, host="peer")
    peer("sh", "-c", f"perl -e '{HEAR}' > /heard 2>&1 &")
    until(lambda: "hears" in peer("cat", "/heard"), what="the peer to listen", within=SOON)
    # What comes last is heard last: then all that was sent before has been heard, or never is.
    sent = [
        pair for f in (*forged.values(), *honest) for kind in ("0806", "0800") for pair in (kind, f)
    ]
    box("perl", "-e", SEND, "eth0", *sent)

    def heard() -> list[str]:
        return ground.engine.run(key, ("cat", "/heard"), timeout=SOON).output.splitlines()

    until(
        lambda: all(any(line.startswith(f) for line in heard()) for f in honest),
        what="the control: its own frames are heard",
        within=SOON,
    )
    lines = heard()
    assert [n for n, f in forged.items() if any(line.startswith(f) for line in lines)] == []


def test_a_host_that_is_guarded_talks_to_its_peers(ground: Ground) -> None:
    box = ground.raised(Privileges(capabilities=("NET_RAW",)))
    ground.raised(Privileges(), host="odd")
    until(
        lambda: box("getent", "hosts", "odd").split()[:1] == [str(ground.subnet[12])],
        what="the name of a peer",
        within=SOON,
    )
    connect = ("timeout", "3", "bash", "-c", f"exec 3<>/dev/tcp/{ground.subnet[12]}/9")
    until(lambda: "Connection refused" in box(*connect), what="an answer", within=SOON)


def test_a_guard_is_there_again_when_a_host_is_raised_again(ground: Ground) -> None:
    plan = ground.plan("box", Privileges(capabilities=("NET_RAW",)))
    key, frame = (
        HostKey(world=ground.world, host="box"),
        arp_frame("02aabbccddee", "0" * 12, "0" * 8),
    )
    ground.engine.raise_host(ground.world, plan)
    ground.engine.stop_host(key)
    ground.engine.raise_host(ground.world, plan)
    send = ("perl", "-e", SEND, "eth0", "0806", frame)
    assert ground.engine.run(key, send, timeout=SOON).output == "refused\n"
