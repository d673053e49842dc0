"""Whether a world is apart from everything else: what is asked of it, and what is found.

Each question has a control: something that the same prober must reach, or that the same target
answers from where it may be reached. Without its control a silence proves nothing, and the verdict
is `could not tell` or `not tested`, never `holds`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address

from orchestrator.domain.world import HostKey

_LEAST_SILENCE = timedelta(milliseconds=100)
_MOST_SILENCE = timedelta(seconds=3)


class Question(StrEnum):
    """What a self-test asks of a world."""

    PEERS = "peers"  # resolve and answer: the control of all others
    HOST = "engine host"
    ENGINE = "engine ports"
    TEAMS = "other teams"
    NETWORKS = "other networks"  # of its own team, where no flow leads
    OUTSIDE = "outside"
    METADATA = "metadata"
    NAMES = "names"
    IPV6 = "ipv6"  # which no host of ours has


class Verdict(StrEnum):
    """What a self-test found; a world is as good as the worst of its findings."""

    HOLDS = "holds"
    UNTESTED = "not tested"
    UNTOLD = "could not tell"
    FAILS = "fails"


_WORST_LAST = tuple(Verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """A TCP connection that is tried."""

    address: IPv4Address | IPv6Address
    """A link-local one is tried on every link of the asking host that has IPv6."""
    port: int

    def __str__(self) -> str:
        is_long = isinstance(self.address, IPv6Address)
        return f"[{self.address}]:{self.port}" if is_long else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A name whose IPv4 address is asked for."""

    name: str

    def __str__(self) -> str:
        return self.name


Target = Dial | Lookup


class Heard(StrEnum):
    """What came back from a target."""

    ANSWER = "answer"  # a connection, or an address
    REFUSAL = "refusal"  # a reset, or "no such name": somebody was reached
    NOTHING = "nothing"  # silence, no way, or a resolver that could not ask on
    OWN = "own"  # the asking host has a name service of its own, which answers for nobody else


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was heard from a target; with the address of a name that resolved."""

    heard: Heard
    address: IPv4Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one host tries: what is near has to answer and is waited for, what is far must not."""

    host: HostKey
    near: tuple[Target, ...]
    far: tuple[Target, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What one host heard, and what it has of IPv6."""

    answers: Mapping[Target, Answer]
    ipv6: Mapping[IPv6Address, Heard] = field(default_factory=dict)
    """Its addresses beyond the loopback, and what it heard when it knocked there itself."""
    beyond: frozenset[IPv6Address] = frozenset()
    """The next hops of its IPv6 routes that lead further than its own networks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentinel:
    """What our listener in the engine host's own network reports: the controls."""

    port: int
    answers_at: frozenset[IPv4Address]
    """Addresses of that host at which the listener was reached, from the host itself."""
    answers_over_ipv6: frozenset[tuple[IPv4Address, IPv6Address]] = frozenset()
    """The same over IPv6, each with the IPv4 address that its interface has, too."""
    outside: frozenset[Dial] = frozenset()
    """What answers the engine's host from beyond it."""
    resolves: bool = False
    """Whether the engine's host gets answers from its name service."""
    slowest: timedelta = timedelta()
    """How long the slowest of these answers from beyond took."""

    @property
    def silence(self) -> timedelta:
        """How long nothing has to be heard until it counts: well beyond any answer's time.

        One from the same machine takes less than a millisecond.
        """
        return min(_LEAST_SILENCE + 2 * self.slowest, _MOST_SILENCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A host of another team that runs, and where."""

    name: str
    address: IPv4Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One target of a question; `of` names it for people, `wanted` is where a peer's name leads."""

    question: Question
    target: Target
    of: str
    wanted: frozenset[IPv4Address] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one question found, in one sentence."""

    question: Question
    verdict: Verdict
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """What the self-test of a world found, when, and from which of its hosts.

    `host` has the names of all that were asked from, with commas; `` when from none.
    """

    at: datetime
    host: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict, where something that was not tested spoils nothing that holds."""
        return worst(finding.verdict for finding in self.findings)

    @property
    def alone(self) -> bool:
        """Whether no other team's host stood to be reached when this was tested."""
        return any(
            finding.question is Question.TEAMS and finding.verdict is Verdict.UNTESTED
            for finding in self.findings
        )


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst; UNTESTED only when nothing was tested."""
    found = set(verdicts)
    if found - {Verdict.UNTESTED}:
        found -= {Verdict.UNTESTED}
    return max(found, key=_WORST_LAST.index, default=Verdict.UNTESTED)


def untested(because: str) -> tuple[Finding, ...]:
    """Return a finding for every question that says why it was not asked."""
    return tuple(
        Finding(question=question, verdict=Verdict.UNTESTED, says=because) for question in Question
    )


def untold(because: str) -> tuple[Finding, ...]:
    """Return a finding for every question that says why nobody knows."""
    return tuple(
        Finding(question=question, verdict=Verdict.UNTOLD, says=because) for question in Question
    )
