"""What an operator is told of a gateway, and how Prometheus is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_PREFIX = "poligon_gateway"


class Refusal(StrEnum):
    """Why somebody was turned away."""

    CROWDED = "crowded"  # too many who have not logged in
    BANNED = "banned"  # the address guessed too much
    SECRET = "secret"  # noqa: S105  # a wrong password or code
    KEY = "key"  # a key that is not the login's
    GARBLED = "garbled"  # what is no SSH, or none that is spoken here
    ENTRY = "entry"  # who they are is clear; they may not enter now
    SESSIONS = "sessions"  # too many sessions of a person, a team or a connection


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayFacts:
    """A gateway at one moment.

    `refused` and `bytes_shown` count since its start, `bans` says until when. With `draining` it
    takes nobody new and ends then. `at_redis` says whether it is found there, and nothing without
    one. `kept` of the sessions wait for somebody to come back.
    """

    name: str
    since: datetime
    draining: datetime | None
    at_redis: bool | None = None
    connections: int
    strangers: int
    sessions: int
    kept: int
    waiting: int
    forwards: int
    bytes_shown: int
    refused: Mapping[str, int]
    bans: Mapping[str, datetime]


_GAUGES: Mapping[str, tuple[str, Callable[[GatewayFacts], int]]] = {
    "connections": ("Connections now.", lambda facts: facts.connections),
    "strangers": ("Connections now that have not logged in.", lambda facts: facts.strangers),
    "sessions": ("Sessions now.", lambda facts: facts.sessions),
    "sessions_kept": ("Sessions now whose client is gone.", lambda facts: facts.kept),
    "sessions_waiting": (
        "Sessions now that wait for their process.",
        lambda facts: facts.waiting,
    ),
    "forwards": ("Forwarded connections now.", lambda facts: facts.forwards),
    "banned_sources": ("Addresses now that may try no passwords.", lambda facts: len(facts.bans)),
    "cut_off": ("Whether its Redis does not answer.", lambda facts: int(facts.at_redis is False)),
    "draining": ("Whether it takes nobody new.", lambda facts: int(facts.draining is not None)),
}


def prometheus(gateways: Sequence[GatewayFacts]) -> str:
    """Return the facts of all gateways in Prometheus' text format; addresses are not in it."""
    lines = []
    for name, (meaning, value) in _GAUGES.items():
        lines += _described(name, "gauge", meaning)
        lines += [f"{_PREFIX}_{name}{_labels(facts)} {value(facts)}" for facts in gateways]
    lines += _described("shown_bytes_total", "counter", "What processes showed since the start.")
    lines += [
        f"{_PREFIX}_shown_bytes_total{_labels(facts)} {facts.bytes_shown}" for facts in gateways
    ]
    lines += _described("refused_total", "counter", "What was refused since the start, by reason.")
    lines += [
        f"{_PREFIX}_refused_total{_labels(facts, reason)} {facts.refused.get(reason, 0)}"
        for facts in gateways
        for reason in Refusal
    ]
    return "\n".join(lines) + "\n"


def _described(name: str, kind: str, meaning: str) -> list[str]:
    return [f"# HELP {_PREFIX}_{name} {meaning}", f"# TYPE {_PREFIX}_{name} {kind}"]


def _labels(facts: GatewayFacts, reason: str = "") -> str:
    more = f',reason="{reason}"' if reason else ""
    return f'{{gateway="{facts.name}"{more}}}'
