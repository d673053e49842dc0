"""Whether a world is apart from everything else: what is asked of it, and what is found.

Each question has a control: something that the same prober must reach, or that the same target
answers from where it may be reached. Without its control a silence proves nothing, and the verdict
is `could not tell` or `not tested`, never `holds`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv4Address

from orchestrator.domain.world import Attachment, HostPlan, Passage, Protocol, WorldPlan

METADATA = IPv4Address("169.254.169.254")
ENGINE_PORTS = (2375, 2376)
# Nobody listens there, and a host that is reached says so: it refuses.
_KNOCK = 9
_LEAST_SILENCE = timedelta(milliseconds=100)
_MOST_SILENCE = timedelta(seconds=3)
_MOST_ADDRESSES = 16
_MOST_PEERS = 4


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

    address: IPv4Address
    port: int

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


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
class Sentinel:
    """What our listener in the engine host's own network reports: the controls."""

    port: int
    answers_at: frozenset[IPv4Address]
    """Addresses of that host at which the listener was reached, from the host itself."""
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
    """What the self-test of a world found, when, and from which of its hosts; `` when from none."""

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


def prober_of(plan: WorldPlan, *, turn: int) -> HostPlan | None:
    """Return the host to probe from: of each world another network has its turn.

    Of the hosts on that network, the one on most networks. `None` when no host is on a network.
    """
    networks = [n.network for n in plan.networks if _on(plan, n.network)]
    if not networks:
        return None
    hosts = _on(plan, networks[turn % len(networks)])
    return max(hosts, key=lambda host: len(host.attachments))


def probes_of(
    plan: WorldPlan,
    host: HostPlan,
    *,
    sentinel: Sentinel,
    neighbours: Sequence[Neighbour],
    stranger: str,
) -> tuple[Probe, ...]:
    """Return what `host` must reach and what it must not; `stranger` is a name nobody has.

    What the plan itself joins to the host's networks is no stranger, whoever's it is.
    """
    return (
        *_peers(plan, host),
        *_of_the_engines_host(plan, host, sentinel),
        *(
            Probe(
                question=Question.TEAMS,
                target=Dial(address=neighbour.address, port=_KNOCK),
                of=neighbour.name,
            )
            for neighbour in neighbours
            if not _joined(plan, neighbour.address)
        ),
        *_across(plan, host),
        *(
            Probe(
                question=Question.METADATA if dial.address == METADATA else Question.OUTSIDE,
                target=dial,
                of=str(dial),
            )
            for dial in sorted(sentinel.outside, key=str)
        ),
        Probe(question=Question.NAMES, target=Lookup(name=stranger), of=stranger),
    )


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


def _on(plan: WorldPlan, network: str) -> list[HostPlan]:
    return [h for h in plan.hosts if any(place.network == network for place in h.attachments)]


def _joined(plan: WorldPlan, address: IPv4Address) -> bool:
    return any(address in network.subnet for network in plan.networks)


def _peers(plan: WorldPlan, host: HostPlan) -> list[Probe]:
    """Return the peers' names and addresses; of a host without peers, its own."""
    met = [(peer, _met(host, peer)) for peer in plan.hosts if peer != host]
    peers = [(peer, places) for peer, places in met if places][:_MOST_PEERS]
    probes: list[Probe] = []
    for peer, places in peers or [(host, list(host.attachments))]:
        wanted = frozenset(place.address for place in places)
        names = [name for place in places for name in peer.names_on(place)]
        targets: list[Target] = [Lookup(name=name) for name in names[:1]]
        targets.append(Dial(address=min(wanted), port=_KNOCK))
        probes += [
            Probe(question=Question.PEERS, target=target, of=peer.host, wanted=wanted)
            for target in targets
        ]
    return probes


def _met(host: HostPlan, peer: HostPlan) -> list[Attachment]:
    """Return the places of a peer on networks that the host is on, too."""
    near = {place.network for place in host.attachments}
    return [place for place in peer.attachments if place.network in near]


def _across(plan: WorldPlan, host: HostPlan) -> list[Probe]:
    """Return the hosts of the same team that are met on no network, where no flow lets a knock."""
    passages = plan.router.passages if plan.router is not None else ()
    return [
        Probe(
            question=Question.NETWORKS,
            target=Dial(address=place.address, port=_KNOCK),
            of=f"{peer.host} at {place.address}",
        )
        for peer in plan.hosts
        if peer != host and not _met(host, peer)
        for place in peer.attachments
        if not any(_lets_knock(passage, host, place) for passage in passages)
    ][:_MOST_PEERS]


def _lets_knock(passage: Passage, host: HostPlan, place: Attachment) -> bool:
    return (
        passage.protocol is Protocol.TCP
        and place.address in passage.target
        and any(own.address in passage.source for own in host.attachments)
        and any(first <= _KNOCK <= last for first, last in passage.ports)
    )


def _of_the_engines_host(plan: WorldPlan, host: HostPlan, sentinel: Sentinel) -> list[Probe]:
    """Return the sentinel, and the engine's own ports, at the host's gateways and other places."""
    near = {place.network for place in host.attachments}
    gateways = {network.subnet[1] for network in plan.networks if network.network in near}
    nearest_first = sorted(
        sentinel.answers_at, key=lambda address: (address not in gateways, address)
    )
    return [
        Probe(question=question, target=Dial(address=address, port=port), of=f"{address}:{port}")
        for address in nearest_first[:_MOST_ADDRESSES]
        for question, port in (
            (Question.HOST, sentinel.port),
            *((Question.ENGINE, port) for port in ENGINE_PORTS),
        )
    ]
