"""Networks of a scenario and what passes between them."""

from typing import Annotated

from pydantic import Field, model_validator

from core.scenario.fields import Part, PlainText, PortRange, PrefixLength

_END = r"^[a-z][a-z0-9_-]{0,40}(/[a-z][a-z0-9_-]{0,40})?$"
FlowEnd = Annotated[str, Field(pattern=_END)]
"""A network, or one host's place on it: `dmz`, `dmz/mail`."""


class Network(Part):
    """A network of every team; `size` is its prefix length, the address is the site's choice."""

    size: PrefixLength


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
