"""What the contract suite needs beside a RangeEngine: to look into it, and to break it."""

import io
import socket
import tarfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Protocol

import docker
from docker.errors import NotFound
from docker.types import IPAMConfig, IPAMPool

from orchestrator.domain.world import HostKey, HostPlan, ImageBuild, WorldKey
from orchestrator.engine.labels import OWNER
from orchestrator.engine.names import container_name, network_name, router_name
from orchestrator.engine.runtime import DockerEngine
from orchestrator.ports import RangeEngine, RelayEnd
from tests.fakes.fake_engine import BASE_IMAGE, FakeEngine, FakeHost

MARK, FIRST_LOOK = "/etc/mark", "/first-look"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFile:
    """A file inside a host."""

    content: bytes
    uid: int
    gid: int
    mode: int
    mtime: datetime

    @classmethod
    def of(cls, header: tarfile.TarInfo, content: bytes) -> "SeenFile":
        """Return what an archive's entry tells."""
        return cls(
            content=content,
            uid=header.uid,
            gid=header.gid,
            mode=header.mode & 0o7777,
            mtime=datetime.fromtimestamp(header.mtime, UTC),
        )


class EngineCase(Protocol):
    """An engine under test, and hands to look inside it."""

    image: str
    looking_image: str
    """Its process copies MARK to FIRST_LOOK as soon as it starts."""

    @property
    def engine(self) -> RangeEngine: ...

    def identity(self, host: HostKey) -> object:
        """Return what changes when, and only when, the host is replaced."""
        ...

    def file(self, host: HostKey, path: str) -> SeenFile | None:
        """Return a file of the host."""
        ...

    def leave_created(self, world: WorldKey, plan: HostPlan) -> None:
        """Leave a host created, neither filled nor started."""
        ...

    def end(self, host: HostKey) -> None:
        """Let the host's own process end with 137."""
        ...

    def end_router(self, world: WorldKey) -> None:
        """Let a world's router end."""

    def lose(self, host: HostKey) -> None:
        """Let somebody remove a host by hand."""
        ...

    def exhaust_memory(self, host: HostKey) -> None:
        """Let the host's processes ask for more memory than it may use, until they are killed."""
        ...

    def kill_for_memory(self, host: HostKey) -> None:
        """Let a process that is not the host's own want too much memory, and be killed for it."""
        ...

    def lose_network(self, world: WorldKey, network: str) -> None:
        """Let somebody remove a network by hand, and take what runs off it first."""
        ...

    def listen(self, host: HostKey, port: int) -> None:
        """Let a program of the host listen on its loopback."""
        ...

    def echo(self, host: HostKey, address: IPv4Address, port: int, greeting: int) -> None:
        """Let a program of the host greet with that many bytes, and say what it hears."""
        ...

    def occupied(self, subnet: IPv4Network) -> AbstractContextManager[None]:
        """Let something else hold a subnet meanwhile."""
        ...

    def standing(self) -> tuple[int, int]:
        """Return how many containers and networks of the installation exist."""
        ...


class FakeCase:
    """The engine in memory."""

    image = BASE_IMAGE
    looking_image = "looking:1"

    def __init__(self) -> None:
        self._engine = FakeEngine()
        self._engine.images.add(self.looking_image)
        self._engine.on_start = self._look

    @property
    def engine(self) -> RangeEngine:
        return self._engine

    def identity(self, host: HostKey) -> object:
        return self._engine.hosts[host]

    def file(self, host: HostKey, path: str) -> SeenFile | None:
        entry = self._engine.hosts[host].files.get(path)
        return SeenFile.of(entry.header, entry.content) if entry else None

    def leave_created(self, world: WorldKey, plan: HostPlan) -> None:
        self._engine.create_host(world, plan)

    def end(self, host: HostKey) -> None:
        self._engine.end_host(host, exit_code=137)

    def end_router(self, world: WorldKey) -> None:
        self._engine.routers[world].running = False

    def lose(self, host: HostKey) -> None:
        self._engine.lose_host(host)

    def exhaust_memory(self, host: HostKey) -> None:
        self._engine.end_host(host, exit_code=137, out_of_memory=True)

    def kill_for_memory(self, host: HostKey) -> None:
        self._engine.kill_for_memory(host)

    def lose_network(self, world: WorldKey, network: str) -> None:
        self._engine.lose_network(world, network)

    def listen(self, host: HostKey, port: int) -> None:
        self._engine.hosts[host].listening.add(port)

    def echo(self, host: HostKey, address: IPv4Address, port: int, greeting: int) -> None:
        def program(end: socket.socket) -> RelayEnd | None:
            end.sendall(b"x" * min(greeting, 4 * 1024**2))
            if greeting > 4 * 1024**2:
                return RelayEnd.FLOODED
            while piece := end.recv(100):
                end.sendall(piece)
            return None

        self._engine.programs[address, port] = program

    @contextmanager
    def occupied(self, subnet: IPv4Network) -> Iterator[None]:
        self._engine.routed.add(subnet)
        yield
        self._engine.routed.discard(subnet)

    def standing(self) -> tuple[int, int]:
        containers = len(self._engine.hosts) + len(self._engine.routers)
        return containers, len(self._engine.networks)

    def _look(self, host: FakeHost) -> None:
        if host.plan.image == self.looking_image and MARK in host.files:
            host.files[FIRST_LOOK] = host.files[MARK]


class DockerCase:
    """A real Docker Engine."""

    image = BASE_IMAGE

    def __init__(self, client: docker.DockerClient, address: str, installation: str) -> None:
        self._engine = DockerEngine(address, installation=installation)
        self.looking_image = f"cyberpoligon-{installation}/looking:1"
        self._api = client.api
        self._installation = installation

    def build_looking_image(self, folder: Path) -> None:
        """Build the image that looks at its files first."""
        (folder / "Dockerfile").write_text(
            f'FROM {BASE_IMAGE}\nCMD ["sh", "-c", "cp {MARK} {FIRST_LOOK}; exec sleep infinity"]\n'
        )
        self._engine.build_image(
            ImageBuild(reference=self.looking_image, context=folder, host="looking")
        )

    @property
    def engine(self) -> RangeEngine:
        return self._engine

    def identity(self, host: HostKey) -> object:
        found: dict[str, object] = self._api.inspect_container(self._name(host))
        return found["Id"]

    def file(self, host: HostKey, path: str) -> SeenFile | None:
        try:
            chunks, _ = self._api.get_archive(self._name(host), path)
        except NotFound:
            return None
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
            header = tar.getmembers()[0]
            stream = tar.extractfile(header) if header.isreg() else None
            return SeenFile.of(header, stream.read() if stream else b"")

    def leave_created(self, world: WorldKey, plan: HostPlan) -> None:
        hosts = self._engine._hosts
        facts = hosts._images.facts(plan.image)
        key = HostKey(world=world, host=plan.host)
        assert hosts._create(self._name(key), key, plan, facts)

    def end(self, host: HostKey) -> None:
        self._api.kill(self._name(host))
        self._api.wait(self._name(host))

    def end_router(self, world: WorldKey) -> None:
        self._api.kill(router_name(self._installation, world))
        self._api.wait(router_name(self._installation, world))

    def lose(self, host: HostKey) -> None:
        self._api.remove_container(self._name(host), force=True)

    def exhaust_memory(self, host: HostKey) -> None:
        # The kernel takes the largest process unless told otherwise, and that would be the eater.
        eat = (
            "for p in /proc/[0-9]*; do [ $p = /proc/$$ ] || echo 1000 >$p/oom_score_adj; done;"
            " exec tail /dev/zero"
        )
        made = self._api.exec_create(self._name(host), ["sh", "-c", eat])
        self._api.exec_start(made["Id"], detach=True)
        self._api.wait(self._name(host))

    def kill_for_memory(self, host: HostKey) -> None:
        made = self._api.exec_create(self._name(host), ["tail", "/dev/zero"])
        self._api.exec_start(made["Id"])

    def lose_network(self, world: WorldKey, network: str) -> None:
        name = network_name(self._installation, world, network)
        for container in self._api.inspect_network(name)["Containers"]:
            self._api.disconnect_container_from_network(container, name, force=True)
        self._api.remove_network(name)

    def listen(self, host: HostKey, port: int) -> None:
        listener = (
            "use IO::Socket::INET; my $s = IO::Socket::INET->new(Listen => 5,"
            f' LocalAddr => "127.0.0.1:{port}"); print "ready\\n"; close STDOUT; sleep 600'
        )
        made = self._api.exec_create(self._name(host), ["perl", "-e", f"$|=1; {listener}"])
        stream = self._api.exec_start(made["Id"], stream=True)
        assert next(iter(stream)) == b"ready\n"

    def echo(self, host: HostKey, address: IPv4Address, port: int, greeting: int) -> None:
        program = (
            "use IO::Socket::INET; my $s = IO::Socket::INET->new(Listen => 5,"
            f' LocalAddr => "{address}:{port}"); print "ready\n"; close STDOUT; $SIG{{PIPE}} ='
            f' "IGNORE"; while (my $c = $s->accept) {{ syswrite $c, "x" x 65536 for 1 .. {greeting}'
            f' / 65536; syswrite $c, "x" x ({greeting} % 65536); my $p;'
            " while (sysread $c, $p, 100) { syswrite $c, $p } }"
        )
        made = self._api.exec_create(self._name(host), ["perl", "-e", f"$|=1; {program}"])
        stream = self._api.exec_start(made["Id"], stream=True)
        assert next(iter(stream)) == b"ready\n"

    @contextmanager
    def occupied(self, subnet: IPv4Network) -> Iterator[None]:
        pool = IPAMPool(subnet=str(subnet))
        name = f"{self._installation}-somebody-else"
        made = self._api.create_network(name, internal=True, ipam=IPAMConfig(pool_configs=[pool]))
        yield
        self._api.remove_network(made["Id"])

    def standing(self) -> tuple[int, int]:
        ours = {"label": f"{OWNER}={self._installation}"}
        containers = self._api.containers(all=True, filters=ours)
        return len(containers), len(self._api.networks(filters=ours))

    def _name(self, host: HostKey) -> str:
        return container_name(self._installation, host)
