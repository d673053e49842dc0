"""A router's rules in nftables' words, and what they say was dropped."""

import re
from ipaddress import IPv4Address

from orchestrator.domain.world import Passage, Protocol, RouterPlan
from orchestrator.ports import Dropped

# As much as one answer of the engine holds (64 KiB); what is forgotten is counted no longer.
_REMEMBERED = 600
_FOR = "30m"
_TABLE = "inet poligon"
DROPPED = ("nft", "list", "sets", "inet")
_ELEMENT = re.compile(
    r"([\d.]+) \. ([\d.]+) \. (\w+)(?: \. (\d+))?(?: timeout \w+)?(?: expires \w+)?"
    r" counter packets (\d+)"
)


def ruleset(plan: RouterPlan) -> str:
    """Return the router's whole ruleset: what is not stated is dropped, IPv6 all of it."""
    passages = "\n    ".join(_rule(passage) for passage in plan.passages)
    return f"""\
table {_TABLE} {{
  set dropped {{
    type ipv4_addr . ipv4_addr . inet_proto . inet_service
    flags dynamic,timeout; timeout {_FOR}; size {_REMEMBERED}; counter
  }}
  set dropped_other {{
    type ipv4_addr . ipv4_addr . inet_proto
    flags dynamic,timeout; timeout {_FOR}; size {_REMEMBERED // 10}; counter
  }}
  chain input {{
    type filter hook input priority filter; policy drop
    iifname "lo" accept
  }}
  chain forward {{
    type filter hook forward priority filter; policy drop
    ct state established,related accept
    {passages}
    meta l4proto {{ tcp, udp }} update @dropped {{ ip saddr . ip daddr . meta l4proto . th dport }}
    meta l4proto != {{ tcp, udp }} update @dropped_other {{ ip saddr . ip daddr . meta l4proto }}
  }}
}}
"""


def _rule(passage: Passage) -> str:
    ends = f"ip saddr {passage.source} ip daddr {passage.target}"
    if passage.protocol is Protocol.ICMP:
        return f"{ends} meta l4proto icmp accept"
    ports = ", ".join(f"{a}-{b}" if a < b else f"{a}" for a, b in passage.ports)
    return f"{ends} {passage.protocol} dport {{ {ports} }} accept"


def parse_dropped(listing: str) -> tuple[Dropped, ...]:
    """Read what the command `DROPPED` prints; the most frequent first."""
    found = [
        Dropped(
            source=IPv4Address(source),
            target=IPv4Address(target),
            protocol=protocol,
            port=int(port) if port else None,
            packets=int(packets),
        )
        for source, target, protocol, port, packets in _ELEMENT.findall(listing)
    ]
    return tuple(sorted(found, key=lambda one: (-one.packets, one.source, one.target)))
