"""The rules that a link's state becomes."""

from ipaddress import IPv4Interface

from orchestrator.domain.links import AS_PLANNED, HostLink, LinkState, NetworkLink
from orchestrator.engine.links import rules

PLACE = IPv4Interface("10.1.2.3/28")
LAN, DESK = NetworkLink(network="lan"), HostLink(host="desk")


def test_what_was_there_goes_first_whatever_comes() -> None:
    for state in (AS_PLANNED, LinkState(down=True)):
        assert rules(LAN, state, [PLACE]).startswith(
            "add table inet poligon_network_lan\ndelete table inet poligon_network_lan\n"
        )
    assert "chain" not in rules(LAN, AS_PLANNED, [PLACE])


def test_inside_a_shaped_network_a_packet_meets_the_state_once() -> None:
    text = rules(LAN, LinkState(loss=0.25), [PLACE])
    assert 'iifname != "lo" ip daddr 10.1.2.3 numgen random mod 1000 < 250 drop' in text
    assert "ip saddr 10.1.2.3 ip daddr != 10.1.2.0/28 numgen random mod 1000 < 250 drop" in text


def test_a_hosts_link_is_shaped_in_both_directions_on_each_of_its_places() -> None:
    text = rules(DESK, LinkState(down=True), [PLACE, IPv4Interface("10.9.9.9/28")])
    for address in ("10.1.2.3", "10.9.9.9"):
        assert f'iifname != "lo" ip daddr {address} drop' in text
        assert f'oifname != "lo" ip saddr {address} drop' in text


def test_what_loses_everything_is_down() -> None:
    assert rules(LAN, LinkState(loss=1.0), [PLACE]) == rules(LAN, LinkState(down=True), [PLACE])
    assert "< 999 drop" in rules(LAN, LinkState(loss=0.999), [PLACE])


def test_a_rate_is_in_bytes_with_room_for_the_largest_packet() -> None:
    slow, quick = LinkState(rate=8_000), LinkState(rate=80_000_000)
    assert "limit rate over 1000 bytes/second burst 131072 bytes drop" in rules(DESK, slow, [PLACE])
    assert "over 10000000 bytes/second burst 1000000 bytes" in rules(DESK, quick, [PLACE])
