"""A RangeEngine in memory, for tests of everything above it. It passes the engine's contract suite.

It refuses, replaces and forgets as the real one does. What a host answers to a command is said by
the test (`answer`), except for a handful of plain commands that it understands.
"""

import socket
import tarfile
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network

from core.clock import Clock, SystemClock
from core.errors import PoligonError
from core.ids import ExerciseId
from core.scenario.folder import Entry as FolderEntry
from orchestrator.domain.changes import Change, ChangeKind
from orchestrator.domain.engine_facts import EngineFacts, Room, Space, Tables
from orchestrator.domain.health import ObservedHost
from orchestrator.domain.isolation import (
    Answer,
    Dial,
    Heard,
    Look,
    Lookup,
    Sentinel,
    Target,
    View,
)
from orchestrator.domain.leftovers import Standing
from orchestrator.domain.links import AS_PLANNED, HostLink, Link, LinkState
from orchestrator.domain.world import (
    Attachment,
    HostKey,
    HostPlan,
    ImageBuild,
    NetworkPlan,
    RouterPlan,
    WorldKey,
)
from orchestrator.engine.files import Entry, entries, host_archive
from orchestrator.engine.labels import plan_digest
from orchestrator.ports import (
    Dropped,
    EngineInfo,
    EngineRefusedError,
    ForeignImageError,
    HostGoneError,
    HostNotReadyError,
    ImageBuildFailedError,
    NotEnforcedError,
    ObservedRouter,
    RelayEnd,
    Removed,
    RunResult,
    SubnetTakenError,
    UnknownImageError,
    Usage,
)

BASE_IMAGE = "debian:bookworm-slim"

_FOLDERS = ("/", "/etc", "/home", "/tmp", "/srv", "/var", "/var/log", "/etc/skel")
_FILES = {
    "/bin/bash": b"",
    "/bin/sh": b"",
    "/etc/passwd": b"root:x:0:0:root:/root:/bin/bash\ngames:x:5:60::/usr/games:/sbin/nologin\n",
    "/etc/group": b"root:x:0:\nshadow:x:42:\ngames:x:60:\n",
    "/etc/shadow": b"root:*:20000:0:99999:7:::\ngames:*:20000:0:99999:7:::\n",
    "/etc/skel/.bashrc": b"# skeleton\n",
}


WELL = EngineFacts(
    version="28.5.0",
    api_version="1.51",
    runc="1.3.3",
    architecture="amd64",
    cpus=8,
    memory=32 * 1024**3,
    limits=frozenset({"memory", "swap", "processes", "CPU"}),
    limits_disk=True,
    storage="overlay2 on xfs",
    space=Space(free=200 * 1024**3, total=250 * 1024**3),
    user_namespaces=True,
    seccomp=True,
    at=datetime(2026, 11, 23, 12, tzinfo=UTC),
    time=datetime(2026, 11, 23, 12, tzinfo=UTC),
    default_bridge=True,
    tables=Tables.NFT,
    protected=False,
    bridges_filtered=True,
    delays=True,
    open_without_tls=(),
    name_servers=("192.0.2.53",),
    base_architecture="amd64",
)


Program = Callable[[socket.socket], RelayEnd | None]
"""A server: it talks to whoever came, and says how that ended when nobody closed."""

_BUSY = Usage(memory=16 * 1024**2, cpu=timedelta(seconds=1))


class FakeImage:
    """The file system of every image: a very small Debian."""

    def exists(self, path: str) -> bool:
        return path in _FOLDERS or path in _FILES

    def read(self, path: str) -> tuple[Entry, ...]:
        return tuple(
            Entry(path=name, header=tarfile.TarInfo(name), content=content)
            for name, content in _FILES.items()
            if name == path or name.startswith(f"{path}/")
        )


@dataclass(kw_only=True, eq=False)
class FakeHost:
    """A host that exists; `files` are those that the plan brought, by path.

    `written` (in bytes) and `used` are said by the test; `folders` were put in while it ran.
    """

    plan: HostPlan
    running: bool = False
    exit_code: int | None = None
    out_of_memory: bool = False
    ended_at: datetime | None = None
    networks: set[str] = field(default_factory=set)
    files: dict[str, Entry] = field(default_factory=dict)
    listening: set[int] = field(default_factory=set)
    links: dict[Link, LinkState] = field(default_factory=dict)
    written: int = 0
    used: Usage = field(default_factory=lambda: _BUSY)
    folders: dict[str, tuple[FolderEntry, ...]] = field(default_factory=dict)


@dataclass(kw_only=True, eq=False)
class FakeRouter:
    """A world's router; `dropped` is said by the test."""

    plan: RouterPlan
    running: bool = True
    dropped: tuple[Dropped, ...] = ()


class FakeEngine:
    """Holds worlds as values; every field may be read and set by a test."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        self.images = {BASE_IMAGE}
        self.networks: dict[tuple[WorldKey, str], IPv4Network] = {}
        self.hosts: dict[HostKey, FakeHost] = {}
        self.routers: dict[WorldKey, FakeRouter] = {}
        self.kernel_delays = False
        self.routed: set[IPv4Network] = set()
        self.calls: list[str] = []
        self.protected = False
        self.address = IPv4Address("192.0.2.10")
        self.outside = frozenset({Dial(address=IPv4Address("192.0.2.1"), port=53)})
        self.resolves = True
        self.leaks: set[tuple[str, Target]] = set()
        self.bridged: set[IPv4Address] = set()
        self.prober_is_broken = False
        self.foreign_images: set[str] = set()
        self.facts = WELL
        self.throwaways: list[Standing] = []
        self.made_at: datetime | None = None
        self.sentinels: set[ExerciseId] = set()
        self.on_start: Callable[[FakeHost], None] = lambda _: None
        self.apart_files: tuple[FolderEntry, ...] = ()
        """What the last throw-away container was given."""
        self.on_run_apart: Callable[[str, tuple[str, ...]], RunResult | None] = lambda *_: None
        self.on_run: Callable[[HostKey, tuple[str, ...]], RunResult | None] = lambda *_: None
        self.on_visit: Callable[[tuple[str, ...], Mapping[str, str]], RunResult | None] = (
            lambda *_: None
        )
        self.programs: dict[tuple[IPv4Address, int], Program] = {}
        self._built: set[str] = set()
        self._answers: dict[tuple[str, ...], RunResult] = {}
        self._watching: list[Callable[[Change], None]] = []
        self._failures: dict[str, deque[PoligonError]] = {}
        self._clock = clock or SystemClock()
        self._lock = threading.RLock()

    @property
    def links(self) -> dict[tuple[WorldKey, Link], LinkState]:
        """The links that are not as planned, of any host."""
        return {
            (key.world, link): state
            for key, host in self.hosts.items()
            for link, state in host.links.items()
        }

    def fail(self, method: str, *errors: PoligonError) -> None:
        """Let the next calls of a method raise these errors, one each."""
        self._failures.setdefault(method, deque()).extend(errors)

    def answer(self, command: Sequence[str], exit_code: int = 0, output: str = "") -> None:
        """Say how a command ends from now on, in every host."""
        self._answers[tuple(command)] = RunResult(exit_code=exit_code, output=output)

    def end_host(self, key: HostKey, *, exit_code: int = 0, out_of_memory: bool = False) -> None:
        """Let a host's own process end."""
        host = self.hosts[key]
        host.running, host.exit_code, host.out_of_memory = False, exit_code, out_of_memory
        host.ended_at = self._clock.now()
        host.listening.clear()
        if out_of_memory:
            self.kill_for_memory(key)
        self._tell(key.world, ChangeKind.ENDED, key)

    def kill_for_memory(self, key: HostKey) -> None:
        """Let a process of a host be killed because the host may not have more memory."""
        self._tell(key.world, ChangeKind.OUT_OF_MEMORY, key)

    def end_everything(self) -> None:
        """Let every host stop, as when the engine or its machine goes down and comes back."""
        for key in self.hosts:
            self.end_host(key, exit_code=255)

    def lose_network(self, world: WorldKey, network: str) -> None:
        """Let somebody take every host off a network by force, and remove it."""
        del self.networks[world, network]
        for key, host in self.hosts.items():
            if key.world == world:
                host.networks.discard(network)
        self._tell(world, ChangeKind.GONE)

    def lose_host(self, key: HostKey) -> None:
        """Let somebody remove a host by hand."""
        del self.hosts[key]
        self._tell(key.world, ChangeKind.GONE, key)

    def create_host(self, world: WorldKey, plan: HostPlan) -> None:
        """Leave a host as a crash would between create and start."""
        self.hosts[HostKey(world=world, host=plan.host)] = FakeHost(plan=plan)

    def info(self) -> EngineInfo:
        with self._called("info"):
            return EngineInfo(
                version="fake",
                api_version="1.41",
                cpus=2,
                memory=8 * 1024**3,
                containers=len(self.hosts),
            )

    def diagnose(self) -> EngineFacts:
        with self._called("diagnose"):
            return replace(
                self.facts, protected=self.protected, at=self._clock.now(), time=self._clock.now()
            )

    def taken_subnets(self) -> tuple[IPv4Network, ...]:
        with self._called("taken_subnets"):
            return self._room().taken

    def build_image(self, build: ImageBuild) -> None:
        with self._called("build_image"):
            dockerfile = build.context / "Dockerfile"
            if build.reference in self.images:
                return
            text = dockerfile.read_text() if dockerfile.is_file() else ""
            if not text.startswith("FROM ") or "RUN false" in text:
                raise ImageBuildFailedError(
                    f"the image of {build} does not build: RUN false", hint=text
                )
            self.images.add(build.reference)
            self._built.add(build.reference)

    def require_image(self, reference: str) -> None:
        with self._called("require_image"):
            if reference not in self.images:
                raise UnknownImageError(f"the engine has no image {reference}")
            if reference in self.foreign_images:
                raise ForeignImageError(f"the image {reference} is for arm64")

    def protect_host(self) -> Room:
        with self._called("protect_host"):
            self.protected = True
            return self._room()

    def _room(self) -> Room:
        taken = tuple(sorted({*self.routed, *self.networks.values()}))
        return Room(space=self.facts.space, taken=taken)

    def raise_network(self, world: WorldKey, plan: NetworkPlan) -> None:
        with self._called("raise_network"):
            key = (_holder(world, plan), plan.network)
            others = {net for other, net in self.networks.items() if other != key} | self.routed
            if any(plan.subnet.overlaps(other) for other in others):
                raise SubnetTakenError(f"{plan.subnet} is taken on the engine", subnet=plan.subnet)
            changes = key in self.networks and self.networks[key] != plan.subnet
            if changes and self._attached(*key):
                raise EngineRefusedError(
                    f"network {plan.network} has another subnet, and hosts on it"
                )
            self.networks[key] = plan.subnet

    def raise_host(self, world: WorldKey, plan: HostPlan) -> None:
        with self._called("raise_host"):
            if plan.image not in self.images:
                raise UnknownImageError(f"the engine has no image {plan.image}")
            self._require_networks(world, plan.attachments)
            key = HostKey(world=world, host=plan.host)
            host = self.hosts.get(key)
            if host is None or plan_digest(host.plan) != plan_digest(plan):
                host = self.hosts[key] = FakeHost(plan=plan)
            host.networks = {place.network for place in plan.attachments}
            if not host.running:
                self._start(host)

    def raise_router(self, world: WorldKey, plan: RouterPlan) -> None:
        with self._called("raise_router"):
            self._require_networks(world, plan.attachments)
            router = self.routers.get(world)
            if router is None or not router.running or router.plan != plan:
                self.routers[world] = FakeRouter(plan=plan)

    def running(self, exercise: ExerciseId) -> frozenset[HostKey]:
        with self._called("running"):
            return frozenset(
                key for key, h in self.hosts.items() if key.world.exercise == exercise and h.running
            )

    def written(self, exercise: ExerciseId) -> Mapping[HostKey, int]:
        with self._called("written"):
            return {
                key: host.written
                for key, host in self.hosts.items()
                if key.world.exercise == exercise
            }

    def usage(self, exercise: ExerciseId) -> Mapping[HostKey, Usage]:
        with self._called("usage"):
            return {
                key: host.used
                for key, host in self.hosts.items()
                if key.world.exercise == exercise and host.running
            }

    def image_size(self, reference: str) -> int:
        with self._called("image_size"):
            if reference not in self.images:
                raise UnknownImageError(f"the engine has no image {reference}")
            return 75 * 1024**2

    def observe_routers(self, exercise: ExerciseId) -> tuple[ObservedRouter, ...]:
        with self._called("observe_routers"):
            return tuple(
                ObservedRouter(world=world, running=router.running)
                for world, router in self.routers.items()
                if world.exercise == exercise
            )

    def dropped(self, world: WorldKey) -> tuple[Dropped, ...]:
        with self._called("dropped"):
            router = self.routers.get(world)
            if router is None or not router.running:
                raise HostGoneError(f"{world.team} has no router that runs")
            return router.dropped

    def remove_host(self, host: HostKey) -> None:
        with self._called("remove_host"):
            if self.hosts.pop(host, None) is not None:
                self._tell(host.world, ChangeKind.GONE, host)

    def await_ready(self, world: WorldKey, plan: HostPlan) -> None:
        key = HostKey(world=world, host=plan.host)
        with self._called("await_ready"):
            host = self._running(key)
            for probe in plan.probes:
                if probe.tcp is not None:
                    accepts = probe.tcp in host.listening
                    answer = RunResult(exit_code=int(not accepts), output="does not accept")
                else:
                    answer = self._ran(host, probe.run, timedelta(seconds=10))
                if not answer.ok:
                    raise HostNotReadyError(host=plan.host, probe=probe, output=answer.output)

    def observe(self, exercise: ExerciseId) -> tuple[ObservedHost, ...]:
        with self._called("observe"):
            return tuple(
                ObservedHost(
                    key=key,
                    running=host.running,
                    started=host.running or host.exit_code is not None,
                    exit_code=host.exit_code,
                    out_of_memory=host.out_of_memory,
                    ended_at=host.ended_at,
                    networks=frozenset(host.networks),
                )
                for key, host in self.hosts.items()
                if key.world.exercise == exercise
            )

    def watch(self, on_change: Callable[[Change], None], stop: threading.Event) -> None:
        self._watching.append(on_change)
        stop.wait()
        self._watching.remove(on_change)

    def run(
        self,
        host: HostKey,
        command: Sequence[str],
        *,
        timeout: timedelta,
        account: str = "root",
    ) -> RunResult:
        with self._called("run"):
            running = self._running(host)
            said = self.on_run(host, tuple(command))
            return said or self._ran(running, tuple(command), timeout)

    def put_folder(self, host: HostKey, path: str, files: Sequence[FolderEntry]) -> None:
        with self._called("put_folder"):
            self._running(host).folders[path] = tuple(files)

    def run_apart(
        self,
        command: Sequence[str],
        *,
        timeout: timedelta,
        image: str = "",
        folder: str = "",
        files: Sequence[FolderEntry] = (),
    ) -> RunResult:
        with self._called("run_apart"):
            if image and image not in self.images:
                raise UnknownImageError(f"the engine has no image {image}")
            self.apart_files = tuple(files)
            apart = FakeHost(plan=HostPlan(host="apart", image=image, attachments=()))
            said = self.on_run_apart(image, tuple(command))
            return said or self._ran(apart, tuple(command), timeout)

    def visit(
        self,
        exercise: ExerciseId,
        network: str,
        command: Sequence[str],
        *,
        image: str,
        environment: Mapping[str, str],
        timeout: timedelta,
    ) -> RunResult:
        with self._called("visit"):
            if image not in self.images:
                raise UnknownImageError(f"the engine has no image {image}")
            holder = WorldKey(exercise=exercise, team="")
            if (holder, network) not in self.networks:
                raise EngineRefusedError(f"network {network} not found")
            said = self.on_visit(tuple(command), environment)
            visitor = FakeHost(plan=HostPlan(host="visitor", image=image, attachments=()))
            return said or self._ran(visitor, tuple(command), timeout)

    def accepts_tcp(self, host: HostKey, port: int) -> bool:
        with self._called("accepts_tcp"):
            return port in self._running(host).listening

    def probe(self, host: HostKey, command: Sequence[str], *, timeout: timedelta) -> RunResult:
        with self._called("probe"):
            return self._ran(self._running(host), tuple(command), timeout)

    def relay(
        self,
        host: HostKey,
        address: IPv4Address,
        port: int,
        end: socket.socket,
        *,
        timeout: timedelta,
    ) -> RelayEnd:
        with self._called("relay"), end:
            self._running(host)
            program = self.programs.get((address, port))
            if program is None:
                return RelayEnd.NO_ANSWER
            end.settimeout(timeout.total_seconds())
            return _served(program, end)

    def shape(self, world: WorldKey, link: Link, state: LinkState) -> None:
        with self._called("shape"):
            if isinstance(link, HostLink):
                self._running(HostKey(world=world, host=link.host))
            if state.delay and not self.kernel_delays:
                raise NotEnforcedError("delay is not enforced here: this kernel has no netem")
            for host in self._at(world, link):
                host.links.pop(link, None)
                if state != AS_PLANNED:
                    host.links[link] = state

    def can_delay(self) -> bool:
        with self._called("can_delay"):
            return self.kernel_delays

    def stop_host(self, host: HostKey) -> None:
        with self._called("stop_host"):
            if host not in self.hosts:
                raise HostGoneError(f"there is no host {host.host} of {host.world.team}")
            if self.hosts[host].running:
                self.end_host(host, exit_code=143)

    def post_sentinel(self, exercise: ExerciseId) -> None:
        with self._called("post_sentinel"):
            self.sentinels.add(exercise)

    def sentinel(self, exercise: ExerciseId) -> Sentinel | None:
        with self._called("sentinel"):
            if exercise not in self.sentinels:
                return None
            return Sentinel(
                port=40_000,
                answers_at=frozenset(
                    {self.address, *(subnet[1] for subnet in self.networks.values())}
                ),
                outside=self.outside,
                resolves=self.resolves,
            )

    def dismiss_sentinel(self, exercise: ExerciseId) -> None:
        with self._called("dismiss_sentinel"):
            self.sentinels.discard(exercise)

    def look_around(self, looks: Sequence[Look], *, silence: timedelta) -> Mapping[HostKey, View]:
        with self._called("look_around"):
            for look in looks:
                self._running(look.host)
                if look.host.world.exercise not in self.sentinels:
                    raise HostGoneError("the sentinel does not run")
            if self.prober_is_broken:
                return {}
            return {
                look.host: View(
                    answers={t: self._heard(look.host, t) for t in (*look.near, *look.far)}
                )
                for look in looks
            }

    def remove_world(self, world: WorldKey) -> Removed:
        with self._called("remove_world"):
            return self._remove(lambda key: key == world)

    def remove_exercise(self, exercise: ExerciseId) -> Removed:
        with self._called("remove_exercise"):
            self.sentinels.discard(exercise)
            return self._remove(lambda key: key.exercise == exercise)

    def standing(self) -> tuple[Standing, ...]:
        with self._called("standing"):
            return (
                *(self._standing(key.world, host=key.host) for key in self.hosts),
                *(self._standing(world, network=name) for world, name in self.networks),
                *self.throwaways,
            )

    def remove_standing(self, things: Sequence[Standing]) -> Removed:
        with self._called("remove_standing"):
            ids = {thing.id for thing in things}
            hosts = [k for k in self.hosts if self._standing(k.world, host=k.host).id in ids]
            networks = [
                key for key in self.networks if self._standing(key[0], network=key[1]).id in ids
            ]
            gone = [thing for thing in self.throwaways if thing.id in ids]
            for host in hosts:
                del self.hosts[host]
            for network in networks:
                del self.networks[network]
            self.throwaways = [thing for thing in self.throwaways if thing not in gone]
            return Removed(containers=len(hosts) + len(gone), networks=len(networks))

    def remaining(self) -> tuple[str, ...]:
        with self._called("remaining"):
            return (
                *(f"container {key.world.team}-{key.host}" for key in self.hosts),
                *(f"container {world.team}-router" for world in self.routers),
                *(f"network {world.team}-{network}" for world, network in self.networks),
                *(f"image {reference}" for reference in sorted(self._built)),
            )

    def nameless_volumes(self) -> frozenset[str]:
        with self._called("nameless_volumes"):
            return frozenset()

    def remove_everything(self) -> Removed:
        with self._called("remove_everything"):
            removed = self._remove(lambda _: True)
            self.sentinels.clear()
            images, self._built = self._built, set()
            self.images -= images
            self.protected = False
            return Removed(
                containers=removed.containers, networks=removed.networks, images=len(images)
            )

    def _tell(self, world: WorldKey, kind: ChangeKind, host: HostKey | None = None) -> None:
        for on_change in tuple(self._watching):
            on_change(Change(exercise=world.exercise, kind=kind, host=host))

    def _heard(self, asking: HostKey, target: Target) -> Answer:
        """Return what reaches a host when networks are apart and the engine's host is closed."""
        found = self._found_by(asking, target)
        if isinstance(target, Lookup):
            known = found.get(target.name)
            return Answer(heard=Heard.ANSWER if known else Heard.NOTHING, address=known)
        if (asking.host, target) in self.leaks:
            return Answer(heard=Heard.ANSWER)
        of_ours = {self.address, *(subnet[1] for subnet in self.networks.values())}
        if target.address in of_ours and not self.protected:
            return Answer(heard=Heard.ANSWER if target.port == 40_000 else Heard.REFUSAL)
        reached = target.address in found.values() or target.address in self.bridged
        return Answer(heard=Heard.REFUSAL if reached else Heard.NOTHING)

    def _found_by(self, asking: HostKey, target: Target) -> dict[str, IPv4Address]:
        """Return the running hosts on the asking host's networks: name → address."""
        near = {place.network for place in self.hosts[asking].plan.attachments}
        found: dict[str, IPv4Address] = {}
        for key, host in self.hosts.items():
            if key.world == asking.world and host.running:
                met = [p for p in host.plan.attachments if p.network in near]
                places = [p.address for p in met]
                if places:
                    wanted = [p for p in places if isinstance(target, Dial) and p == target.address]
                    names = {key.host, *(name for p in met for name in host.plan.names_on(p))}
                    found |= dict.fromkeys(names, (wanted or places)[0])
        return found

    def _standing(self, world: WorldKey, *, host: str = "", network: str = "") -> Standing:
        name = f"{world.exercise}.{world.team}.{host}{network}"
        return Standing(
            id=f"{'network' if network else 'container'} {name}",
            name=name,
            is_network=bool(network),
            throwaway=False,
            exercise=world.exercise,
            team=world.team,
            made_at=self.made_at or self._clock.now(),
        )

    def _called(self, method: str) -> threading.RLock:
        self.calls.append(method)
        if failures := self._failures.get(method):
            raise failures.popleft()
        return self._lock

    def _attached(self, holder: WorldKey, network: str) -> bool:
        return any(
            (_holder(key.world, place), place.network) == (holder, network)
            for key, host in self.hosts.items()
            for place in host.plan.attachments
        )

    def _require_networks(self, world: WorldKey, attachments: Sequence[Attachment]) -> None:
        for place in attachments:
            if (_holder(world, place), place.network) not in self.networks:
                raise EngineRefusedError(f"network {place.network} not found")

    def _start(self, host: FakeHost) -> None:
        if not host.files:
            archive = host_archive(host.plan, FakeImage(), now=self._clock.now())
            if archive is not None:
                host.files = {entry.path: entry for entry in entries(archive, at="/.")}
        host.running, host.exit_code, host.out_of_memory = True, None, False
        host.ended_at = None
        host.links.clear()
        self.on_start(host)

    def _at(self, world: WorldKey, link: Link) -> Iterator[FakeHost]:
        """Yield the running hosts that a link means."""
        for key, host in self.hosts.items():
            means = (
                link.host == key.host
                if isinstance(link, HostLink)
                else link.network in {place.network for place in host.plan.attachments}
            )
            if key.world == world and host.running and means:
                yield host

    def _running(self, key: HostKey) -> FakeHost:
        host = self.hosts.get(key)
        if host is None or not host.running:
            raise HostGoneError(f"host {key.host} of {key.world.team} does not run")
        return host

    def _ran(self, host: FakeHost, command: tuple[str, ...], timeout: timedelta) -> RunResult:
        if command in self._answers:
            return self._answers[command]
        match command:
            case ("true" | "false" as word,):
                return RunResult(exit_code=int(word == "false"), output="")
            case ("echo", *words):
                return RunResult(exit_code=0, output=f"{' '.join(words)}\n")
            case ("sleep", seconds):
                over = float(seconds) > timeout.total_seconds()
                return RunResult(exit_code=124 if over else 0, output="")
            case ("cat", path) if path in host.files:
                return RunResult(exit_code=0, output=host.files[path].content.decode())
            case _:
                return RunResult(exit_code=127, output=f"{command[0]}: not found\n")

    def _remove(self, belongs: Callable[[WorldKey], bool]) -> Removed:
        hosts = [key for key in self.hosts if belongs(key.world)]
        routers = [key for key in self.routers if belongs(key)]
        networks = [key for key in self.networks if belongs(key[0])]
        for host in hosts:
            del self.hosts[host]
        for router in routers:
            del self.routers[router]
        for network in networks:
            del self.networks[network]
        return Removed(containers=len(hosts) + len(routers), networks=len(networks))


def _served(program: Program, end: socket.socket) -> RelayEnd:
    try:
        return program(end) or RelayEnd.CLOSED
    except TimeoutError:
        return RelayEnd.LATE
    except OSError:
        return RelayEnd.CLOSED


def _holder(world: WorldKey, place: NetworkPlan | Attachment) -> WorldKey:
    """Return whose a network is: a world's, or (with no team) all worlds' of its exercise."""
    return replace(world, team="") if place.shared else world
