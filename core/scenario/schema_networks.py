"""Networks of a scenario and what passes between them."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from core.scenario.fields import Part, PlainText, PortRange, PrefixLength
from core.scenario.written import needs

_END = r"^[a-z][a-z0-9_-]{0,40}(/[a-z][a-z0-9_-]{0,40})?$"
FlowEnd = Annotated[str, Field(title="end of a flow", pattern=_END)]
"""A network, or one host's place on it: `dmz`, `dmz/mail`."""


class Network(Part):
    """A network of every team, or with `shared` one that joins all teams.

    `size` is its prefix length; the address is the site's choice, and a shared network's size too.
    """

    model_config = needs(some=("size", "shared"))

    size: PrefixLength | None = None
    """Its prefix length; `/n` has room for 2^(32-n) - 3 hosts."""
    simulates: Literal["internet"] | None = None
    """The site gives it public addresses that belong to nobody, while it has some."""
    shared: bool = False
    """Whether it is one network that joins all teams."""

    @model_validator(mode="after")
    def _one_size(self) -> "Network":
        if self.shared and (self.size is not None or self.simulates is not None):
            raise ValueError("a shared network has neither size nor simulates; both are the site's")
        if not self.shared and self.size is None:
            raise ValueError("a network needs a size like /28, or shared: true")
        return self


class Flow(Part):
    """What may begin between two networks; answers pass by themselves, and nothing else does."""

    model_config = needs(some=("tcp", "udp", "icmp"))

    from_: FlowEnd = Field(alias="from")
    """Where it begins: a network, or one host's place on it."""
    to: FlowEnd
    """Where it leads."""
    tcp: tuple[PortRange, ...] = ()
    """Ports."""
    udp: tuple[PortRange, ...] = ()
    """Ports."""
    icmp: bool = False
    """Whether pings and the like pass."""
    note: PlainText | None = None
    """A remark for authors."""

    @model_validator(mode="after")
    def _something(self) -> "Flow":
        if not (self.tcp or self.udp or self.icmp):
            raise ValueError("a flow needs at least one of tcp, udp, icmp")
        return self


def flow_end(end: str) -> tuple[str, str | None]:
    """Return the network of a flow's end, and the host if it names one."""
    network, _, host = end.partition("/")
    return network, host or None
