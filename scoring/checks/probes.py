"""Probes, rendered for a team: what to try, and from where."""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandProbe:
    """A command inside the host, as root; passes when it exits with 0."""

    command: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpProbe:
    """One request from a prober in the host's network; redirects are not followed.

    `ca` is PEM; empty, the public certificates count.
    """

    url: str
    method: str
    status: int
    contains: str | None
    verify: bool
    ca: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPortProbe:
    """A port of the host itself."""

    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerPortProbe:
    """A port of another host, from a prober in this host's network."""

    address: IPv4Address
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsProbe:
    """A question to a DNS server, from a prober in this host's network.

    `answer` is what one of the records says; `None` when any will do.
    """

    server: IPv4Address
    name: str
    type: str
    answer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProbe:
    """A file of the host itself, which is so, or nothing at its place when it is to be `absent`.

    Sizes are bytes; `owner` is `user:group`, by name or number. What is `None` may be anything.
    """

    path: str
    absent: bool = False
    min_size: int = 0
    max_size: int | None = None
    contains: str | None = None
    sha256: str | None = None
    owner: str | None = None


Probe = DnsProbe | FileProbe | CommandProbe | HttpProbe | OwnPortProbe | PeerPortProbe


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A probe, the host that it looks from, and how long it may take."""

    host: str
    probe: Probe
    timeout: timedelta
