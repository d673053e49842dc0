"""What an inject does to links of a world: cut, slow, lose packets, delay."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkLink:
    """Every own host's link to one network, which may be a shared one."""

    network: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLink:
    """A host's links, all of them."""

    host: str


Link = NetworkLink | HostLink


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """How a link is. `loss` is a share from 0 to 1, `rate` bits a second in each direction.

    What was saved up in a quiet second passes at once. `delay` is what a packet waits on leaving a
    host.
    """

    down: bool = False
    loss: float = 0.0
    rate: int | None = None
    delay: timedelta | None = None


AS_PLANNED = LinkState()
