"""Networks of a scenario and what passes between them."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from core.scenario.fields import Part, PlainText, PortRange, PrefixLength

_END = r"^[a-z][a-z0-9_-]{0,40}(/[a-z][a-z0-9_-]{0,40})?$"
FlowEnd = Annotated[str, Field(pattern=_END)]
"""A network, or one host's place on it: `dmz`, `dmz/mail`."""


class Network(Part):
    """A network of every team, or with `shared` one that joins all teams.

    `size` is its prefix length; the address is the site's choice, and a shared network's size too.
    """

    size: PrefixLength | None = None
    simulates: Literal["internet"] | None = None
    shared: bool = False

    @model_validator(mode="after")
    def _one_size(self) -> "Network":
        if self.shared and (self.size is not None or self.simulates is not None):
            raise ValueError("a shared network has neither size nor simulates; both are the site's")
        if not self.shared and self.size is None:
            raise ValueError("a network needs a size like /28, or shared: true")
        return self


class Flow(Part):
    """What may begin between two networks; answers pass by themselves, and nothing else does."""

    from_: FlowEnd = Field(alias="from")
    to: FlowEnd
    tcp: tuple[PortRange, ...] = ()
    udp: tuple[PortRange, ...] = ()
    icmp: bool = False
    note: PlainText | None = None

    @model_validator(mode="after")
    def _something(self) -> "Flow":
        if not (self.tcp or self.udp or self.icmp):
            raise ValueError("a flow needs at least one of tcp, udp, icmp")
        return self


def flow_end(end: str) -> tuple[str, str | None]:
    """Return the network of a flow's end, and the host if it names one."""
    network, _, host = end.partition("/")
    return network, host or None
