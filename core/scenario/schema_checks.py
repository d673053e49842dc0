"""Checks: probes whose result tasks and injects use."""

import math
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from core.scenario.fields import (
    ByteSize,
    Command,
    Duration,
    FolderPath,
    HostPath,
    HttpStatus,
    Part,
    Port,
    Ref,
    Sha256,
    SomeTime,
    Text,
)
from core.scenario.schema_evidence import Evidence
from core.scenario.written import needs

_PROBES = ("run", "http", "tcp", "dns", "file", "smtp", "ssh", "sql", "evidence")

Line = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\r\n]+$")]
_MailAddress = Annotated[str, Field(max_length=1000, pattern=r"^([^\s<>]{1,254}|.*\{\{.*\}\}.*)$")]
_Outcome = Literal["accepted", "refused"]


class TcpPeer(Part):
    """A port of another host, as seen from the prober."""

    host: Ref
    """The other host."""
    port: Port
    """Its port."""


class HttpProbe(Part):
    """One HTTP request; redirects are not followed."""

    url: str
    """What is asked for."""
    method: Literal["GET", "HEAD", "POST"] = "GET"
    """How."""
    status: HttpStatus = 200
    """The status of the answer."""
    contains: str | None = None
    """A text that the answer holds."""
    verify: bool = True
    """Whether the certificate must be right."""
    ca: FolderPath | None = None
    """The certificates, in PEM, of who may have signed it; left out, the public ones."""

    @model_validator(mode="after")
    def _verified_by_it(self) -> "HttpProbe":
        if self.ca is not None and not self.verify:
            raise ValueError("with verify: false nothing looks at ca")
        return self


class DnsProbe(Part):
    """A question to a DNS server of the team, over UDP."""

    server: Ref
    """The host that is asked."""
    name: Annotated[str, Field(pattern=r"^([A-Za-z0-9._-]{1,253}|.*\{\{.*\}\}.*)$")]
    """The name that is asked for."""
    type: Literal["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"] = "A"
    """Which of its records."""
    answer: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """What one of the records says; left out, there is one."""


class FileProbe(Part):
    """A file of the host, as it is there itself: a link is none, whatever it leads to."""

    path: HostPath
    """Where it is."""
    min_size: ByteSize | None = None
    """How large it is at least."""
    max_size: ByteSize | None = None
    """How large it is at most."""
    contains: Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\n]+$")] | None = (
        None
    )
    """A text that one of its lines holds."""
    sha256: Sha256 | None = None
    """The SHA-256 of its content."""
    owner: Annotated[str, Field(pattern=r"^[^:\s]+:[^:\s]+$|\{\{")] | None = None
    """The user and the group, as `user:group`, by name or number."""
    absent: bool = False
    """Whether nothing may be there, not even a link."""

    @model_validator(mode="after")
    def _there_or_not(self) -> "FileProbe":
        said = {self.min_size, self.max_size, self.contains, self.sha256, self.owner}
        if self.absent and said != {None}:
            raise ValueError("a file that is absent has no size, content or owner")
        if (self.min_size or 0) > (self.max_size if self.max_size is not None else math.inf):
            raise ValueError("min_size is above max_size")
        return self


class ServerProbe(Part):
    """A server that is talked to; with `from` another host's, with `host` that host's own."""

    host: Ref | None = None
    """The host whose server it is, with `from`."""


class SmtpProbe(ServerProbe):
    """A mail server that greets, and what it says to a mail; none is sent.

    No certificate is looked at.
    """

    port: Port = 25
    """The server's port."""
    tls: Literal["none", "starttls", "implicit"] = "none"
    """How it encrypts: not at all, after STARTTLS, or from the first byte on."""
    user: Line | None = None
    """Who logs in before the mail; this must be accepted."""
    password: Line | None = None
    """The user's password."""
    sender: _MailAddress | None = None
    """The address that a mail would come from."""
    recipient: _MailAddress | None = None
    """The address that it would go to."""
    mail: _Outcome = "accepted"
    """What the server says to a mail from the one to the other."""

    @model_validator(mode="after")
    def _whole(self) -> "SmtpProbe":
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password need each other")
        if (self.sender is None) != (self.recipient is None):
            raise ValueError("sender and recipient need each other")
        if self.mail == "refused" and self.sender is None:
            raise ValueError("mail: refused needs the sender and the recipient of one")
        return self


class SshProbe(ServerProbe):
    """An SSH server that agrees on keys, and whether a user gets in with a password.

    No host key is looked at, and nothing is run.
    """

    port: Port = 22
    """The server's port."""
    user: Line | None = None
    """Who logs in; left out, nobody does."""
    password: Line | None = None
    """The user's password."""
    login: _Outcome = "accepted"
    """What the server says to the user with the password."""

    @model_validator(mode="after")
    def _whole(self) -> "SshProbe":
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password need each other")
        if self.login == "refused" and self.user is None:
            raise ValueError("login: refused needs the user and the password of one")
        return self


class SqlProbe(ServerProbe):
    """A database that a user gets into with a password, and what a query finds there."""

    engine: Literal["postgresql", "mysql"]
    """Which protocol it speaks; MariaDB speaks MySQL's."""
    port: Port | None = None
    """The server's port; left out, 5432 or 3306, as the engine has it."""
    user: Line
    """Who logs in."""
    password: Line | None = None
    """The user's password; left out, there is none."""
    database: Line | None = None
    """The database; left out, what the server takes then."""
    login: _Outcome = "accepted"
    """What the server says to the user with the password."""
    query: Annotated[str, Field(min_length=1, max_length=10_000)] | None = None
    """One statement, which must succeed."""
    rows: Annotated[int, Field(ge=0)] | None = None
    """How many rows it finds."""
    contains: Line | None = None
    """A text that one of its cells holds."""

    @model_validator(mode="after")
    def _whole(self) -> "SqlProbe":
        if self.query is None and {self.rows, self.contains} != {None}:
            raise ValueError("rows and contains need a query")
        if self.query is not None and self.login == "refused":
            raise ValueError("who is refused asks no query")
        return self


def require_line(text: str) -> str:
    """Return a text that is one line; raise ValueError for anything else."""
    if not text or set("\r\n\0") & set(text):
        raise ValueError(f"{text[:70]!r} is not one line of text")
    return text


def _peer_or_port(data: object) -> str:
    return "<peer>" if isinstance(data, dict | TcpPeer) else "<port>"


class Check(Part):
    """A probe that passes or does not: exactly one of the kinds from `run` to `evidence`.

    `host` looks from inside that host; `from` uses a throw-away prober in its network namespace.
    `tcp` is a port of `host` itself, or a peer seen from `from`; the servers of `smtp`, `ssh` and
    `sql` are on `host` itself, or on the host that they name. `evidence` has no place.
    """

    model_config = needs(_PROBES, ("host", "from", "evidence"), run="host", file="host")

    title: Text | None = None
    """What trainees read of it; left out, its id."""
    host: Ref | None = None
    """The host to look from inside of."""
    from_: Ref | None = Field(default=None, alias="from")
    """The host beside which a prober looks."""
    run: Command | None = None
    """A command that succeeds, as root in `/`."""
    http: HttpProbe | None = None
    """A request that is answered."""
    tcp: (
        Annotated[
            Annotated[Port, Tag("<port>")] | Annotated[TcpPeer, Tag("<peer>")],
            Discriminator(_peer_or_port),
        ]
        | None
    ) = None
    """A port that takes connections."""
    dns: DnsProbe | None = None
    """A question that a DNS server answers."""
    file: FileProbe | None = None
    """A file that is as it should be, seen from inside, as root."""
    smtp: SmtpProbe | None = None
    """A mail server that takes mail, or does not."""
    ssh: SshProbe | None = None
    """An SSH server that lets somebody in, or does not."""
    sql: SqlProbe | None = None
    """A database that lets somebody in, or does not, and answers."""
    evidence: Evidence | None = None
    """Something that happened as it should, by the records of commands and checks."""
    every: SomeTime = timedelta(seconds=30)
    """How often."""
    timeout: SomeTime = timedelta(seconds=10)
    """How long one try may take."""
    hold: Duration = timedelta()
    """How long it must have passed before it counts."""
    show_output: bool = False
    """Whether a team that asks if it passes now is shown what the probe printed."""

    @model_validator(mode="after")
    def _one_probe_one_place(self) -> "Check":
        if sum(getattr(self, k) is not None for k in _PROBES) != 1:
            raise ValueError(f"a check needs exactly one of {', '.join(_PROBES)}")
        if self.evidence is not None:
            if self.host is not None or self.from_ is not None:
                raise ValueError("evidence is read from records: it takes neither host nor from")
            return self
        if (self.host is None) == (self.from_ is None):
            raise ValueError("a check needs either host or from")
        for inside in ("run", "file"):
            if getattr(self, inside) is not None and self.host is None:
                raise ValueError(f"{inside} needs host: it looks from inside")
        if self.tcp is not None and isinstance(self.tcp, TcpPeer) != (self.from_ is not None):
            raise ValueError("write tcp: {host, port} with from, or tcp: port with host")
        for key, server in self.servers.items():
            if (server.host is not None) != (self.from_ is not None):
                raise ValueError(f"{key} names its own host with from, and none with host")
        return self

    @property
    def servers(self) -> dict[str, ServerProbe]:
        """The probe that talks to a server, by its key; nothing for other probes."""
        talks = {"smtp": self.smtp, "ssh": self.ssh, "sql": self.sql}
        return {key: server for key, server in talks.items() if server is not None}

    @property
    def place(self) -> str:
        """The host that the probe looks from; evidence has none."""
        return self.host or self.from_ or ""
