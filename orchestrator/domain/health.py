"""What stands against what should: each host and router that does not, and why. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from orchestrator.domain.world import HostKey, WorldKey

ROUTER = "Router"
"""What a world's router is called among its hosts; no host's id has a capital letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedHost:
    """A host as the engine sees it now.

    `networks` are those it is on. A host that was created and never `started` has no exit code;
    of one that ended, `ended_at` is the engine's time.
    """

    key: HostKey
    running: bool
    started: bool = True
    exit_code: int | None = None
    out_of_memory: bool = False
    ended_at: datetime | None = None
    networks: frozenset[str] = frozenset()


class Ailment(StrEnum):
    """Why a host does not do what it should."""

    MISSING = "missing"
    NEVER_STARTED = "never-started"
    CUT_OFF = "cut-off"
    UNROUTED = "unrouted"
    OUTAGE = "outage"
    ENDED = "ended"
    OUT_OF_MEMORY = "out-of-memory"


# What comes from inside the host: a team can bring it about, and no fault of ours can.
FROM_INSIDE = frozenset({Ailment.ENDED, Ailment.OUT_OF_MEMORY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ailing:
    """A host that does not do what it should; `since` is the engine's time, where it tells one."""

    key: HostKey
    ailment: Ailment
    exit_code: int | None = None
    since: datetime | None = None
    networks: tuple[str, ...] = ()

    @property
    def from_inside(self) -> bool:
        """Whether the host's own process ended, while others ran on."""
        return self.ailment in FROM_INSIDE

    def __str__(self) -> str:
        return _SAYS[self.ailment].format(
            host=self.key.host, networks=", ".join(self.networks), code=self.exit_code
        )


_SAYS: Mapping[Ailment, str] = MappingProxyType(
    {
        Ailment.MISSING: "{host} is gone: it was removed from the engine",
        Ailment.NEVER_STARTED: "{host} was made and never started",
        Ailment.CUT_OFF: "{host} lost its network {networks}",
        Ailment.UNROUTED: "the router does not run: nothing passes between the networks",
        Ailment.OUTAGE: "{host} stopped with everything else: the engine or its machine went down",
        Ailment.OUT_OF_MEMORY: "{host} ran out of memory and was killed",
        Ailment.ENDED: "the own process of {host} ended with code {code}",
    }
)


def diagnose(
    wanted: Mapping[HostKey, frozenset[str]], observed: Iterable[ObservedHost]
) -> tuple[Ailing, ...]:
    """Return what is wrong with the `wanted` hosts of an exercise, in their order.

    `wanted` is host → networks; `observed` is everything of the exercise. When nothing of it runs
    any more, what stopped did so with the engine, and no host is to blame.
    """
    seen = {host.key: host for host in observed}
    outage = not any(host.running for host in seen.values())
    found = (
        _ailing(key, networks, seen.get(key), outage=outage) for key, networks in wanted.items()
    )
    return tuple(ailing for ailing in found if ailing is not None)


def unrouted(wanted: Iterable[WorldKey], running: Collection[WorldKey]) -> tuple[Ailing, ...]:
    """Return the `wanted` routers that do not run; that is never a team's doing."""
    return tuple(
        Ailing(key=world.host(ROUTER), ailment=Ailment.UNROUTED)
        for world in wanted
        if world not in running
    )


def _ailing(
    key: HostKey, networks: frozenset[str], host: ObservedHost | None, *, outage: bool
) -> Ailing | None:
    if host is None:
        return Ailing(key=key, ailment=Ailment.MISSING)
    if host.running:
        lost = tuple(sorted(networks - host.networks))
        return Ailing(key=key, ailment=Ailment.CUT_OFF, networks=lost) if lost else None
    if not host.started:
        return Ailing(key=key, ailment=Ailment.NEVER_STARTED)
    if outage:
        ailment = Ailment.OUTAGE
    else:
        ailment = Ailment.OUT_OF_MEMORY if host.out_of_memory else Ailment.ENDED
    return Ailing(key=key, ailment=ailment, exit_code=host.exit_code, since=host.ended_at)
