"""What a container engine and its host say of themselves, for a launch and for a diagnosis."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Network


class Tables(StrEnum):
    """In which flavour of iptables an engine's own rules are."""

    NFT = "nft"
    LEGACY = "legacy"
    BOTH = "both"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """A disk: bytes that are left, and all."""

    free: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What an engine's host has left for a launch."""

    space: Space
    """Of the disk that has the engine's data."""
    taken: tuple[IPv4Network, ...]
    """Addresses that it routes already, or that its networks hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineFacts:
    """Seen in one go; sizes in bytes, `at` and `time` by our clock and by the engine's."""

    version: str
    api_version: str
    runc: str
    architecture: str
    cpus: int
    memory: int
    limits: frozenset[str]
    """Which of memory, swap, processes and CPU the kernel lets the engine limit."""
    limits_disk: bool
    storage: str
    space: Space
    """Of the disk that has the engine's data."""
    user_namespaces: bool
    seccomp: bool
    at: datetime
    time: datetime
    default_bridge: bool
    tables: Tables
    protected: bool
    bridges_filtered: bool
    delays: bool
    """Whether the kernel can delay packets (netem)."""
    open_without_tls: tuple[str, ...]
    """Addresses of the host at which the engine answers anybody."""
    name_servers: tuple[str, ...]
    base_architecture: str | None
    """Of the image that scenarios build on; `None` when it is not there."""
