"""Probes, rendered for a team: what to try, from where, and what was seen."""

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address

from scoring.domain.verdicts import Verdict


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a server listens, seen from a host's network; 127.0.0.1 is that host itself."""

    address: IPv4Address
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpProbe:
    """A mail server, and whether it takes a mail from `sender` to `recipient`; none is sent.

    `tls` is `none`, `starttls` or `implicit`. A `user` logs in first; without a `sender` the
    greeting alone counts.
    """

    server: Server
    tls: str
    user: str | None
    password: str | None
    sender: str | None
    recipient: str | None
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SshProbe:
    """An SSH server, and whether it lets a user in; without a `user` the agreed keys count."""

    server: Server
    user: str | None
    password: str | None
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlProbe:
    """A database, whether it lets a user in, and what a query finds; `engine` is the protocol.

    `rows` and `contains` are of the query's result; what is `None` may be anything.
    """

    server: Server
    engine: str
    user: str
    password: str | None
    database: str | None
    accepted: bool
    query: str | None
    rows: int | None
    contains: str | None


ServerProbe = SmtpProbe | SshProbe | SqlProbe
Probe = CommandProbe | DnsProbe | FileProbe | HttpProbe | OwnPortProbe | PeerPortProbe | ServerProbe


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A probe, the host that it looks from, and how long it may take."""

    host: str
    probe: Probe
    timeout: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a look saw; `output` is for people, cut."""

    verdict: Verdict
    output: str = ""
