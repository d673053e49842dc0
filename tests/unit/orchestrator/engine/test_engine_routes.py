"""Which routes of the engine's host take addresses away from ranges."""

from ipaddress import IPv4Network

from orchestrator.engine.routes import routed


def test_destinations_count_and_ways_to_everywhere_do_not() -> None:
    routes = [
        {"dst": "default", "gateway": "10.0.0.1"},
        {"dst": "0.0.0.0/1", "dev": "tun0"},
        {"dst": "128.0.0.0/1", "dev": "tun0"},
        {"dst": "10.8.0.0/16", "dev": "tun0"},
        {"dst": "10.9.9.9", "type": "local", "table": "local"},
        {"dst": "10.8.255.255", "type": "broadcast", "table": "local"},
    ]
    assert list(routed(routes)) == [IPv4Network("10.8.0.0/16"), IPv4Network("10.9.9.9/32")]
