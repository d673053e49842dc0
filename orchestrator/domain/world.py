"""What one team's world should be: plain values that the planner makes and the engine obeys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from core.ids import ExerciseId
from core.scenario.schema import DEFAULT_CPUS, DEFAULT_MEMORY

_LONGEST_HOSTNAME = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldKey:
    """Which world: a team of an exercise, by the team's slug (`team-1`)."""

    exercise: ExerciseId
    team: str

    def host(self, host: str) -> "HostKey":
        """Return the key of a host of this world."""
        return HostKey(world=self, host=host)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostKey:
    """Which host of which world, by the host's id in the scenario."""

    world: WorldKey
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBuild:
    """An image that a scenario brings: `reference` carries the digest of its context.

    It is of a `host` that runs it, or of a `service` whose checker does.
    """

    reference: str
    context: Path
    host: str = ""
    service: str = ""

    def __str__(self) -> str:
        return f"host {self.host}" if self.host else f"the checker of {self.service}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPlan:
    """A network of a world, or one that all worlds of an exercise share; without a way out.

    Planned places on a shared one are in the lower half of its subnet.
    """

    network: str
    subnet: IPv4Network
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A host's place on a network. Peers resolve the host's id and its alias.

    On a shared network they resolve the alias only: another team has a host of the same id.
    """

    network: str
    address: IPv4Address
    alias: str | None = None
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPlan:
    """An account inside a host; without a password nobody logs in with one."""

    name: str
    password: str | None = None
    sudo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePlan:
    """A file that stands before the image's own process starts.

    Or a `folder`, which is made where the image has none.
    """

    path: str
    content: bytes
    owner: str = "root:root"
    mode: int = 0o644
    mtime: datetime | None = None
    folder: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a host may use: bytes of memory (no swap beyond), CPU cores, processes, bytes of disk.

    The disk is what it may write beyond its image; None for as much as there is.
    """

    memory: int = DEFAULT_MEMORY
    cpus: float = DEFAULT_CPUS
    pids: int = 256
    disk: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Privileges:
    """What a host has beyond every other, as the site's policy permitted it when it was launched.

    Devices, volumes and security options are spelt as in the scenario.
    """

    privileged: bool = False
    capabilities: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    """More names and their addresses."""
    security: tuple[str, ...] = ()
    runtime: str | None = None
    host_ipc: bool = False
    host_users: bool = False
    host_processes: bool = False
    host_name: bool = False
    host_network: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyProbe:
    """A question asked inside the host until it is answered well.

    Either a command that must exit 0, as root in `/`, or a TCP port that must accept in the host's
    own network namespace.
    """

    run: tuple[str, ...] = ()
    tcp: int | None = None
    within: timedelta = timedelta(seconds=60)
    every: timedelta = timedelta(seconds=1)

    def __str__(self) -> str:
        return " ".join(self.run) if self.run else f"tcp {self.tcp}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPlan:
    """A host of a world, everything rendered for its team; it starts after what it `needs`."""

    host: str
    image: str
    attachments: tuple[Attachment, ...]
    accounts: tuple[AccountPlan, ...] = ()
    files: tuple[FilePlan, ...] = ()
    limits: Limits = field(default_factory=Limits)
    environment: Mapping[str, str] = field(default_factory=dict)
    probes: tuple[ReadyProbe, ...] = ()
    hidden: bool = False
    gateway: IPv4Address | None = None
    """The world's router, on one of the host's networks; it takes all that is for no peer."""
    names: Mapping[str, IPv4Address] = field(default_factory=dict)
    """What it calls hosts that share no network with it; those that do tell their names there."""

    def names_on(self, place: Attachment) -> tuple[str, ...]:
        """Return what peers on a network call the host; a hidden one has its alias only."""
        own = () if self.hidden or place.shared else (self.host,)
        return (*own, *((place.alias,) if place.alias else ()))

    @property
    def hostname(self) -> str | None:
        """Return what the host calls itself; the engine lets peers on every network resolve it.

        None where it has the machine's name: then an engine takes no other.
        """
        if self.privileges.host_name:
            return None
        if not self.hidden and not any(place.shared for place in self.attachments):
            return self.host
        places = sorted(self.attachments, key=lambda place: not place.shared)
        name = next((place.alias for place in places if place.alias), "unnamed")
        return name[:_LONGEST_HOSTNAME].rstrip(".-")

    needs: tuple[str, ...] = ()
    privileges: Privileges = field(default_factory=Privileges)

    @property
    def sends_raw(self) -> bool:
        """Whether it may send what it likes, so that it is held to its own addresses.

        In the machine's network it has none of its own, and rules there would be the machine's.
        """
        own = self.privileges
        return "NET_RAW" in own.capabilities and not own.host_network

    @property
    def sudo(self) -> bool:
        """Whether any account may become root, which no-new-privileges would forbid."""
        return any(account.sudo for account in self.accounts)


class Protocol(StrEnum):
    """What a router tells apart."""

    TCP = "tcp"
    UDP = "udp"
    ICMP = "icmp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What a router lets begin: from any of `source` to any of `target`; answers follow.

    `ports` are pairs of first and last, sorted and apart; icmp has none.
    """

    source: IPv4Network
    target: IPv4Network
    protocol: Protocol
    ports: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterPlan:
    """The router of a world: its place on each routed network, and all that passes."""

    attachments: tuple[Attachment, ...]
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldPlan:
    """Everything that should stand for one team; a router only where flows are stated."""

    key: WorldKey
    networks: tuple[NetworkPlan, ...]
    hosts: tuple[HostPlan, ...]
    router: RouterPlan | None = None
