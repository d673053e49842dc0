"""What is told of a gateway."""

import re
from dataclasses import replace
from datetime import timedelta
from itertools import groupby

from orchestrator.gateway.facts import GatewayFacts, Refusal, prometheus
from tests.fakes.clock import FakeClock

NOW = FakeClock().now()
FACTS = GatewayFacts(
    name="k3f",
    since=NOW,
    draining=None,
    connections=12,
    strangers=3,
    sessions=9,
    kept=4,
    waiting=2,
    forwards=5,
    bytes_shown=123456,
    refused={Refusal.SECRET: 7, Refusal.BANNED: 1},
    bans={"192.0.2.7": NOW + timedelta(minutes=5)},
)
_LINE = re.compile(r"(# (HELP|TYPE) poligon_gateway_\w+ .+|poligon_gateway_\w+(\{[^}]+\})? \d+)")


def test_every_line_is_prometheus() -> None:
    lines = prometheus([FACTS]).splitlines()
    assert len(lines) > 15
    assert [line for line in lines if not _LINE.fullmatch(line)] == []


def test_what_was_refused_is_counted_by_reason_and_nothing_is_left_out() -> None:
    text = prometheus([FACTS])
    assert 'poligon_gateway_refused_total{gateway="k3f",reason="secret"} 7\n' in text
    assert [r for r in Refusal if f'reason="{r}"' not in text] == []
    assert 'poligon_gateway_sessions_waiting{gateway="k3f"} 2\n' in text


def test_addresses_are_for_the_operator_alone() -> None:
    assert 'poligon_gateway_banned_sources{gateway="k3f"} 1\n' in prometheus([FACTS])
    assert "192.0.2.7" not in prometheus([FACTS])


def test_each_gateway_has_its_lines_and_a_metric_is_described_once() -> None:
    other = replace(FACTS, name="w9q", sessions=1, draining=NOW, at_redis=False)
    text = prometheus([FACTS, other])
    assert 'poligon_gateway_sessions{gateway="k3f"} 9\n' in text
    assert 'poligon_gateway_sessions{gateway="w9q"} 1\n' in text
    assert 'poligon_gateway_draining{gateway="k3f"} 0\n' in text
    assert 'poligon_gateway_draining{gateway="w9q"} 1\n' in text
    assert 'poligon_gateway_cut_off{gateway="k3f"} 0\n' in text
    assert 'poligon_gateway_cut_off{gateway="w9q"} 1\n' in text
    described = [line for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(described) == len(set(described)) == 11


def test_a_metric_stands_together() -> None:
    """Prometheus refuses a metric whose lines are apart."""
    names = [
        re.split(r"[{ ]", line)[0]
        for line in prometheus([FACTS, replace(FACTS, name="w9q")]).splitlines()
        if not line.startswith("#")
    ]
    assert len([name for name, _ in groupby(names)]) == len(set(names))
